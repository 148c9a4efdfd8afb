"""The operator's Lease as a test reads and writes it, and short timings of leader election.

Nothing of jobsmgr is imported here.
"""

from typing import Any

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.operator_process import LEASE, OperatorProcess

SHORT = ("--lease-duration", "6", "--lease-renew-deadline", "4", "--lease-retry-period", "0.5")
"""Flags for an operator in whose test a lease has to run out."""

STEADY = ("--lease-duration", "60", "--lease-renew-deadline", "50", "--lease-retry-period", "0.5")
"""Flags for one that renews its lease as often, and must not lose it however slow the machine is."""


def path(namespace: str) -> str:
    """Where the Lease is."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{LEASE}"


def spec(plane: ControlPlane, namespace: str) -> dict[str, Any]:
    """What is in the Lease; empty if there is none."""
    answer = plane.request("GET", path(namespace))
    return dict(answer.json().get("spec") or {}) if answer.is_success else {}


def holder(plane: ControlPlane, namespace: str) -> str:
    """Who holds the Lease; empty if nobody does."""
    return str(spec(plane, namespace).get("holderIdentity") or "")


def overwrite(plane: ControlPlane, namespace: str, content: dict[str, Any]) -> None:
    """Make this the Lease's whole spec, whoever holds it, even while its holder renews it."""

    def put() -> bool:
        lease = plane.call("GET", path(namespace))
        return plane.request("PUT", path(namespace), {**lease, "spec": content}).is_success

    eventually(put, "the Lease is overwritten")


def vacate(plane: ControlPlane, namespace: str) -> None:
    """Take the Lease from a holder that was killed, as if it had given it back: the next one need not wait it out.

    For tests that are not about how long that takes, once the holder's process has ended.
    """
    given_back = {"holderIdentity": "", "leaseDurationSeconds": 1}
    answer = plane.request("PATCH", path(namespace), {"spec": given_back})
    assert answer.is_success or answer.status_code == 404, answer.text  # it may have been killed before it led


def restart(operator: OperatorProcess, plane: ControlPlane, namespace: str) -> None:
    """Kill an operator and start it, without a wait for its own lease."""
    operator.kill()
    vacate(plane, namespace)
    operator.start()


def wait_for_renewals(plane: ControlPlane, namespace: str, count: int = 4) -> None:
    """Wait until the Lease has been renewed so often: the time in which an operator that is well would have acted."""
    for _ in range(count):
        before = spec(plane, namespace).get("renewTime")
        eventually(lambda before=before: spec(plane, namespace).get("renewTime") != before, "the Lease is renewed")  # type: ignore[misc]
