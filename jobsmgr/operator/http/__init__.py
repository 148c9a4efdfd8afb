"""The HTTP server of the operator's process: probes and metrics. No request to the API server here, and no rule."""
