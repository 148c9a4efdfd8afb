"""One Job from its start to its end: tries, pauses, deadlines and pods as the Job controller has them."""

import re
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from jobsmgr.api.errors import Problem
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Attempt, Exit
from jobsmgr.local.simulation import Simulation, VirtualLoop
from jobsmgr.local.tries import JobRun, Outcome, is_last, pause_after, pod_identity
from tests.local.world import Record, manifest


class Pods(Simulation):
    """A simulation that takes down each try, and may be unable to make one."""

    def __init__(self, duration: float = 1.0, codes: tuple[int, ...] = (1,), cannot: Exception | None = None) -> None:
        super().__init__([("*", duration)], [("*", codes)])
        self.attempts: list[Attempt] = []
        self.cannot = cannot

    async def run(self, attempt: Attempt) -> Exit:
        self.attempts.append(attempt)
        if self.cannot is not None:
            raise self.cannot
        return await super().run(attempt)


@attrs.frozen
class Tried:
    """What a Job came to."""

    outcome: Outcome
    codes: list[int]
    pauses: list[float | None]
    seconds: float


def tried(pods: Pods, policy: str = "Never", **spec: Any) -> Tried:
    """Run a Job with these fields of its spec to its end, in virtual time."""
    record = Record()
    job = manifest({}, {"restartPolicy": policy}, **spec)

    async def main() -> Tried:
        run = JobRun(
            Key("ns", "wf"), JobKey("g", "j"), job, "job-uid", executor=pods, watcher=record, root=Path("/run")
        )
        outcome = await run.run()
        codes, pauses = [code for _, _, code, _ in record.exits], [pause for *_, pause in record.exits]
        return Tried(outcome, codes, pauses, anyio.current_time())

    return anyio.run(main, backend_options={"loop_factory": VirtualLoop})


class TestHowOften:
    """`backoffLimit` by the restart policy."""

    @pytest.mark.parametrize(
        ("policy", "limit", "tries"),
        [
            ("Never", 0, 1),
            ("Never", 1, 2),
            ("Never", 3, 4),
            ("OnFailure", 0, 1),
            ("OnFailure", 2, 2),
            ("OnFailure", 4, 4),
        ],
    )
    def test_until_it_is_too_many(self, policy: str, limit: int, tries: int) -> None:
        """Failed pods are more than the limit; restarts reach it, unless it is 0."""
        found = tried(Pods(), policy, backoffLimit=limit)
        assert found.codes == [1] * tries
        assert (found.outcome.result, found.outcome.reason) == (Phase.FAILED, "BackoffLimitExceeded")
        assert [failures for failures in range(1, 9) if not is_last(failures, limit, policy)] == list(range(1, tries))

    def test_a_job_that_says_nothing(self) -> None:
        """Kubernetes' default of 6: a plugin may leave the field out."""
        assert len(tried(Pods(), backoffLimit=None).codes) == 7

    def test_until_it_succeeds(self) -> None:
        """No further."""
        found = tried(Pods(codes=(3, 4, 0)), backoffLimit=6)
        assert (found.codes, found.outcome) == ([3, 4, 0], Outcome(result=Phase.SUCCEEDED))

    @pytest.mark.parametrize(
        ("codes", "limit", "text"),
        [((5,), 0, "failed with exit code 5"), ((5, 6), 1, "2 tries failed, the last with exit code 6")],
    )
    def test_the_message_says_how_the_last_one_ended(self, codes: tuple[int, ...], limit: int, text: str) -> None:
        """And how many there were."""
        assert tried(Pods(codes=codes), backoffLimit=limit).outcome.message == text

    @pytest.mark.parametrize(
        "error", [CannotRun(Problem("volumes[0]", "is gone")), PermissionError(13, "Permission denied", "/x")]
    )
    def test_a_machine_that_cannot_make_the_try(self, error: Exception) -> None:
        """No other try would do better; the reason is its own."""
        found = tried(Pods(cannot=error), backoffLimit=6)
        assert found.codes == [126]
        assert found.outcome == Outcome(result=Phase.FAILED, reason="CannotRun", message=str(error))


