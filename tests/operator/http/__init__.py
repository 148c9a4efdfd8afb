"""The HTTP server, on real sockets of this machine."""
