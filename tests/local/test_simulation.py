"""Simulated jobs: tries, deadlines and limits counted as on a cluster, in virtual time."""

from pathlib import Path

import pytest

from jobsmgr.api.durations import parse_duration
from jobsmgr.local.simulation import Simulation, parse_exit_codes, pattern_of
from tests.local.world import jobs, phases, reasons, run, workflow


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("250ms", 0.25), ("1h30m", 5400), ("1.5m", 90)])
def test_durations(text: str, seconds: float) -> None:
    """A number alone is seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "5x", "s", "1 h", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    """Is refused with how to write one."""
    with pytest.raises(ValueError, match="not a valid duration; write it like"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "a", "256", "1,", "-1"])
def test_what_is_no_exit_code(text: str) -> None:
    """Likewise."""
    with pytest.raises(ValueError, match="not a list of exit codes"):
        parse_exit_codes(text)


def test_a_job_is_named_as_a_pattern() -> None:
    """Without a group it fits in every one."""
    assert (pattern_of("load-*"), pattern_of("a/b")) == ("*/load-*", "a/b")


class TestTime:
    """Virtual time passes at once, and exactly."""

    def test_jobs_in_order(self, tmp_path: Path) -> None:
        """Their times add up."""
        ran = run(Simulation([("*/a", 3600.0)]), tmp_path, workflow(jobs("a", "b")))
        assert ran.seconds == pytest.approx(3601)
        assert ran.record.started == ["g/a", "g/b"]

    def test_jobs_side_by_side(self, tmp_path: Path) -> None:
        """The longest counts."""
        ran = run(Simulation([("*/a", 10.0)]), tmp_path, workflow(jobs("a", "b", parallel=True)))
        assert ran.seconds == pytest.approx(10)

    def test_annotations_say_so_too_and_options_stand_over_them(self, tmp_path: Path) -> None:
        """So a file can carry its own estimate."""
        params = {"annotations": {"jobsmgr.simulate/duration": "5m", "jobsmgr.simulate/exit-code": "3"}}
        ran = run(Simulation(), tmp_path, workflow(jobs("a"), params=params, retries=0))
        assert (ran.seconds, ran.record.exits) == (pytest.approx(300), [("g/a", 1, 3, None)])
        ran = run(Simulation([("*", 1.0)], [("*", (0,))]), tmp_path, workflow(jobs("a"), params=params))
        assert (ran.seconds, ran.status["phase"]) == (pytest.approx(1), "succeeded")


class TestTries:
    """Retries as on a cluster, with a base back-off of a second."""

    def test_never(self, tmp_path: Path) -> None:
        """n retries are n further pods, after 1, 2, 4 ... seconds."""
        ran = run(Simulation(exit_codes=[("*", (1,))]), tmp_path, workflow(jobs("a"), retries=3))
        assert ran.record.exits == [("g/a", 1, 1, 1.0), ("g/a", 2, 1, 2.0), ("g/a", 3, 1, 4.0), ("g/a", 4, 1, None)]
        assert reasons(ran.status) == {"g/a": "BackoffLimitExceeded"}

    def test_on_failure(self, tmp_path: Path) -> None:
        """The same number of tries; the first restart comes at once."""
        spec = workflow(jobs("a"), retries=3, params={"restartPolicy": "OnFailure"})
        ran = run(Simulation(exit_codes=[("*", (1,))]), tmp_path, spec)
        assert [one[3] for one in ran.record.exits] == [0.0, 1.0, 2.0, None]

    @pytest.mark.parametrize("policy", ["Never", "OnFailure"])
    def test_none(self, tmp_path: Path, policy: str) -> None:
        """Zero means one try."""
        spec = workflow(jobs("a"), retries=0, params={"restartPolicy": policy})
        ran = run(Simulation(exit_codes=[("*", (1,))]), tmp_path, spec)
        assert ran.record.exits == [("g/a", 1, 1, None)]

    def test_a_later_try_succeeds(self, tmp_path: Path) -> None:
        """The job is succeeded and what waits for it runs."""
        ran = run(Simulation(exit_codes=[("*/a", (1, 1, 0))]), tmp_path, workflow(jobs("a", "b"), retries=2))
        assert phases(ran.status) == {"g/a": "succeeded", "g/b": "succeeded"}


class TestDeadlines:
    """Of a job and of the workflow."""

    def test_of_a_job(self, tmp_path: Path) -> None:
        """Tries and pauses count together."""
        ran = run(Simulation([("*", 100.0)]), tmp_path, workflow(jobs("a", activeDeadlineSeconds=7)))
        assert (ran.seconds, reasons(ran.status)) == (pytest.approx(7), {"g/a": "DeadlineExceeded"})

    def test_of_the_workflow(self, tmp_path: Path) -> None:
        """What runs is failed, what has not started aborted."""
        ran = run(Simulation([("*", 100.0)]), tmp_path, workflow(jobs("a", "b"), activeDeadlineSeconds=9))
        assert phases(ran.status) == {"g/a": "failed", "g/b": "aborted"}
        assert set(reasons(ran.status).values()) == {"DeadlineExceeded"}


class TestLimits:
    """What the options of a run add."""

    def test_parallelism_is_over_all_workflows(self, tmp_path: Path) -> None:
        """Never more at once, and all run."""
        first = workflow(jobs("a", "b", "c", parallel=True))
        second = workflow(jobs("d", "e", "f", parallel=True), name="other")
        ran = run(Simulation(), tmp_path, first, second, parallelism=2)
        assert ran.record.most == 2
        assert [status["phase"] for status in ran.statuses] == ["succeeded", "succeeded"]
        assert ran.seconds == pytest.approx(3)

    def test_fail_fast(self, tmp_path: Path) -> None:
        """The first failure stops what runs, and nothing else starts; the workflow has failed."""
        spec = workflow(
            jobs("a", "b", parallel=True), {"name": "h", "parallel": True, "jobs": [{"name": "c"}]}, retries=0
        )
        simulation = Simulation([("*/a", 1.0), ("*/b", 50.0)], [("*/a", (1,))])
        ran = run(simulation, tmp_path, spec, fail_fast=True, parallelism=2)
        assert phases(ran.status) == {"g/a": "failed", "g/b": "failed", "h/c": "aborted"}
        assert reasons(ran.status) == {"g/a": "BackoffLimitExceeded", "g/b": "FailFast", "h/c": "FailFast"}
        assert (ran.status["phase"], ran.seconds) == ("failed", pytest.approx(1))

    def test_without_it_what_does_not_depend_goes_on(self, tmp_path: Path) -> None:
        """As on a cluster."""
        spec = workflow(jobs("a"), {"name": "h", "parallel": True, "jobs": [{"name": "c"}]}, retries=0)
        ran = run(Simulation(exit_codes=[("*/a", (1,))]), tmp_path, spec)
        assert phases(ran.status) == {"g/a": "failed", "h/c": "succeeded"}


def test_a_time_to_live_that_is_over_does_not_keep_the_loop_busy(tmp_path: Path) -> None:
    """The finished workflow is looked at no more while another one runs; its status is kept."""
    short = workflow(jobs("a"), ttlSecondsAfterFinished=0)
    ran = run(Simulation([("*/b", 60.0)]), tmp_path, short, workflow(jobs("b"), name="long"))
    assert [status["phase"] for status in ran.statuses] == ["succeeded", "succeeded"]
    assert ran.record.statuses < 10


@pytest.mark.parametrize(("groups", "size", "parallel"), [(20, 25, False), (5, 100, True)])
def test_many_jobs(tmp_path: Path, groups: int, size: int, parallel: bool) -> None:
    """In a chain and side by side: each started once, in order, and all succeeded."""
    spec = [
        {"name": f"g{at}", "parallel": parallel, "jobs": [{"name": f"j{n}", "parallel": parallel} for n in range(size)]}
        for at in range(groups)
    ]
    ran = run(Simulation(), tmp_path, workflow(*spec))
    assert ran.record.started == [f"g{at}/j{n}" for at in range(groups) for n in range(size)]
    assert ran.status["counts"]["succeeded"] == groups * size
    assert ran.seconds == pytest.approx(1 if parallel else groups * size)
