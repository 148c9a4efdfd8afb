"""What blocks a workflow, put into words: from a stored status alone, no cluster."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jobsmgr.client.diagnosis import Diagnosis, diagnose, first_blocker
from jobsmgr.client.records import Record

NOW = datetime(2026, 1, 1, 0, 11, 2, tzinfo=UTC)


def record(phase: str, *jobs: dict[str, Any], **conditions: tuple[str, str]) -> Record:
    listed = [{"type": kind, "status": "True", "reason": one[0], "message": one[1]} for kind, one in conditions.items()]
    status = {
        "observedGeneration": 1,
        "phase": phase,
        "startTime": "2026-01-01T00:00:00Z",
        "conditions": listed,
        "groups": [{"name": "g", "phase": phase, "jobs": list(jobs)}],
    }
    return Record({"metadata": {"name": "wf", "namespace": "ns"}, "status": status})


def job(name: str, phase: str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "phase": phase, "reason": reason, "message": message, **more}


def said(found: Record, why: str = "", *log: str) -> Diagnosis:
    return diagnose(found, NOW, first_blocker(found), why, log)


ABORTED = job("b", "aborted", "DependencyFailed", 'job "g/a" did not succeed')
FINISHED = ("JobsFailed", "1 job failed")


def test_a_failed_job_comes_first() -> None:
    """With how its last pod ended where that is known, what it keeps from running, and what to type."""
    found = record("failed", ABORTED, job("a", "failed", "BackoffLimitExceeded", "3 tries", uid="u"), Finished=FINISHED)
    shown = said(found, "the last ended with exit code 3", "lost the plot")
    assert shown.headline == "Failed after 11m02s: job g/a failed: the last ended with exit code 3"
    assert shown.lines == (("last log", "lost the plot"), ("blocked", "1 job: g/b"))
    assert shown.commands == ("retry wf", "logs wf --job g/a")
    assert said(found).headline.endswith("job g/a failed: BackoffLimitExceeded: 3 tries")


@pytest.mark.parametrize(
    ("found", "headline", "commands"),
    [
        (
            record("pending", job("a", "pending", "QuotaExceeded", "exceeded quota: q"), job("b", "pending")),
            "Pending for 11m02s: job g/a has not started: QuotaExceeded: exceeded quota: q",
            ("tree wf -w",),
        ),
        (
            record("running", job("a", "running", uid="u"), job("b", "pending")),
            "Running for 11m02s: nothing blocks it; 1 job running: g/a",
            ("tree wf -w",),
        ),
        (
            record("suspended", job("a", "pending"), Suspended=("SuspendRequested", "suspended by spec.suspend")),
            "Suspended for 11m02s: SuspendRequested: suspended by spec.suspend",
            ("resume wf", "tree wf -w"),
        ),
        (
            record("failed", Failed=("InvalidSpec", "spec.groups: required"), Finished=("InvalidSpec", "")),
            "Failed after 11m02s: InvalidSpec: spec.groups: required",
            (),
        ),
    ],
)
def test_other_ends_and_waits(found: Record, headline: str, commands: tuple[str, ...]) -> None:
    """Each says its reason, and what a person can do."""
    assert (said(found).headline, said(found).commands) == (headline, commands)


def test_a_workflow_that_nobody_has_looked_at() -> None:
    """There may be no operator."""
    found = Record({"metadata": {"name": "wf", "namespace": "ns"}, "status": {"observedGeneration": -1}})
    assert said(found).headline.startswith("Pending: no operator has processed it yet")
    assert said(found).commands == ()
