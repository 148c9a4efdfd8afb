"""What a generation of a workflow means: problems, names, merged parameters, and how large it may become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobsmgr import JobKey, Params, Plan, PluginError, hookimpl
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, MAX_STATUS_BYTES, status_bytes
from jobsmgr.api.status_codec import StatusEncoder
from jobsmgr.core.plan import bare_plan, make_plan
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import HOOKS, World, group, job, key, manifest


def plan(raw: dict[str, Any]) -> Plan:
    return make_plan(raw, HOOKS)


def compact(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def env(size: int) -> dict[str, Any]:
    """Parameters of about so many bytes."""
    return {"env": [{"name": "A", "value": "x" * size}]}


def shown(made: Plan) -> dict[JobKey, Any]:
    """The jobs whose merged parameters a status shows, with these."""
    return {one: planned.compiled for one, planned in made.jobs.items() if planned.compiled}


class TestMeaning:
    """A valid workflow."""

    def test_each_job_has_a_name_and_its_parameters(self) -> None:
        """Merged from all levels, in both orders."""
        raw = manifest(
            group("g", job("a", params={"env": [{"name": "I", "value": "1"}]}), params={"labels": {"l": "2"}})
        )
        raw["spec"]["params"] = {"env": [{"name": "O", "value": "3"}]}
        made = plan(raw)
        ((of, one),) = made.jobs.items()
        assert (of, one.key, one.job_name()) == (key("g/a"), key("g/a"), "wf-g-a")
        assert [entry["name"] for entry in one.params.env] == ["O", "I"]
        assert one.compiled == {
            "env": [{"name": "I", "value": "1"}, {"name": "O", "value": "3"}],
            "labels": {"l": "2"},
        }

    def test_the_context_of_a_job(self) -> None:
        """What plugins are told: group, job, levels with paths, the innermost word on retries."""
        made = plan(manifest(group("g", "a", job("b", retries=0), retries=5), retries=7))
        context = made.context(key("g/b"))
        assert (context.key, context.name, context.retries) == (JobKey("g", "b"), "wf-g-b", 0)
        assert [layer.path for layer in context.layers] == ["spec", "spec.groups[0]", "spec.groups[0].jobs[1]"]
        assert made.context(key("g/a")).retries == 5

    def test_retries_are_one_if_no_level_says(self) -> None:
        """Not Kubernetes' six."""
        assert plan(manifest(group("g", "a"))).context(key("g/a")).retries == 1
        assert plan(manifest(group("g", "a"), retries=7)).context(key("g/a")).retries == 7


class TestProblems:
    """An invalid workflow has nothing to start."""

    def test_a_wrong_shape(self) -> None:
        """Its identity stays known."""
        made = plan(manifest(group("g", {"name": "a"})))
        assert [str(problem) for problem in made.problems] == ["spec.groups[0].jobs[0].image: required, but missing"]
        assert (made.workflow.name, made.workflow.uid, made.workflow.spec.groups) == ("wf", "uid-of-wf", ())

    def test_dependencies_and_plugins_are_told_together(self) -> None:
        """So that one edit can mend all of it."""
        wrong = job("a", dependencies=[{"name": "zzz"}], params={"labels": {"a b": "c"}})
        made = plan(manifest(group("g", wrong)))
        assert [problem.path for problem in made.problems] == [
            "spec.groups[0].jobs[0].dependencies[0]",
            "spec.groups[0].jobs[0].params.labels[a b]",
        ]
        assert [one.params for one in made.jobs.values()] == [Params()]

    def test_a_failing_plugin_is_no_fault_of_the_workflow(self) -> None:
        """It is raised, not told as a problem."""

        class Broken:
            @hookimpl
            def jobsmgr_merge_params(self, layers: Any) -> None:
                raise KeyError("x")

        hooks = load_hooks([("broken", Broken())], installed=False)
        with pytest.raises(PluginError, match='plugin "broken" in jobsmgr_merge_params: raised KeyError'):
            make_plan(manifest(group("g", "a")), hooks)

    @pytest.mark.parametrize("spec", [None, {}, [], "x", {"groups": None}, {"ttlSecondsAfterFinished": "5"}])
    def test_identity_without_a_readable_spec(self, spec: Any) -> None:
        """A finished workflow's spec is not read at all but for its time to live."""
        made = bare_plan({**manifest(), "spec": spec})
        assert (made.workflow.name, made.workflow.generation) == ("wf", 1)
        assert made.workflow.spec.ttl_seconds_after_finished is None
        assert bare_plan(manifest(ttlSecondsAfterFinished=5)).workflow.spec.ttl_seconds_after_finished == 5
        assert bare_plan(manifest(activeDeadlineSeconds=True)).workflow.spec.active_deadline_seconds is None


