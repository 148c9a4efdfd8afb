"""A status that a newer version has written, in the hands of this one: nothing is lost, nothing runs twice."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from jobsmgr import Condition, Phase, Snapshot, Status, hookimpl
from jobsmgr.core.carrying import MOST_CONDITIONS
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import World, group, job, manifest
from tests.newer_version import PAUSED, decorated, kept

CHAIN = manifest(group("g", "a", "b", "c"), group("h", "d", parallel=True))


def raw_job(world: World, path: str) -> dict[str, Any]:
    """A job as it is stored."""
    group_name, _, name = path.partition("/")
    groups = {one["name"]: one for one in world.raw["status"]["groups"]}
    return next(one for one in groups[group_name]["jobs"] if one["name"] == name)


def decorate(world: World) -> dict[str, Any]:
    """Have a newer version write fields of its own into the stored status at each level; what it has written."""
    world.raw["status"] = decorated(world.raw["status"], 0, lambda name: [name, None])
    return copy.deepcopy(world.raw["status"])


class TestFields:
    """Unknown fields and foreign conditions."""

    def test_they_are_kept_from_write_to_write_until_the_end_and_after_it(self) -> None:
        """Whatever happens to the jobs meanwhile."""
        world = World(CHAIN).settle()
        newer = kept(decorate(world))
        changes: tuple[Callable[[], World], ...] = (
            lambda: world.succeed("g-a"),
            lambda: world.refuse("g/c", "AdmissionDenied").succeed("g-b"),
            lambda: world.fail("h-d"),
            lambda: world.edit(retries=3).settle(),
        )
        for change in changes:
            change()
            assert kept(world.raw["status"]) == newer
        world.refusals.clear()
        world.run()
        assert world.stored().final
        assert kept(world.raw["status"]) == newer
        world.edit(retries=4).settle()
        assert kept(world.raw["status"]) == newer
        assert world.raw["status"]["observedGeneration"] == 3

    def test_they_cause_no_write(self) -> None:
        """Nor does the order in which conditions are stored."""
        world = World(CHAIN).settle()
        newer = decorate(world)
        writes = world.writes
        world.settle()
        assert (world.writes, world.raw["status"]) == (writes, newer)

    def test_those_of_a_job_go_with_the_job(self) -> None:
        """One that an edit takes out before it started is no longer shown."""
        world = World(CHAIN).settle()
        decorate(world)
        world.edit(groups=[group("g", "a", "b"), group("h", "d", parallel=True)]).settle()
        assert set(kept(world.raw["status"])["jobs"]) == {("g", "a"), ("g", "b"), ("h", "d")}
        assert raw_job(world, "g/b")["cost"] == ["b", None]

    @pytest.mark.parametrize("always", [True, False])
    def test_they_are_kept_while_a_plugin_fails(self, always: bool) -> None:
        """Whether the status can be worked out without it or not."""

        class Broken:
            @hookimpl
            def jobsmgr_select_jobs(self, snapshot: Snapshot) -> None:
                raise KeyError("x")

            @hookimpl(wrapper=True)
            def jobsmgr_status(self, snapshot: Snapshot) -> Any:
                answer = yield
                if always:
                    raise KeyError("y")
                return answer

        world = World(CHAIN).settle()
        newer = kept(decorate(world))
        world.hooks = load_hooks([("broken", Broken())], installed=False)
        world.end("wf-g-a")
        world.settle()
        stalled = world.stored().condition("Stalled")
        assert stalled is not None
        assert stalled.reason == "PluginError"
        assert kept(world.raw["status"]) == newer

    def test_those_of_an_invalid_workflow_are_kept_when_it_is_fixed(self) -> None:
        """It begins anew; conditions of others stay, and the fields of the whole."""
        world = World(manifest(group("g", job("a", dependencies=[{"name": "zzz"}])))).settle()
        newer = kept(decorate(world))
        world.edit(groups=[group("g", "a")]).settle()
        assert world.created == ["wf-g-a"]
        found = kept(world.raw["status"])
        assert {key: found[key] for key in ("shard", "skipped", "conditions", "paused")} == {
            key: newer[key] for key in ("shard", "skipped", "conditions", "paused")
        }

    def test_there_are_never_more_conditions_than_can_be_stored(self) -> None:
        """Ours come first: a status that is refused would help nobody."""

        class Many:
            @hookimpl
            def jobsmgr_conditions(self) -> list[Condition]:
                return [Condition(type=f"Own{number}", status=True, reason="R") for number in range(20)]

        world = World(CHAIN).settle()
        foreign = [{**PAUSED, "type": f"Foreign{number}"} for number in range(20)]
        world.raw["status"]["conditions"] += foreign
        world.hooks = load_hooks([("many", Many())], installed=False)
        world.settle()
        kinds = [one["type"] for one in world.raw["status"]["conditions"]]
        assert len(kinds) == MOST_CONDITIONS == len(set(kinds))
        assert {f"Own{number}" for number in range(20)} <= set(kinds)


class TestPhases:
    """A phase that this version does not know."""

    def skip(self, path: str, **more: Any) -> World:
        """The newer version has put this job of the chain, which has not started, into the phase `skipped`."""
        world = World(CHAIN).settle()
        raw_job(world, path).update({"phase": "skipped", **more})
        return world

    @pytest.mark.parametrize("more", [{"completionTime": "2026-05-04T12:00:01Z"}, {}])
    def test_a_job_is_kept_as_it_is_and_not_started(self, more: dict[str, Any]) -> None:
        """What waits for it waits on, neither started nor given up; all else goes on."""
        world = self.skip("g/b", **more)
        before = copy.deepcopy(raw_job(world, "g/b"))
        world.succeed("g-a").succeed("h-d")
        assert world.created == ["wf-g-a", "wf-h-d"]
        assert raw_job(world, "g/b") == before
        assert (raw_job(world, "g/c")["phase"], world.raw["status"]["phase"]) == ("pending", "running")

    def test_a_condition_says_what_to_do(self) -> None:
        """The workflow stands still for a reason that nobody would guess."""
        stalled = self.skip("g/b").settle().stored().condition("Stalled")
        assert stalled is not None
        assert (stalled.status, stalled.reason) == (True, "UnknownPhase")
        assert stalled.message == (
            'job "g/b" has a phase ("skipped") that only a newer version of jobsmgr knows; update jobsmgr to continue'
        )

    def test_a_job_that_had_started_is_not_lost_nor_run_again(self) -> None:
        """Though its Job is gone."""
        world = World(CHAIN).settle()
        raw_job(world, "g/a")["phase"] = "archived"
        raw_job(world, "g/a")["reason"] = "DeadlineExceeded"
        world.settle()
        assert not world.jobs["wf-g-a"].deleting, "nothing is done to its Job either"
        world.change("wf-g-a", gone=True).settle()
        assert raw_job(world, "g/a")["phase"] == "archived"
        assert world.created == ["wf-g-a", "wf-h-d"]

    def test_an_edit_that_takes_the_job_out_leaves_it_as_it_is(self) -> None:
        """As it does with every job that has started."""
        world = self.skip("g/b")
        world.edit(groups=[group("g", "a", "c"), group("h", "d", parallel=True)]).succeed("g-a")
        assert raw_job(world, "g/b")["phase"] == "skipped"
        assert world.created[-1] == "wf-g-c"

    def test_a_plugin_that_answers_the_status_cannot_change_it(self) -> None:
        """It would be the end of the job, or its second start."""

        class Restarts:
            @hookimpl(wrapper=True)
            def jobsmgr_status(self, snapshot: Snapshot) -> Any:
                status: Status = yield
                jobs = tuple(
                    type(one)(name=one.name) if one.phase is not Phase.SUCCEEDED else one
                    for one in status.groups[0].jobs
                )
                groups = (type(status.groups[0])(name="g", jobs=jobs), *status.groups[1:])
                return type(status)(observed_generation=1, counts=status.counts, groups=groups)

        world = self.skip("g/a", uid="u", jobName="wf-g-a")
        before = copy.deepcopy(raw_job(world, "g/a"))
        world.hooks = load_hooks([("restarts", Restarts())], installed=False)
        world.step().step()
        assert raw_job(world, "g/a") == before
        assert world.created == ["wf-g-a", "wf-h-d"]

    def test_a_workflow_that_ended_in_one_stays_as_it_is(self) -> None:
        """Nothing starts, whatever is edited; only the generation follows."""
        world = World(CHAIN).settle().run()
        world.raw["status"]["phase"] = "superseded"
        decorate(world)
        raw_job(world, "g/b")["phase"] = "skipped"
        before, created = copy.deepcopy(world.raw["status"]), list(world.created)
        world.jobs.clear()
        world.edit(retries=5).settle()
        assert world.created == created
        assert world.raw["status"] == {**before, "observedGeneration": 2}
