"""Larger graphs through random faults and edits: at the end they are as an oracle says, which knows nothing of jobsmgr.

`JOBSMGR_EXAMPLES=2000` looks at more of them.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from jobsmgr.plugins.status.job_phases import JobPhases
from tests.core.world import START, group, job
from tests.model import others, replica, server
from tests.model.checks import Violation, check_request, check_rest
from tests.model.defects import forgotten
from tests.model.identity import waits
from tests.model.remembered import remembered
from tests.model.replica import Progress, Runner, Step
from tests.model.server import Facts, Versions

MOST_JOBS = 30
FEW = 25
"""Courses of the default run."""
EXAMPLES = int(os.environ.get("JOBSMGR_EXAMPLES", FEW))
NUMBERS = st.integers(0, 1000)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Up to thirty jobs, each waiting for some of those before it in an order that is not that of the spec."""
    size = draw(st.integers(1, MOST_JOBS))
    order = draw(st.permutations(range(size)))
    jobs = []
    for place, number in enumerate(order):
        earlier = order[max(0, place - 6) : place]
        waits_for = draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
        dependencies = [{"name": f"j{one}"} for one in sorted(waits_for)]
        jobs.append(job(f"j{number}", parallel=True, dependencies=dependencies))
    return {"groups": [group("g", *sorted(jobs, key=lambda one: str(one["name"])))]}


