"""What an operator's HTTP server answers, asked as the kubelet and Prometheus ask. Nothing is started here."""

from collections.abc import Mapping
from typing import NamedTuple

import httpx

from tests.plane import ports

TIMEOUT = 5.0
"""Seconds for an answer: more than a probe has, since a busy machine is no failure."""


class Probe(NamedTuple):
    """An answer; code 0 and why, where there is none in time."""

    code: int
    text: str


class Server:
    """An operator's HTTP server on a port of its own."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()

    @property
    def environment(self) -> Mapping[str, str]:
        """What has an operator serve there."""
        return {"JOBSMGR_HTTP_PORT": str(self.port)}

    def get(self, path: str, address: str = "127.0.0.1") -> Probe:
        """Ask for a path."""
        try:
            answer = httpx.get(f"http://{address}:{self.port}{path}", timeout=TIMEOUT, trust_env=False)
        except httpx.TransportError as error:
            return Probe(0, type(error).__name__)
        return Probe(answer.status_code, answer.text)

    def code(self, path: str) -> int:
        """The code of the answer; 0 without one."""
        return self.get(path).code


def free_port() -> int:
    """A port that nobody uses, and that no other test is given."""
    return ports.keep(ports.hold())
