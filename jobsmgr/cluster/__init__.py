"""The port on a Kubernetes cluster, on the requests of connection/. Nothing is decided here."""
