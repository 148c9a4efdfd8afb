"""Statuses to and from their stored form. Whatever is stored never stops the loop."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Condition, Counts, GroupStatus, JobStatus, Phase, Status
from jobsmgr.api.status import NEW
from jobsmgr.api.status_codec import encode_status, parse_status

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
    assert parse_status(json.loads(json.dumps(encode_status(status))), {}) == status


def test_what_is_empty_is_left_out() -> None:
    """A pending job costs its name and phase, no more."""
    status = Status(observed_generation=1, groups=(GroupStatus(name="g", jobs=(JobStatus(name="a"),)),))
    encoded = encode_status(status)
    assert encoded["groups"] == [{"name": "g", "phase": "pending", "jobs": [{"name": "a", "phase": "pending"}]}]
    assert "startTime" not in encoded
    assert encoded["progress"] == "0/0"


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