class TestSizes:
    """The API server stores objects of bounded size."""

    @pytest.mark.parametrize("jobs", [1, 100, 600])
    def test_the_estimate_of_a_status_holds(self, jobs: int) -> None:
        """At the end of a workflow the status is no larger than was reckoned, and not much smaller."""
        names = [f"job-number-{number}" for number in range(jobs)]
        raw = manifest(group("some-group", *(job(name, parallel=True) for name in names)), name="a-workflow")
        raw["metadata"]["uid"] = "0" * 36
        world = World(raw)
        world.settle()
        for one in list(world.jobs):
            world.change(one, uid="8a94fa45-1111-2222-3333-444455556666")
            world.end(one)
        size = compact(StatusEncoder().encode(world.settle().stored()))
        estimate = status_bytes(parse_workflow(raw))
        assert size <= estimate <= 2 * size + 4096

    def test_parameters_are_shown_while_they_fit(self) -> None:
        """A status stays within 256 KiB with them."""
        small = plan(manifest(*(group(f"g{n}", "a") for n in range(10)), params=env(24_000)))
        assert len(shown(small)) == 10
        world = World(manifest(*(group(f"g{n}", "a") for n in range(10)), params=env(24_000))).run()
        assert compact(world.raw["status"]) <= MAX_STATUS_BYTES

    def test_parameters_are_left_out_of_a_status_that_would_grow_too_large(self) -> None:
        """All of them: some would look as if the others had none."""
        assert shown(plan(manifest(*(group(f"g{n}", "a") for n in range(11)), params=env(24_000)))) == {}

    def test_many_jobs_leave_less_room_for_parameters(self) -> None:
        """What counts is the whole status, not the parameters alone."""
        names = [job(f"j{n}", parallel=True) for n in range(800)]
        assert shown(plan(manifest(group("g", *names), params=env(50)))) == {}
        assert len(shown(plan(manifest(group("g", *names[:400]), params=env(50))))) == 400

    def test_parameters_are_left_out_of_an_object_that_would_grow_too_large(self) -> None:
        """Beside a spec that fills it nearly there is no room for them."""
        filler = [job(f"j{n}", args=["y" * 60_000]) for n in range(14)]
        made = plan(manifest(group("g", *filler), params=env(15_000)))
        assert made.problems == ()
        assert shown(made) == {}

    def test_an_object_that_could_pass_a_mebibyte_is_refused_before_its_first_job(self) -> None:
        """The message says how large and what the limit is; nothing is created."""
        world = World(manifest(group("g", *(job(f"j{n}", args=["y" * 60_000]) for n in range(18))))).settle()
        failed = world.stored().condition("Failed")
        assert failed is not None
        assert failed.reason == "InvalidSpec"
        assert failed.message.startswith("spec: with its status it could reach 1,0")
        assert failed.message.endswith("bytes; the limit is 1,048,576: split the workflow")
        assert world.created == []

    def test_just_below_it_runs(self) -> None:
        """The limit is the object's, not a round number of jobs."""
        raw = manifest(group("g", *(job(f"j{n}", args=["y" * 60_000]) for n in range(17))))
        assert compact(raw) < MAX_OBJECT_BYTES
        assert World(raw).settle().running() == ["g-j0"]
