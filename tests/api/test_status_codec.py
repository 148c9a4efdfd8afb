"""Statuses to and from their stored form. Whatever is stored never stops the loop."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Condition, Counts, GroupStatus, JobKey, JobStatus, Phase, Status
from jobsmgr.api.status import NEW
from jobsmgr.api.status_codec import StatusEncoder, parse_status

TAKEOVER = Path(__file__).parents[1] / "data" / "takeover"
WORD = st.text(max_size=8)
PHASES = st.sampled_from(Phase)
TIMES = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
NUMBERS = st.integers(0, 2000)
JOBS = st.builds(
    JobStatus,
    name=WORD,
    phase=PHASES,
    job_name=WORD,
    uid=WORD,
    start_time=TIMES,
    completion_time=TIMES,
    reason=WORD,
    message=WORD,
    compiled_params=st.none() | st.just({"env": [{"name": "A", "value": "1"}]}),
)
GROUPS = st.builds(GroupStatus, name=WORD, phase=PHASES, jobs=st.lists(JOBS, max_size=2).map(tuple))
CONDITIONS = st.builds(
    Condition,
    type=WORD,
    status=st.booleans(),
    reason=WORD,
    message=WORD,
    observed_generation=NUMBERS,
    last_transition_time=TIMES,
)
STATUSES = st.builds(
    Status,
    observed_generation=st.integers(-1, 2000),
    phase=PHASES,
    start_time=TIMES,
    completion_time=TIMES,
    counts=st.builds(
        Counts, **dict.fromkeys(("total", "pending", "running", "succeeded", "failed", "aborted"), NUMBERS)
    ),
    conditions=st.lists(CONDITIONS, max_size=2).map(tuple),
    groups=st.lists(GROUPS, max_size=2).map(tuple),
)


@given(STATUSES)
def test_round_trip(status: Status) -> None:
    """What is stored is read back the same, through JSON."""
    assert parse_status(json.loads(json.dumps(StatusEncoder().encode(status))), {}) == status


def test_what_is_empty_is_left_out() -> None:
    """A pending job costs its name and phase, no more."""
    status = Status(observed_generation=1, groups=(GroupStatus(name="g", jobs=(JobStatus(name="a"),)),))
    encoded = StatusEncoder().encode(status)
    assert encoded["groups"] == [{"name": "g", "phase": "pending", "jobs": [{"name": "a", "phase": "pending"}]}]
    assert "startTime" not in encoded
    assert encoded["progress"] == "0/0"
    assert "duration" not in encoded


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0s"), (59, "59s"), (134, "2m14s"), (7260, "2h01m"), (180_000, "50h00m")]
)
def test_how_long_it_took_is_stored_with_the_end(seconds: int, words: str) -> None:
    """No printer column can work it out of two times; it is read from them, not from what is stored."""
    start = datetime(2026, 5, 4, tzinfo=UTC)
    status = Status(observed_generation=1, start_time=start, completion_time=start + timedelta(seconds=seconds))
    encoded = StatusEncoder().encode(status)
    assert encoded["duration"] == words
    assert parse_status({**encoded, "duration": "1s"}, {}) == status


@pytest.mark.parametrize(("start", "end"), [(0.9, 1.1), (0.1, 1.9), (0.9, 2.8), (0.0, 0.9)])
def test_what_is_read_is_stored_as_it_was(start: float, end: float) -> None:
    """A clock has fractions of a second, which no status has: nothing that is stored comes of them."""
    moments = [datetime(2026, 5, 4, 12, tzinfo=UTC) + timedelta(seconds=seconds) for seconds in (start, end)]
    encoded = StatusEncoder().encode(
        Status(observed_generation=1, phase=Phase.SUCCEEDED, start_time=moments[0], completion_time=moments[1])
    )
    assert StatusEncoder().encode(parse_status(encoded, {})) == encoded


@pytest.mark.parametrize("raw", [None, {}, {"observedGeneration": -1}, [], 5, {"groups": None, "conditions": "x"}])
def test_no_status_is_a_new_one(raw: Any) -> None:
    """The schema's default says that nobody has seen it."""
    assert parse_status(raw, {}) == NEW
    assert not NEW.seen


@pytest.mark.parametrize(
    "raw",
    [
        {"phase": "dancing"},
        {"phase": 5, "counts": [], "startTime": "soon"},
        {"counts": {"total": "many", "running": True}},
        {"conditions": [None, "x", {}], "groups": [None, {"jobs": [None, {"phase": {}}]}]},
        {"groups": [{"name": 1, "jobs": [{"name": None, "compiledParams": []}]}]},
    ],
)
def test_rubbish_is_read_as_far_as_it_goes(raw: Any) -> None:
    """A newer or a careless hand may have written it; what cannot be read is pending or empty."""
    status = parse_status({"observedGeneration": 1, **raw}, {})
    assert status.seen
    assert status.phase is Phase.PENDING
    assert status.counts == Counts()


NEWER: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "running",
    "progress": "1/4",
    "shard": {"of": 3},
    "counts": {"total": 4, "pending": 1, "running": 1, "succeeded": 1, "failed": 1, "aborted": 0, "skipped": 1},
    "conditions": [
        {
            "type": "Paused",
            "status": "Unknown",
            "reason": "NotAsked",
            "message": "",
            "lastTransitionTime": "2026-05-04T12:00:00Z",
            "severity": "low",
        }
    ],
    "groups": [
        {
            "name": "g",
            "phase": "running",
            "eta": "soon",
            "jobs": [
                {"name": "a", "phase": "skipped", "completionTime": "2026-05-04T12:00:00Z", "why": ["x"]},
                {"name": "b", "phase": "succeeded", "exitCode": 0},
            ],
        }
    ],
}
"""A status of a version that knows more: at each level a field, a job's phase, a type and a status of a condition."""


