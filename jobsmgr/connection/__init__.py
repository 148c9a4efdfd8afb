"""Requests to an API server: which one, with what credentials, over kr8s. What they are for is not known here."""
