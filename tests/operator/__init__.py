"""The operator's process, piece by piece, without a cluster."""
