"""The port on a Kubernetes cluster, through kr8s. Nothing is decided here, and nobody else knows of HTTP."""
