"""What is told beside the status: Events, and to observers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import pytest
import structlog

from jobsmgr import Phase, Transition, hookimpl
from jobsmgr.api.codec import parse_workflow
from jobsmgr.engine.port import Conflict
from jobsmgr.engine.telling import MAX_WAITING, Observers, event_of, events_of
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import START, group, job, key, manifest
from tests.engine.test_supervision import ENDS
from tests.engine.world import KEY, SOON, FakeCluster, loop, virtual

WORKFLOW = parse_workflow(manifest(group("g", "a")))


def transition(path: str = "", after: Phase = Phase.RUNNING, reason: str = "", message: str = "") -> Transition:
    return Transition(
        workflow=WORKFLOW,
        key=key(path) if path else None,
        before=Phase.PENDING,
        after=after,
        reason=reason,
        message=message,
        at=START,
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (transition(after=Phase.RUNNING, reason="Running"), ("Normal", "Running", "the workflow is running")),
        (transition(after=Phase.SUCCEEDED, reason="Succeeded", message="all"), ("Normal", "Succeeded", "all")),
        (transition(after=Phase.FAILED, reason="JobsFailed", message="why"), ("Warning", "JobsFailed", "why")),
        (transition(after=Phase.PENDING, reason="PluginError", message="p"), ("Warning", "PluginError", "p")),
        (transition("g/a"), None),
        (transition("g/a", Phase.SUCCEEDED), None),
        (transition("g/a", Phase.ABORTED, "DependencyFailed", "m"), None),
        (
            transition("g/a", Phase.FAILED, "BackoffLimitExceeded", "three tries"),
            ("Warning", "BackoffLimitExceeded", 'job "g/a" is failed: three tries'),
        ),
        (
            transition("g/a", Phase.PENDING, "QuotaExceeded", ""),
            ("Warning", "QuotaExceeded", 'job "g/a" is pending: QuotaExceeded'),
        ),
    ],
)
def test_events(given: Transition, told: tuple[str, str, str] | None) -> None:
    """The workflow's own changes, and why a job waits or failed; what the Jobs' own Events tell already is left out."""
    event = event_of(KEY, given)
    assert (event and (event.type, event.reason, event.message)) == told
    assert event is None or (event.key, event.uid) == (KEY, "uid-of-wf")


def test_jobs_that_wait_or_failed_for_the_same_reason_are_one_event() -> None:
    """A thousand refused jobs are one Event, which names the first; other reasons and phases have their own."""
    refused = [transition(f"g/j{number}", Phase.PENDING, "AdmissionDenied", f"no {number}") for number in range(1000)]
    failed = transition("g/x", Phase.FAILED, "AdmissionDenied", "late")
    found = events_of(KEY, [*refused[:500], transition(after=Phase.RUNNING, reason="Running"), failed, *refused[500:]])
    assert [(event.reason, event.phase, len(event.jobs)) for event in found] == [
        ("AdmissionDenied", "pending", 1000),
        ("Running", "", 0),
        ("AdmissionDenied", "failed", 1),
    ]
    assert found[0].message == 'job "g/j0" is pending: no 0'


@virtual
async def test_told_after_it_is_stored() -> None:
    """A status that is refused tells nothing; stored, it tells once."""
    cluster, told = FakeCluster(), []
    cluster.answers["save_status"].append(Conflict())
    stored: list[bool] = []

    def observe(transitions: tuple[Transition, ...]) -> None:
        stored.append("status" in cluster.workflows[KEY])
        told.extend(transitions)

    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster, observe=observe):
        assert stored == [True]
        assert [(str(one.key), one.before.value, one.after.value) for one in told] == [
            ("g/a", "pending", "running"),
            ("None", "pending", "running"),
        ]
        assert [event.reason for event in cluster.events] == ["Running"]


@virtual
async def test_a_workflow_from_start_to_end() -> None:
    """Three Events for a workflow of which one job fails: it runs, the job's failure, its end."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b"), group("h", job("c"), parallel=True)))
    async with loop(cluster):
        cluster.end("wf-g-a", result=Phase.FAILED)
        cluster.end("wf-h-c")
        await anyio.sleep(1)
        assert [event.reason for event in cluster.events] == ["Running", "BackoffLimitExceeded", "JobsFailed"]


def observers(*functions: Callable[..., Any]) -> Observers:
    """Observers of plugins named p0, p1, ..."""
    plugins = []
    for number, function in enumerate(functions):
        plugin = type("Plugin", (), {"jobsmgr_transitioned": staticmethod(hookimpl(function))})
        plugins.append((f"p{number}", plugin))
    return Observers(load_hooks(plugins, installed=False))