class TestNewerVersion:
    """What this version does not know is stored again as it was."""

    def test_everything_is_written_back(self) -> None:
        """At its place."""
        status = parse_status(copy.deepcopy(NEWER), {})
        assert {**StatusEncoder().encode(status), "progress": "1/4"} == NEWER

    def test_a_job_in_an_unknown_phase_counts_as_running(self) -> None:
        """It is neither to be started nor at its end, as far as this version can tell."""
        status = parse_status(NEWER, {})
        assert [job.phase for _, job in status.jobs()] == [Phase.RUNNING, Phase.SUCCEEDED]
        assert status.unknown.phases == {JobKey("g", "a"): "skipped"}

    def test_a_status_without_anything_unknown_costs_nothing(self) -> None:
        """All share one value that says so."""
        raw = StatusEncoder().encode(
            Status(observed_generation=1, groups=(GroupStatus(name="g", jobs=(JobStatus(name="a"),)),))
        )
        assert parse_status(raw, {}).unknown is NEW.unknown

    @pytest.mark.parametrize(("complete", "phase"), [("True", Phase.SUCCEEDED), ("False", Phase.FAILED)])
    def test_an_end_in_an_unknown_phase_is_an_end(self, complete: str, phase: Phase) -> None:
        """The conditions say so; the phase is written back."""
        conditions = [{"type": "Finished", "status": "True"}, {"type": "Complete", "status": complete}]
        status = parse_status({"observedGeneration": 1, "phase": "skipped", "conditions": conditions}, {})
        assert (status.phase, status.final) == (phase, True)
        assert StatusEncoder().encode(status)["phase"] == "skipped"

    def test_a_changed_job_is_encoded_with_what_is_unknown_of_it(self) -> None:
        """Where others are taken from the last time."""
        encoder, status = StatusEncoder(), parse_status(NEWER, {})
        encoder.encode(status)
        first, second = status.groups[0].jobs
        changed = attrs.evolve(status.groups[0], jobs=(first, attrs.evolve(second, reason="R")))
        encoded = encoder.encode(attrs.evolve(status, groups=(changed,)))["groups"][0]
        assert encoded == {
            **NEWER["groups"][0],
            "jobs": [NEWER["groups"][0]["jobs"][0], {**NEWER["groups"][0]["jobs"][1], "reason": "R"}],
        }
        again = encoder.encode(Status(groups=(changed,)))["groups"][0]["jobs"][1]
        assert again == {"name": "b", "phase": "succeeded", "reason": "R"}

    def test_run_state_of_the_go_operator_has_nothing_unknown(self) -> None:
        """The fields of a spec are no fields of a status, and the phases that it wrote are all there are."""
        spec = {"groups": [{"name": "g", "retries": 1, "jobs": [{"name": "a", "image": "x", "status": "strange"}]}]}
        status = parse_status("succeeded", spec)
        assert status.unknown is NEW.unknown
        assert [job.phase for _, job in status.jobs()] == [Phase.PENDING]


class TestGoOperator:
    """A string in `status`, and run state inside `spec`."""

    @pytest.mark.parametrize("name", ["workflow-running", "workflow-finished"])
    def test_dumped_objects(self, name: str) -> None:
        """As a real API server had stored them: every job's phase is taken over, and the workflow counts as seen."""
        raw = yaml.safe_load((TAKEOVER / f"{name}.yaml").read_text())
        assert isinstance(raw["status"], str)
        status = parse_status(raw["status"], raw["spec"])
        stored = {
            (group["name"], job["name"]): job.get("status", "pending")
            for group in raw["spec"]["groups"]
            for job in group["jobs"]
        }
        assert {tuple(key): job.phase.value for key, job in status.jobs()} == stored
        assert (status.phase.value, status.seen) == (raw["status"], True)

    @pytest.mark.parametrize("phase", ["pending", "running", "", "unknown"])
    def test_one_that_had_not_begun_is_new(self, phase: str) -> None:
        """Nothing of it ever ran."""
        spec = {"groups": [{"name": "g", "jobs": [{"name": "a", "status": "pending"}, {"name": "b"}]}]}
        assert parse_status(phase, spec) == NEW

    @pytest.mark.parametrize("phase", ["succeeded", "failed", "aborted"])
    def test_an_end_counts_whatever_the_jobs_say(self, phase: str) -> None:
        """Finished stays finished, even if its Jobs are gone."""
        status = parse_status(phase, {"groups": [{"name": "g", "jobs": [{"name": "a"}]}]})
        assert (status.phase.value, status.phase.ended, status.final) == (phase, True, True)

    @pytest.mark.parametrize("spec", [{}, {"groups": None}, {"groups": [None, {"name": "g"}]}])
    def test_a_spec_that_cannot_be_read(self, spec: Any) -> None:
        """Is no reason to stumble."""
        assert parse_status("running", spec) == NEW


def test_only_the_end_of_an_invalid_workflow_is_not_final() -> None:
    """Nothing of it ever started, so an edit may begin it anew."""
    failed = Condition(type="Failed", status=True, reason="InvalidSpec")
    assert not Status(phase=Phase.FAILED, conditions=(failed,)).final
    assert Status(phase=Phase.FAILED, conditions=(Condition(type="Failed", status=True, reason="JobsFailed"),)).final
    assert not Status(phase=Phase.SUSPENDED).final
