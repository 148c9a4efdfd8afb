"""Transitions as Events: which there are, what they say, and that they come after the status is stored."""

from __future__ import annotations

import anyio
import pytest

from jobsmgr import Phase, Transition
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.status import Reason
from jobsmgr.engine.events import event_of, events_of
from jobsmgr.engine.port import Conflict, Refused
from tests.core.world import START, group, job, key, manifest
from tests.engine.world import KEY, FakeCluster, loop

WORKFLOW = parse_workflow(manifest(group("g", "a")))


def transition(path: str = "", after: Phase = Phase.RUNNING, reason: str = "", message: str = "") -> Transition:
    return Transition(
        workflow=WORKFLOW,
        key=key(path) if path else None,
        before=Phase.PENDING,
        after=after,
        reason=reason,
        message=message,
        time=START,
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


async def test_told_after_it_is_stored() -> None:
    """A status that is refused tells nothing; stored, it tells once."""
    cluster = FakeCluster()
    told: list[Transition] = []
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


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        ((), ["this is corrected: no list", "this is corrected: no name"]),
        (("missing",), ['the spec is fixed: spec.groups[0].jobs[0].dependencies[0]: "missing" does not exist']),
    ],
)
async def test_a_status_that_the_server_finds_invalid_is_told_once_for_each_reason(
    needs: tuple[str, ...], told: list[str]
) -> None:
    """Nothing else can show what is wrong: in our words where the spec is known to be invalid, else in the server's."""
    cluster = FakeCluster()
    first, second = (Refused(reason=Reason.INVALID, message=words, final=True) for words in ("no list", "no name"))
    cluster.answers["save_status"].extend([first, first, second])
    cluster.apply(manifest(group("g", job("a", dependencies=[{"name": one} for one in needs]))))
    async with loop(cluster):
        await anyio.sleep(60)
    text = "no status can be stored until "
    found = [(event.type, event.reason, event.message) for event in cluster.events if event.message.startswith(text)]
    assert found == [("Warning", "InvalidSpec", text + words) for words in told]


async def test_a_workflow_from_start_to_end() -> None:
    """Three Events for a workflow of which one job fails: it runs, the job's failure, its end."""
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a", "b"), group("h", job("c"), parallel=True)))
    async with loop(cluster):
        cluster.end("wf-g-a", result=Phase.FAILED)
        cluster.end("wf-h-c")
        await anyio.sleep(1)
        assert [event.reason for event in cluster.events] == ["Running", "BackoffLimitExceeded", "JobsFailed"]
