"""A listening socket with a bound on its open connections. What they send and receive is not known here."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Any

MOST_CONNECTIONS = 100
"""Probes and Prometheus need a handful. Of a process' 1,024 files (a usual limit) most are for the API server."""


class BoundedListener(socket.socket):
    """Shuts down its oldest connection where a new one would be too many, so that probes still get their answers.

    uvicorn's own limit answers 503, to probes too. This one holds before a TLS handshake, which may take a minute.
    """

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(fileno=listening.detach())
        self._connections: deque[socket.socket] = deque()

    def accept(self) -> tuple[socket.socket, Any]:
        """See `socket.socket`."""
        connection, peer = super().accept()
        self._connections.append(connection)
        if len(self._connections) > MOST_CONNECTIONS:
            # A closed one has no file: what it was is forgotten only now, which costs nothing while there are few.
            self._connections = deque(one for one in self._connections if one.fileno() != -1)
        if len(self._connections) > MOST_CONNECTIONS:
            with contextlib.suppress(OSError):  # the peer has closed it
                self._connections.popleft().shutdown(socket.SHUT_RDWR)  # whoever reads it closes it then
        return connection, peer
