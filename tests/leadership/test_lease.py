"""Candidates and one Lease on a real API server: how often it is asked for, and whose time is waited out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from jobsmgr.connection.target import Target
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.record import Timing
from tests.cluster.support import until
from tests.plane import leases
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE
from tests.plane.fault_proxy import Action, Answer, FaultProxy, Passed, Reset
from tests.plane.operator_process import LEASE

pytestmark = pytest.mark.fast_plane

QUICK = Timing(duration=1.5, renew_deadline=1.0, retry=0.4)
"""A lease that runs out soon."""
LASTING = Timing(duration=600, renew_deadline=400, retry=0.4)
"""Nobody takes over in a test's time but from one that gave the lease back."""
WAITED = Timing(duration=4, renew_deadline=3, retry=0.4)
"""A lease that is waited out within a test."""

MOMENT = "2026-01-01T00:00:00.000000Z"
HELD = {
    "holderIdentity": "somebody",
    "leaseDurationSeconds": 1,
    "acquireTime": MOMENT,
    "renewTime": MOMENT,
    "leaseTransitions": 3,
}
"""A lease whose holder never renews it."""
CONFLICT = {"kind": "Status", "status": "Failure", "reason": "Conflict", "message": "no", "code": 409}


@asynccontextmanager
async def candidate(
    plane: ControlPlane, namespace: str, timing: Timing, *, url: str | None = None, identity: str = "candidate"
) -> AsyncIterator[Lease]:
    """One that stands for leadership until the block ends."""
    plane.install_namespaced_roles(namespace)
    kubeconfig = str(plane.kubeconfig("operator", namespace=namespace, url=url))
    target = Target(kubeconfig=kubeconfig, identity=identity)
    async with Lease.connect(target, namespace=namespace, timing=timing) as lease:
        yield lease


async def leads(lease: Lease) -> None:
    """Wait until it leads."""
    with anyio.fail_after(DEADLINE):
        await lease.acquired()


def put(plane: ControlPlane, namespace: str, spec: dict[str, Any]) -> None:
    """Make a Lease by hand."""
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE}, "spec": spec}
    plane.call("POST", leases.path(namespace).rpartition("/")[0], body)


def asked(proxy: FaultProxy) -> list[Passed]:
    """What has been asked of the Lease so far."""
    return [one for one in proxy.passed if "/leases" in one.path]


def once_a_period(requests: list[Passed], timing: Timing, each: int = 1) -> bool:
    """Whether so many requests came at most once a retry period.

    Twice as often would be seen; that the first of them came late, on a busy machine, is not taken for it.
    """
    return 0.7 * len(requests) / each <= (requests[-1].at - requests[0].at) / timing.retry


class TestInAnOutage:
    """The lease is asked for at most once a retry period, also where its holder's time is over."""

    @pytest.mark.parametrize(
        "action",
        [Answer(500), Answer(503), Answer(403), Answer(404), Answer(429), Reset()],
        ids=["500", "503", "403", "404-of-no-object", "429", "reset"],
    )
    async def test_a_standby(
        self, control_plane: ControlPlane, namespace: str, proxy: FaultProxy, action: Action
    ) -> None:
        put(control_plane, namespace, HELD)
        async with candidate(control_plane, namespace, QUICK, url=proxy.url):
            await until(lambda: asked(proxy))
            proxy.add(action, path="/leases")
            seen = len(asked(proxy))
            await until(lambda: len(asked(proxy)) >= seen + 16)
        assert once_a_period(asked(proxy)[seen:], QUICK)

    async def test_a_leader(self, control_plane: ControlPlane, namespace: str, proxy: FaultProxy) -> None:
        async with candidate(control_plane, namespace, QUICK, url=proxy.url) as lease:
            await leads(lease)
            proxy.add(Answer(500), path="/leases")
            seen = len(asked(proxy))
            await until(lambda: len(asked(proxy)) >= seen + 16)
            assert not lease.held()
        assert once_a_period(asked(proxy)[seen:], QUICK)

    async def test_one_that_starts(self, control_plane: ControlPlane, namespace: str, proxy: FaultProxy) -> None:
        proxy.add(Reset())
        async with candidate(control_plane, namespace, QUICK, url=proxy.url):
            await until(lambda: len(proxy.passed) >= 12)
        assert once_a_period(proxy.passed, QUICK)

    async def test_one_that_is_refused_each_time_looks_once_and_tries_once(
        self, control_plane: ControlPlane, namespace: str, proxy: FaultProxy
    ) -> None:
        """A conflict that never ends, a webhook's for example."""
        put(control_plane, namespace, HELD)
        proxy.add(Answer(409, CONFLICT), method="PUT", path="/leases")
        async with candidate(control_plane, namespace, QUICK, url=proxy.url):
            await until(lambda: sum(one.method == "PUT" for one in asked(proxy)) >= 10)
        methods = [one.method for one in asked(proxy)]
        assert "PUT PUT" not in " ".join(methods)
        assert once_a_period(asked(proxy), QUICK, each=2)


