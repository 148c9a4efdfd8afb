"""What the operator counts for Prometheus, in a registry of its own. Nothing is asked of the API server here."""