async def run(given: Observers, *transitions: Transition, seconds: float = SOON) -> list[Any]:
    """Tell them, and give it some time; what was logged."""
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(given.run)
            given.tell(transitions)
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
    return logs


@virtual
async def test_observers_one_after_another() -> None:
    """In the order of registration, an asynchronous one awaited before the next is told."""
    said: list[str] = []

    async def first(transition: Transition) -> None:
        said.append(f"first begins {transition.reason}")
        await anyio.sleep(0.1)
        said.append(f"first ends {transition.reason}")

    def second(transition: Transition) -> None:
        said.append(f"second {transition.reason}")

    await run(observers(first, second), transition(reason="A"), transition(reason="B"), seconds=1)
    assert said == [f"{what} {one}" for one in "AB" for what in ("first begins", "first ends", "second")]


@virtual
async def test_one_that_raises_is_named_and_harms_nothing() -> None:
    """The others are told all the same, and it too the next time."""
    said: list[str] = []

    def bad(transition: Transition) -> None:
        said.append(f"bad {transition.reason}")
        raise RuntimeError("no")

    async def worse(transition: Transition) -> None:
        raise RuntimeError("no")

    def good(transition: Transition) -> None:
        said.append(f"good {transition.reason}")

    logs = await run(observers(bad, worse, good), transition(reason="A"), transition(reason="B"))
    assert said == ["bad A", "good A", "bad B", "good B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer failed", "p0"), ("observer failed", "p1")] * 2


@virtual
async def test_one_that_is_slow_is_named() -> None:
    """With how long it took."""

    async def slow(transition: Transition) -> None:
        await anyio.sleep(3)

    logs = await run(observers(slow), transition(), seconds=10)
    assert logs == [{"event": "observer is slow", "log_level": "warning", "plugin": "p0", "seconds": 3.0}]


@virtual
async def test_one_that_never_ends_is_given_up() -> None:
    """Named, and the others are told."""
    said: list[str] = []

    async def hangs(transition: Transition) -> None:
        await anyio.sleep_forever()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(hangs, good), transition(reason="A"), transition(reason="B"), seconds=600)
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer was given up", "p0")] * 2


@virtual
async def test_what_waits_for_slow_observers_is_bounded() -> None:
    """Beyond that the oldest are dropped: a status tells more than an old transition."""
    said: list[str] = []

    def note(transition: Transition) -> None:
        said.append(transition.reason)

    given = observers(note)
    given.tell(tuple(attrs.evolve(transition(), reason=str(number)) for number in range(MAX_WAITING + 5)))
    await run(given)
    assert (len(said), said[0], said[-1]) == (MAX_WAITING, "5", str(MAX_WAITING + 4))


@virtual
async def test_the_loop_does_not_wait_for_observers() -> None:
    """A slow one holds up no workflow."""

    async def slow(transition: Transition) -> None:
        await anyio.sleep(1000)

    given, cluster = observers(slow), FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(given.run)
        async with loop(cluster, observe=given.tell):
            cluster.end("wf-g-a")
            await anyio.sleep(1)
            cluster.end("wf-g-b")
            await anyio.sleep(1)
            assert cluster.status().phase is Phase.SUCCEEDED
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@virtual
async def test_whatever_one_raises_harms_nothing(end: Callable[[], BaseException]) -> None:
    """At once or after it has waited; it is named, and the others are told."""
    said: list[str] = []

    def bad(transition: Transition) -> None:
        raise end()

    async def worse(transition: Transition) -> None:
        await anyio.sleep(0.001)
        raise end()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(bad, worse, good), transition(reason="A"), transition(reason="B"))
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer failed", "p0"), ("observer failed", "p1")] * 2
    assert {log["why"].partition(":")[0] for log in logs} == {type(end()).__name__}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@virtual
async def test_whatever_one_raises_when_it_is_given_up(end: Callable[[], BaseException]) -> None:
    """It has been given up; nothing else follows from it."""
    said: list[str] = []

    async def bad(transition: Transition) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise end()

    def good(transition: Transition) -> None:
        said.append(transition.reason)

    logs = await run(observers(bad, good), transition(reason="A"), transition(reason="B"), seconds=600)
    assert said == ["A", "B"]
    assert [(log["event"], log["plugin"]) for log in logs] == [("observer was given up", "p0")] * 2


@virtual
async def test_one_that_swallows_our_cancellation_does_not_keep_us() -> None:
    """Neither when it is given up nor when the process ends."""

    async def bad(transition: Transition) -> None:
        with contextlib.suppress(BaseException):
            await anyio.sleep_forever()

    await run(observers(bad), transition(reason="A"))
    await run(observers(bad), transition(reason="A"), seconds=600)