@pytest.mark.parametrize("timing", [QUICK, WAITED, LASTING])
async def test_a_standby_looks_once_a_retry_period(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, timing: Timing
) -> None:
    """Without any fault too."""
    async with candidate(control_plane, namespace, timing, identity="leader") as leader:
        await leads(leader)
        async with candidate(control_plane, namespace, timing, url=proxy.url):
            await until(lambda: len(asked(proxy)) >= 12)
    assert once_a_period(asked(proxy), timing)


EMPTIED: dict[str, dict[str, Any] | None] = {
    "deleted": None,
    "empty": {},
    "no holder": {**HELD, "holderIdentity": "", "leaseDurationSeconds": 15},
    "holder null": {**HELD, "holderIdentity": None, "leaseDurationSeconds": 15},
    "only the duration": {"leaseDurationSeconds": 1},
    "a release without times": {"holderIdentity": "", "leaseDurationSeconds": 1, "leaseTransitions": 3},
    "a release without a renewal": {key: value for key, value in HELD.items() if key != "renewTime"}
    | {"holderIdentity": ""},
    "garbage": {"holderIdentity": "", "leaseDurationSeconds": 2_147_483_647, "leaseTransitions": 2_147_483_647},
}


@pytest.mark.parametrize("content", EMPTIED.values(), ids=EMPTIED)
async def test_a_holder_that_was_seen_is_waited_for_though_the_lease_was_emptied(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, content: dict[str, Any] | None
) -> None:
    """It was not given back, so its holder may still be writing. Then it is taken, however it looks."""
    put(control_plane, namespace, HELD)
    async with candidate(control_plane, namespace, WAITED, url=proxy.url) as lease:
        await until(lambda: len(asked(proxy)) >= 2)
        if content is None:
            control_plane.call("DELETE", leases.path(namespace))
        else:
            leases.overwrite(control_plane, namespace, content)
        await leads(lease)
        stored = leases.spec(control_plane, namespace)
    writes = [one for one in asked(proxy) if one.method != "GET"]
    assert writes[0].at - asked(proxy)[0].at >= WAITED.duration
    assert stored["holderIdentity"] == lease.identity
    assert (stored["leaseDurationSeconds"], stored["leaseTransitions"] <= 4) == (4, True)


FOREIGN = {
    "foreign": HELD,
    "nothing but a holder": {"holderIdentity": "somebody"},
    "blank": {"holderIdentity": " "},
    "the largest numbers": {**HELD, "leaseDurationSeconds": 4, "leaseTransitions": 2_147_483_647},
    "times of long ago": {**HELD, "renewTime": "0001-01-01T00:00:00.000000Z", "acquireTime": None},
    "times to come": {**HELD, "renewTime": "9999-12-31T23:59:59.999999Z"},
    "control characters": {**HELD, "holderIdentity": "a\nb\x1b[31m"},
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_holder_is_waited_for_once(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy, content: dict[str, Any]
) -> None:
    """Whatever it wrote, its own or garbage; the leader gives way to it, and leads again when its time is over."""
    async with candidate(control_plane, namespace, WAITED, url=proxy.url) as lease:
        await leads(lease)
        term = lease.term
        leases.overwrite(control_plane, namespace, content)
        seen = len(asked(proxy))
        with anyio.fail_after(DEADLINE):
            while lease.term == term:
                await lease.lost()
                await lease.acquired()
        stored = leases.spec(control_plane, namespace)
    # The first look that shows the stranger comes after a renewal that is refused.
    looks = [one for one in asked(proxy)[seen:] if one.method == "GET"]
    taken = next(one for one in asked(proxy)[seen:] if one.method == "PUT" and one.at > looks[0].at)
    assert taken.at - looks[0].at >= WAITED.duration
    assert stored["holderIdentity"] == lease.identity


async def test_a_lease_that_is_given_back_is_taken_at_once(
    control_plane: ControlPlane, namespace: str, proxy: FaultProxy
) -> None:
    """At the next look, whatever its duration."""
    led, enough = anyio.Event(), anyio.Event()

    async def lead() -> None:
        async with candidate(control_plane, namespace, LASTING, identity="leader") as leader:
            await leads(leader)
            led.set()
            await enough.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lead)
        await led.wait()
        async with candidate(control_plane, namespace, LASTING, url=proxy.url) as standby:
            await until(lambda: len(asked(proxy)) >= 3)
            assert not standby.held()
            enough.set()
            await leads(standby)


async def test_a_lease_is_given_back_though_somebody_touched_it(control_plane: ControlPlane, namespace: str) -> None:
    """Just before, so that what is known of it is old; so it is too when the answer to the last renewal never came."""
    async with candidate(control_plane, namespace, LASTING) as lease:
        await leads(lease)
        control_plane.call("PATCH", leases.path(namespace), {"metadata": {"annotations": {"touched": "1"}}})
    assert leases.spec(control_plane, namespace)["holderIdentity"] == ""
