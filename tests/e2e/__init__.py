"""On a real API server."""