class Course(RuleBasedStateMachine):
    """One workflow, one replica after another, and whatever happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.remembered = remembered()
        self.remembered.__enter__()
        self.versions = Versions()
        self.runner = Runner(self.versions)
        self.age = 0
        self.retries = 0

    @initialize(spec=specs())
    def create(self, spec: dict[str, Any]) -> None:
        self.server = server.new_server(spec, self.versions)
        self.start()

    def start(self) -> None:
        self.age += 1
        clock = START + timedelta(hours=self.age)
        self.progress = Progress(replica.started(self.server, (self.server, self.server), clock))
        self.steps: tuple[Step, ...] = ()

    # The replica

    @rule(later=st.booleans(), answers=st.lists(st.tuples(st.sampled_from("aaaaaaaalru"), NUMBERS), max_size=12))
    def look(self, later: bool, answers: list[tuple[str, int]]) -> None:
        """Look, as far as these answers go: in order, lost, after the news of it, or never sent; then all others."""
        self._begin(later=later)
        for how, number in answers:
            if self.progress.requests:
                self._answer(how, number)
        self._go_on()

    @rule(answers=st.lists(st.tuples(st.sampled_from("aalu"), NUMBERS), max_size=4))
    def crash(self, answers: list[tuple[str, int]]) -> None:
        """A look that gets no further than this; another process starts."""
        self._begin(later=True)
        for how, number in answers:
            if self.progress.requests:
                self._answer(how, number)
        self.start()

    @rule(number=NUMBERS, times=st.integers(1, 2))
    def news(self, number: int, times: int) -> None:
        """The watch tells of one object."""
        if found := replica.news_for(self.progress.kept, self.server):
            replica.deliver(self.progress.kept, found[number % len(found)], times)

    def _begin(self, *, later: bool) -> None:
        self.steps, self.base, self.later = (), self.progress.kept, later
        self.progress = self.runner.look(self.base, (), later=later)

    def _answer(self, how: str, number: int) -> None:
        count, request = self.progress.requests[number % len(self.progress.requests)]
        reply, before = None, self.server
        if how != "u":
            self.server, reply = server.answer(before, request, self.versions)
            check_request(before, request, self.server, reply)
        if how == "r":
            for news in replica.news_for(self.progress.kept, self.server):
                if news.stored.name == request.name:
                    self.steps += (replica.delivery(news),)
        self.steps += (replica.answer(count, None if how in "lu" else reply),)
        self.progress = self.runner.look(self.base, self.steps, later=self.later)

    def _go_on(self) -> None:
        while self.progress.requests:
            self._answer("a", 0)

    # Everybody else

    @rule(number=NUMBERS, result=st.sampled_from(["Complete", "Complete", "Complete", "Failed"]))
    def end(self, number: int, result: str) -> None:
        if running := [name for name, one in self.server.jobs.items() if not one.result]:
            self.server = others.ended(self.server, running[number % len(running)], result, self.versions)

    @rule(number=NUMBERS)
    def take(self, number: int) -> None:
        """Somebody deletes a Job that the status shows already."""
        shown = [name for name, one in self.server.jobs.items() if one.attempt in self.server.facts.begun]
        if shown:
            self.server = others.taken_away(self.server, shown[number % len(shown)])

    @precondition(lambda self: not self.retries)
    @rule(spec=specs())
    def edit(self, spec: dict[str, Any]) -> None:
        """Jobs come, go, and wait for others than before."""
        self.server = others.edited(self.server, self.versions, **spec)

    @rule(value=st.booleans())
    def suspend(self, value: bool) -> None:
        self.server = others.edited(self.server, self.versions, suspend=value)

    @rule()
    def abort(self) -> None:
        self.server = others.edited(self.server, self.versions, abort=True)

    @rule(number=NUMBERS)
    def retry(self, number: int) -> None:
        """Run again what failed, and one job more."""
        self.retries += 1
        jobs = [f"g/{one['name']}" for one in self.server.workflow.raw["spec"]["groups"][0]["jobs"]]  # type: ignore[union-attr]
        asked = {"retry": str(self.retries), "retry_jobs": jobs[number % len(jobs)]}
        self.server = others.annotated(self.server, self.versions, **asked)

    def teardown(self) -> None:
        """Faults over: all comes to rest, and is as it has to be; then nothing is written any more."""
        try:
            if hasattr(self, "server"):
                self._rest()
        finally:
            self.stop()

    def stop(self) -> None:
        """Let go of what it holds."""
        self.runner.close()
        self.remembered.__exit__(None, None, None)

    def _rest(self) -> None:
        for _ in range(1000):
            if not self._calm():
                check_rest(self.server, alone=True)
                return
        raise AssertionError("it never comes to rest")

    def _calm(self) -> bool:
        """One thing that happens by itself; whether there was one."""
        kept = self.progress.kept
        if found := replica.news_for(kept, self.server):
            replica.deliver(kept, found[0])
        elif kept.cache.pending._reasons or waits(kept):
            self._begin(later=not kept.cache.pending._reasons)
            self._go_on()
        elif running := [name for name, one in self.server.jobs.items() if not one.result]:
            self.server = others.ended(self.server, running[0], "Complete", self.versions)
        else:
            return False
        return True


def test_any_course_ends_as_the_oracle_says() -> None:
    """Whatever happens in whatever order; the default run takes the same courses each time."""
    some = settings(
        max_examples=EXAMPLES,
        stateful_step_count=25,
        suppress_health_check=[*HealthCheck],
        derandomize=EXAMPLES == FEW,
        database=None,
    )
    run_state_machine_as_test(Course, settings=some)


def test_a_job_put_before_one_whose_start_is_not_stored_yet_runs() -> None:
    """The only Job was made before the edit, so it says nothing of what the edit has put before it."""
    course = Course()
    course.create({"groups": [group("g", job("j0", parallel=True))]})
    course.look(later=True, answers=[])  # the workflow is read
    course.crash([("a", 0)])
    after = job("j0", parallel=True, dependencies=[{"name": "j1"}])
    course.edit({"groups": [group("g", after, job("j1", parallel=True))]})
    course.teardown()
    shown = {path[1]: one["phase"] for (path, _), one in course.server.workflow.shown_jobs}  # type: ignore[union-attr]
    assert shown == {"j0": "succeeded", "j1": "succeeded"}


def test_what_has_ended_is_created_again_only_where_nobody_could_know() -> None:
    """Its Job was deleted before any status showed it, and its sender has not seen the one that says so."""
    course = Course()
    course.create({"groups": [group("g", job("j0", parallel=True))]})
    course.look(later=True, answers=[])  # the workflow is read
    course._begin(later=True)
    ((_, request),) = course.progress.requests
    one = frozenset({(("g", "j0"), 1)})

    def check(*, unrecorded: bool, behind: bool) -> None:
        gone = Facts(created=one, taken=one, ended=one, unrecorded=one if unrecorded else frozenset())
        before = attrs.evolve(course.server, facts=gone)
        check_request(before, request, *server.answer(before, request, course.versions), behind=behind)

    check(unrecorded=True, behind=True)
    for unrecorded, behind in ((False, True), (True, False), (False, False)):
        with pytest.raises(Violation, match="S3: wf-g-j0 is created"):
            check(unrecorded=unrecorded, behind=behind)
    course.stop()


def test_a_defect_is_found() -> None:
    """A course that shows it, step by step: a Job is deleted after its success, and another process starts."""
    course = Course()
    chain = [job("j0", parallel=True), job("j1", parallel=True, dependencies=[{"name": "j0"}])]
    course.create({"groups": [group("g", *chain)]})
    course.look(later=True, answers=[])
    course.look(later=True, answers=[])
    course.end(0, "Complete")
    course.news(0, 1)
    course.look(later=True, answers=[])
    course.take(0)
    course.crash([])
    with patch.object(JobPhases, "_own", forgotten):
        course.look(later=True, answers=[])  # the workflow is read
        with pytest.raises(Violation, match="S3: wf-g-j0 is created"):
            course.look(later=True, answers=[])
    course.stop()


def test_a_course_is_held_against_the_oracle() -> None:
    """At its end, by what became of the Jobs."""
    course = Course()
    course.create({"groups": [group("g", job("j0", parallel=True))]})
    course.look(later=True, answers=[])
    course.look(later=True, answers=[])
    course.end(0, "Complete")
    complete = course.server.facts.complete
    facts = attrs.evolve(course.server.facts, failed=complete, complete=frozenset())
    course.server = attrs.evolve(course.server, facts=facts)
    with pytest.raises(Violation, match="S7"):
        course.teardown()
