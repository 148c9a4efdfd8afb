"""Loopback ports that nobody else of the machine is given while they are held. Nothing listens here.

Needs the standard library alone.
"""

import socket
import sys


def hold() -> socket.socket:
    """A socket that is bound to a free port of 127.0.0.1, and does not listen.

    As long as it is open, the kernel gives the port to nobody who asks for any (Linux), neither for a connection nor to
    listen, and yet a program can listen there that names it with SO_REUSEADDR, as Go's and Python's servers do. A port
    that was only looked up could be somebody else's by the time at which a program asks for it.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def number(held: socket.socket) -> int:
    """Which port it is."""
    port: int = held.getsockname()[1]
    return port


def keep(held: socket.socket) -> int:
    """Hold the port until this process ends, where a program can listen there nevertheless; the port."""
    port = number(held)
    if sys.platform == "linux":
        held.detach()
    else:
        held.close()
    return port
