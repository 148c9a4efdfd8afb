"""An API server that lags behind for one resource: what an operator sees of it through the fault proxy."""

from collections.abc import Mapping
from typing import Any

from tests.plane.fault_proxy import Answer, FaultProxy, Hold, Replay

RESUMED = r"[?&]resourceVersion=[1-9]"
"""In the path of a watch that goes on from where it was."""

EXPIRED = Answer(
    410,
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": 410,
        "reason": "Expired",
        "message": "too old resource version: 1 (2)",
    },
)
NO_WATCH_LISTS = Answer(
    422,
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: not supported',
    },
)


def collection(plural: str) -> str:
    """In the path of lists and watches of it."""
    return rf"/{plural}\?"


def anew(plural: str) -> str:
    """In the path of those that ask for everything."""
    return rf"/{plural}\?(?!.*{RESUMED})"


def resumed(plural: str) -> str:
    """In the path of watches of it that go on from where they were."""
    return rf"/{plural}\?.*{RESUMED}"


def only_pages(proxy: FaultProxy) -> None:
    """Behave as a server without watch-lists: everything is listed by pages."""
    proxy.add(NO_WATCH_LISTS, method="WATCH", path="sendInitialEvents=true")


class Lag:
    """From now on each list of a resource is an earlier one, and no event comes, until `catch_up`."""

    def __init__(self, proxy: FaultProxy, plural: str, content: Mapping[str, Any]) -> None:
        self._proxy = proxy
        self._replay, self._hold = Replay(content), Hold()
        self._rules = [
            proxy.add(self._replay, path=anew(plural)),
            proxy.add(self._hold, method="WATCH", path=resumed(plural)),
        ]

    @property
    def lists(self) -> int:
        """How many lists have been answered with the earlier one."""
        return sum(one.action is self._replay for one in self._proxy.passed)

    def catch_up(self) -> None:
        """Show everything that has happened since, in order, and be an ordinary server again."""
        for rule in self._rules:
            self._proxy.remove(rule)
        self._replay.catch_up()
        self._hold.release()