class TestHowLong:
    """Pauses and deadlines."""

    @pytest.mark.parametrize(
        ("policy", "pauses"),
        [("Never", [1, 2, 4, 8, 16, 32, 60, 60]), ("OnFailure", [0, 1, 2, 4, 8, 16, 32, 60])],
    )
    def test_pauses_double_up_to_a_minute(self, policy: str, pauses: list[float]) -> None:
        """From a second; the kubelet's first restart comes at once. However often: it never overflows."""
        found = tried(Pods(duration=5.0), policy, backoffLimit=len(pauses) + (policy == "OnFailure"))
        assert found.pauses == [*pauses, None]
        assert found.seconds == pytest.approx(sum(pauses) + 5 * (len(pauses) + 1))
        assert pause_after(10**6, policy) == 60

    @pytest.mark.parametrize(("deadline", "codes", "pods"), [(5, [1], 2), (7, [1, 1], 2), (60, [1, 1, 1, 1], 4)])
    def test_a_deadline_counts_tries_and_pauses(self, deadline: int, codes: list[int], pods: int) -> None:
        """It ends a try (2.5 s each) as well as a pause (1, 2, 4 ... s), and no try begins after it."""
        made = Pods(duration=2.5)
        found = tried(made, backoffLimit=3, activeDeadlineSeconds=deadline)
        assert (found.codes, len(made.attempts)) == (codes, pods)
        text = f"Job was active longer than its activeDeadlineSeconds ({deadline})"
        over = Outcome(result=Phase.FAILED, reason="DeadlineExceeded", message=text)
        assert (found.outcome == over) is (deadline < 60)
        assert found.seconds == pytest.approx(min(deadline, 4 * 2.5 + 1 + 2 + 4))


class TestPods:
    """Which pod a try is made in."""

    def test_never_makes_a_new_one(self) -> None:
        """With a name, a uid and a directory of its own."""
        pods = Pods()
        tried(pods, backoffLimit=2)
        assert [(one.number, one.restarts) for one in pods.attempts] == [(1, 0), (2, 0), (3, 0)]
        for different in ("name", "uid"):
            assert len({getattr(one.pod, different) for one in pods.attempts}) == 3
        assert [one.directory for one in pods.attempts] == [Path("/run", one.pod.name) for one in pods.attempts]

    def test_on_failure_starts_the_same_one_again(self) -> None:
        """In its directory, so that its volumes stay."""
        pods = Pods()
        tried(pods, "OnFailure", backoffLimit=3)
        assert [(one.number, one.restarts) for one in pods.attempts] == [(1, 0), (2, 1), (3, 2)]
        assert len({(one.pod.name, one.pod.uid, one.directory) for one in pods.attempts}) == 1

    @pytest.mark.parametrize("length", [1, 57, 58, 63])
    def test_a_name_is_no_longer_than_a_label(self, length: int) -> None:
        """What the Job is called is cut, as the API server cuts it; five letters make it the pod's own."""
        job = manifest({})
        name = pod_identity({**job, "metadata": {"name": "j" * length}}, "u").name
        assert re.fullmatch(r"j+-?[bcdfghjklmnpqrstvwxz2456789]{5}", name)
        assert name.startswith(f"{'j' * length}-"[:58])
        assert len(name) == min(length + 6, 63)

    def test_labels_of_the_job_controller(self) -> None:
        """They stand over the template's, which a user may have written."""
        job = manifest({})
        job["spec"]["template"]["metadata"]["labels"] = {"team": "blue", "job-name": "mine"}
        assert pod_identity(job, "job-uid").labels == {
            "team": "blue",
            "job-name": "wf-g-j",
            "controller-uid": "job-uid",
            "batch.kubernetes.io/job-name": "wf-g-j",
            "batch.kubernetes.io/controller-uid": "job-uid",
        }
