"""Leases of one name in several namespaces of a real API server: which of them somebody renews."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest

from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.leadership.lease import Lease
from jobsmgr.leadership.record import Timing
from jobsmgr.leadership.rivals import Rivals
from tests.leadership.test_lease import HELD, LASTING, QUICK, candidate, leads, put
from tests.plane import rights
from tests.plane.control_plane import ControlPlane

pytestmark = pytest.mark.fast_plane


@asynccontextmanager
async def looking(
    plane: ControlPlane, *scopes: str, user: str = "operator", name: str = "jobsmgr", timing: Timing = QUICK
) -> AsyncIterator[Rivals]:
    """One that looks for others."""
    session = Session(Target(kubeconfig=str(plane.kubeconfig(user)), identity="looking"), "rivals")
    try:
        yield Rivals(session, name, scopes, timing)
    finally:
        await session.aclose()


async def found(rivals: Rivals, own: str, *among: str) -> list[str]:
    """In which of these namespaces somebody leads, besides `own`; tests beside this one have operators too."""
    return [namespace async for namespace, _ in rivals._alive(own) if namespace in among]


async def test_one_that_is_renewed(control_plane: ControlPlane, namespace: str) -> None:
    """It is named with its holder; our own is none."""
    async with (
        candidate(control_plane, namespace, LASTING, identity="other") as lease,
        looking(control_plane) as rivals,
    ):
        await leads(lease)
        assert [each async for each in rivals._alive("") if each[0] == namespace] == [(namespace, lease.identity)]
        assert await found(rivals, namespace, namespace) == []


def empty(spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "holderIdentity": ""}


@pytest.mark.parametrize("spec", [HELD, empty(HELD), {}], ids=["nobody-renews-it", "given-back", "empty"])
async def test_one_that_is_dead(control_plane: ControlPlane, namespace: str, spec: dict[str, Any]) -> None:
    """Whatever its times say: clocks are not compared."""
    put(control_plane, namespace, spec)
    async with looking(control_plane) as rivals:
        assert await found(rivals, "", namespace) == []


async def test_another_name(control_plane: ControlPlane, namespace: str) -> None:
    """Its holder means to be another operator."""
    async with (
        candidate(control_plane, namespace, QUICK) as lease,
        looking(control_plane, name="x", user="admin") as one,
    ):
        await leads(lease)
        assert await found(one, "", namespace) == []


async def test_one_that_goes_while_it_is_looked_at(control_plane: ControlPlane, namespace: str) -> None:
    """It is waited for no longer than its duration anyway."""
    lasting = {**HELD, "leaseDurationSeconds": 500}
    put(control_plane, namespace, lasting)
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/jobsmgr"
    async with looking(control_plane) as rivals, anyio.create_task_group() as tasks:

        async def remove() -> None:
            await anyio.to_thread.run_sync(control_plane.call, "DELETE", path)

        tasks.start_soon(remove)
        assert await found(rivals, "", namespace) == []


async def test_with_rights_in_one_namespace(control_plane: ControlPlane, namespace: str) -> None:
    """Only there it is looked."""
    rights.give(control_plane, namespace, rights.shipped())
    other = control_plane.namespace("elsewhere")
    async with (
        candidate(control_plane, namespace, LASTING) as here,
        candidate(control_plane, other, LASTING) as there,
        looking(control_plane, namespace, other, user=rights.USER) as rivals,
    ):
        await leads(here)
        await leads(there)
        assert await found(rivals, "", namespace, other) == [namespace]


async def test_without_rights(control_plane: ControlPlane, namespace: str) -> None:
    """Nothing is found, and nothing fails."""
    async with candidate(control_plane, namespace, QUICK) as lease, looking(control_plane, user=rights.USER) as rivals:
        await leads(lease)
        assert await found(rivals, "", namespace) == []


class TestHome:
    """Where a Lease is if nobody says, outside of a pod."""

    @asynccontextmanager
    async def lease(self, plane: ControlPlane, user: str) -> AsyncIterator[Lease]:
        target = Target(kubeconfig=str(plane.kubeconfig(user, namespace="from-context")), identity="candidate")
        async with Lease.connect(target, timing=QUICK) as made:
            yield made

    async def test_it_is_not_known_whether_the_namespace_exists(
        self, control_plane: ControlPlane, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without the right to read it: the context's, and the log says why."""
        async with self.lease(control_plane, rights.USER) as lease:
            assert await lease.placed() == "from-context"
        said = capsys.readouterr()
        assert f'User "{rights.USER}" cannot get resource "namespaces"' in said.out + said.err
