"""The loop on a port made for tests, in virtual time."""
