"""Own writes over what the watch says, deleted Jobs, foreign names, and which workflow is asked for."""

from collections.abc import Iterator

import anyio
import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import Phase
from jobsmgr.cluster.cache import Cache
from jobsmgr.cluster.job_writer import record_gone
from jobsmgr.cluster.kinds import Stored
from jobsmgr.cluster.trim import WORKFLOW, WorkflowState
from jobsmgr.engine.port import Key, Request

KEY = Key("n", "w")


def a_workflow(version: int, uid: str = "uid-w", key: Key = KEY, finished: bool = False) -> Stored[WorkflowState]:
    metadata = {"namespace": key.namespace, "name": key.name, "uid": uid, "resourceVersion": str(version)}
    condition = {"type": "Finished", "status": str(finished)}
    return WORKFLOW.read({"metadata": metadata, "spec": {}, "status": {"conditions": [condition]}})


def a_job(version: int, name: str = "j", uid: str = "uid-j", owner: str = "uid-w", **state: object) -> Stored[JobState]:
    value = JobState(name=name, uid=uid, owner=owner, version=version, **state)  # type: ignore[arg-type]
    return Stored(place=("n", name), uid=uid, version=version, owner=owner, value=value)


def asked(cache: Cache) -> list[Key]:
    """The keys that are asked for, and then no more."""
    found: list[Key] = []

    async def take() -> None:
        with anyio.CancelScope() as scope:
            stream = cache.pending.stream()
            while True:
                with anyio.move_on_after(0):
                    found.append((await anext(stream)).key)
                    continue
                await stream.aclose()
                scope.cancel()
                return

    anyio.run(take)
    return found


@pytest.fixture
def cache() -> Iterator[Cache]:
    """One workflow, and somebody who takes requests."""
    made = Cache()
    made.workflows.put(a_workflow(10))
    with made.pending.taken():
        assert asked(made) == [KEY]
        yield made


def jobs(cache: Cache) -> dict[str, JobState]:
    observation = cache.observe(KEY)
    assert observation is not None
    return dict(observation.jobs)


def test_a_change_is_asked_for_once(cache: Cache) -> None:
    cache.workflows.put(a_workflow(11))
    cache.workflows.put(a_workflow(12))
    assert asked(cache) == [KEY]
    assert asked(cache) == []


def test_an_own_write_is_known_and_not_asked_for_even_when_the_watch_tells_of_it(cache: Cache) -> None:
    cache.workflows.written(a_workflow(11))
    cache.jobs.written(a_job(12))
    cache.workflows.put(a_workflow(11))
    cache.jobs.put(a_job(12))
    assert jobs(cache) == {"j": a_job(12).value}
    assert asked(cache) == []


def test_what_the_watch_tells_of_the_time_before_an_own_write_is_ignored(cache: Cache) -> None:
    cache.workflows.written(a_workflow(20, finished=True))
    cache.workflows.put(a_workflow(15))
    cache.jobs.written(a_job(20, result=Phase.SUCCEEDED))
    cache.jobs.put(a_job(15))
    stored = cache.workflows.get(KEY)
    assert stored is not None
    assert stored.value.finished
    held = cache.jobs.get(("n", "j"))
    assert held is not None
    assert held.value.result is Phase.SUCCEEDED


def settle(cache: Cache, *exist: Stored[JobState]) -> list[str]:
    """Read each Job that lists have left out, on a server that has these; the names that were read."""
    read: list[str] = []
    there = {one.place: one for one in exist}

    async def take() -> None:
        with anyio.move_on_after(0):
            while True:
                place = await cache.jobs.missing()
                read.append(place[1])
                known = cache.jobs.get(place)
                if place in there:
                    cache.jobs.found(there[place])
                elif known is not None:
                    cache.jobs.forget(place, known.uid)

    anyio.run(take)
    return read


def test_an_older_list_does_not_take_an_own_write_away(cache: Cache) -> None:
    cache.jobs.written(a_job(20))
    cache.jobs.replace("", [], 15)
    assert settle(cache) == [], "it is newer than the list: there is nothing to ask about"
    assert set(jobs(cache)) == {"j"}
    assert not jobs(cache)["j"].gone
    cache.jobs.replace("", [], 25)
    assert settle(cache) == ["j"]
    assert jobs(cache)["j"].gone


def test_counters_of_a_job_are_no_news(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    assert asked(cache) == [KEY]
    cache.jobs.put(a_job(12))
    assert asked(cache) == []
    cache.jobs.put(a_job(13, result=Phase.FAILED))
    assert asked(cache) == [KEY]


def test_a_deleted_job_stays_with_its_last_result(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.remove(a_job(12, result=Phase.SUCCEEDED))
    assert jobs(cache) == {"j": a_job(12, result=Phase.SUCCEEDED, gone=True).value}
    assert asked(cache) == [KEY]


def test_a_deleted_job_is_forgotten_when_its_workflow_has_finished(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.put(a_job(12, name="k", uid="uid-k"))
    cache.jobs.remove(a_job(13))
    cache.workflows.written(a_workflow(14, finished=True))
    assert set(jobs(cache)) == {"k"}


def test_jobs_deleted_after_the_end_leave_nothing(cache: Cache) -> None:
    cache.workflows.put(a_workflow(11, finished=True))
    cache.jobs.put(a_job(12))
    cache.jobs.remove(a_job(13))
    assert jobs(cache) == {}


def test_a_delete_missed_is_found_in_the_next_list(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.put(a_job(12, name="k", uid="uid-k"))
    asked(cache)
    cache.jobs.replace("", [a_job(12, name="k", uid="uid-k")], 20)
    assert not jobs(cache)["j"].gone
    assert asked(cache) == []
    assert settle(cache) == ["j"]
    assert {name: state.gone for name, state in jobs(cache).items()} == {"j": True, "k": False}
    assert asked(cache) == [KEY]


def test_a_job_that_a_list_leaves_out_may_be_there(cache: Cache) -> None:
    """One list proves nothing: it is read by itself, and what that says is news."""
    cache.jobs.put(a_job(11))
    asked(cache)
    cache.jobs.replace("", [], 20)
    assert settle(cache, a_job(15, result=Phase.SUCCEEDED)) == ["j"]
    assert jobs(cache) == {"j": a_job(15, result=Phase.SUCCEEDED).value}
    assert asked(cache) == [KEY]
    assert settle(cache) == []


def test_a_missing_job_of_a_workflow_that_has_finished_is_not_read(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.workflows.put(a_workflow(12, finished=True))
    cache.jobs.replace("", [], 20)
    assert settle(cache) == []
    assert jobs(cache) == {}


def test_a_missing_job_that_the_watch_tells_of_meanwhile_is_not_read(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.replace("", [], 20)
    cache.jobs.put(a_job(21))
    assert settle(cache) == []


def test_a_missing_workflow_stays_until_it_has_been_read(cache: Cache) -> None:
    cache.workflows.replace("", [], 20)
    assert cache.keys() == (KEY,)
    cache.workflows.forget(KEY, "uid-w")
    assert cache.keys() == ()
    assert asked(cache) == [KEY]


def test_a_list_that_is_older_than_what_the_watch_told_is_behind(cache: Cache) -> None:
    cache.jobs.put(a_job(50))
    assert cache.jobs.is_behind("", 49)
    assert cache.jobs.is_behind("n", 49)
    assert not cache.jobs.is_behind("other", 49)
    assert not cache.jobs.is_behind("", 50)


def test_a_list_in_which_an_object_is_older_is_of_another_history(cache: Cache) -> None:
    """After a restored backup whose versions have passed ours."""
    cache.jobs.put(a_job(50, result=Phase.SUCCEEDED))
    assert cache.jobs.has_gone_back([a_job(30)], 60)
    assert not cache.jobs.has_gone_back([a_job(50)], 60)
    assert not cache.jobs.has_gone_back([a_job(30, uid="another")], 60)
    assert not cache.jobs.has_gone_back([a_job(30)], 45), "ours is newer than the list: an own write"


def test_only_what_was_read_or_written_in_this_term_is_sure(cache: Cache) -> None:
    def confirmed() -> bool:
        observation = cache.observe(KEY)
        assert observation is not None
        return observation.confirmed

    assert not confirmed()  # no term has begun: it may be told late
    cache.workflows.begin_term(10)
    late, new = Key("n", "late"), Key("n", "new")
    cache.workflows.put(a_workflow(10, uid="late", key=late))
    cache.workflows.put(a_workflow(11, uid="new", key=new))
    observations = [cache.observe(late), cache.observe(new)]
    assert [one is not None and one.confirmed for one in observations] == [False, True]
    cache.workflows.begin_term()
    assert not confirmed()
    cache.workflows.put(a_workflow(11))
    assert not confirmed()
    cache.workflows.written(a_workflow(12))
    assert confirmed()
    cache.distrust()
    cache.workflows.replace("", [a_workflow(12)], 12)
    assert not confirmed()
    listed = Cache()
    listed.workflows.replace("", [a_workflow(10)], 10)
    observation = listed.observe(KEY)
    assert observation is not None
    assert not observation.confirmed


def test_a_job_that_was_never_seen_is_recorded_as_gone(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    record_gone(cache.jobs, "n", JobState(name="k", uid="uid-k", owner="uid-w"))
    record_gone(cache.jobs, "n", JobState(name="j", uid="former", owner="uid-w"))
    record_gone(cache.jobs, "n", JobState(name="x", uid="uid-x", owner="nobody"))
    assert {job.uid: job.gone for job in jobs(cache).values()} == {"uid-j": False, "uid-k": True, "former": True}


def test_a_list_of_one_namespace_says_nothing_of_others(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.replace("other", [], 20)
    assert settle(cache) == []
    assert not jobs(cache)["j"].gone


def test_a_job_of_ours_that_another_made_anew_is_gone_for_us(cache: Cache) -> None:
    cache.jobs.put(a_job(11, result=Phase.SUCCEEDED))
    cache.jobs.replace("", [a_job(15, uid="uid-2", owner="other")], 20)
    assert jobs(cache) == {"j": a_job(11, result=Phase.SUCCEEDED, gone=True).value}


def test_a_job_whose_owner_was_taken_off_is_gone_for_that_owner(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    asked(cache)
    cache.jobs.put(a_job(12, owner=""))
    assert jobs(cache) == {"j": a_job(11, gone=True).value}
    assert asked(cache) == [KEY]
    cache.jobs.put(a_job(13))
    assert not jobs(cache)["j"].gone


def test_our_own_delete_outlives_late_news_of_the_job(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.forget(("n", "j"), "uid-j")
    cache.jobs.put(a_job(12))
    assert jobs(cache)["j"].gone
    cache.jobs.remove(a_job(13))
    cache.jobs.put(a_job(14, uid="uid-2"))
    assert jobs(cache) == {"j": a_job(14, uid="uid-2").value}


def test_the_answer_to_an_own_write_may_come_after_the_news_of_the_deletion(cache: Cache) -> None:
    cache.jobs.remove(a_job(12))
    cache.jobs.written(a_job(11))
    cache.workflows.remove(a_workflow(14))
    cache.workflows.written(a_workflow(13))
    assert cache.jobs.get(("n", "j")) is None
    assert cache.observe(KEY) is None


def test_the_echo_of_an_own_write_may_come_before_its_answer(cache: Cache) -> None:
    with cache.jobs.own_write(("n", "j")):
        cache.jobs.put(a_job(11))
        cache.jobs.written(a_job(11))
    assert asked(cache) == []
    assert set(jobs(cache)) == {"j"}


@pytest.mark.parametrize("first", ["watch", "answer"])
def test_of_one_version_the_answer_to_an_own_write_is_kept(cache: Cache, first: str) -> None:
    """A watch that began under an older CRD leaves out the fields that were added since, a claim for example."""
    answer = a_workflow(11)
    with cache.workflows.own_write(KEY):
        if first == "watch":
            cache.workflows.put(a_workflow(11))
        cache.workflows.written(answer)
        if first == "answer":
            cache.workflows.put(a_workflow(11))
    assert cache.workflows.get(KEY) is answer
    assert asked(cache) == []


def test_what_happens_during_an_own_write_is_told_after_it(cache: Cache) -> None:
    with cache.jobs.own_write(("n", "j")):
        cache.jobs.put(a_job(11))
        cache.jobs.put(a_job(12, result=Phase.FAILED))
        cache.jobs.written(a_job(11))
        assert asked(cache) == []
    assert asked(cache) == [KEY]


def test_an_own_write_without_an_answer_is_told_if_the_watch_saw_it(cache: Cache) -> None:
    with cache.workflows.own_write(KEY):
        cache.workflows.put(a_workflow(11))
    assert asked(cache) == [KEY]


def test_a_whole_list_corrects_what_was_thought_deleted(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.forget(("n", "j"), "uid-j")
    cache.jobs.replace("", [a_job(11)], 12)
    assert not jobs(cache)["j"].gone


def test_a_late_delete_does_not_take_the_successor_away(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.jobs.written(a_job(15, uid="uid-2"))
    cache.jobs.remove(a_job(13))
    assert jobs(cache) == {"j": a_job(15, uid="uid-2").value}


def test_who_waits_for_a_name_is_asked_for_when_it_is_free(cache: Cache) -> None:
    cache.jobs.put(a_job(11, owner="other"))
    cache.jobs.wait_for(("n", "j"), KEY)
    assert asked(cache) == []
    cache.jobs.remove(a_job(12, owner="other"))
    assert asked(cache) == [KEY]
    assert jobs(cache) == {}


def test_a_deleted_workflow_is_asked_for_and_waits_for_nothing(cache: Cache) -> None:
    cache.jobs.put(a_job(11, owner="other"))
    cache.jobs.wait_for(("n", "j"), KEY)
    cache.workflows.remove(a_workflow(12))
    assert asked(cache) == [KEY]
    assert cache.observe(KEY) is None
    cache.jobs.remove(a_job(13, owner="other"))
    assert asked(cache) == []


def test_a_new_workflow_of_the_same_name_has_none_of_the_old_ones_jobs(cache: Cache) -> None:
    cache.jobs.put(a_job(11))
    cache.workflows.put(a_workflow(12, uid="uid-2"))
    assert jobs(cache) == {}
    cache.workflows.remove(a_workflow(11))
    assert cache.observe(KEY) is not None


def test_a_server_restored_from_a_backup_is_believed(cache: Cache) -> None:
    cache.jobs.put(a_job(50))
    cache.jobs.written(a_job(60, name="own", uid="uid-own"))
    assert cache.jobs.is_behind("", 40)
    cache.distrust()
    assert not cache.jobs.is_behind("", 40)
    assert cache.observe(KEY) is None, "nothing is decided before all is listed again"
    assert asked(cache) == [KEY]
    cache.workflows.replace("", [a_workflow(10)], 40)
    assert asked(cache) == [KEY]
    cache.jobs.replace("", [a_job(30)], 40)
    assert settle(cache) == []
    held = cache.jobs.get(("n", "j"))
    assert held is not None
    assert held.version == 30
    assert cache.jobs.get(("n", "own")) is None
    assert jobs(cache) == {"j": a_job(30).value}, "what came after the backup has never begun"
    observation = cache.observe(KEY)
    assert observation is not None
    assert observation.epoch == 1


def test_a_job_deleted_after_the_backup_is_not_gone_any_more(cache: Cache) -> None:
    cache.jobs.put(a_job(50))
    cache.jobs.remove(a_job(51))
    assert jobs(cache)["j"].gone
    cache.distrust()
    cache.workflows.replace("", [a_workflow(10)], 40)
    cache.jobs.written(a_job(30))
    assert jobs(cache) == {"j": a_job(30).value}


def test_a_result_that_the_watch_told_during_a_read_counts(cache: Cache) -> None:
    """It ended and was deleted between the list and the answer that it does not exist."""
    cache.jobs.put(a_job(11, result=Phase.SUCCEEDED))
    cache.jobs.remove(a_job(12, result=Phase.SUCCEEDED))
    record_gone(cache.jobs, "n", JobState(name="j", uid="uid-j", owner="uid-w"))
    assert [job.result for job in jobs(cache).values()] == [Phase.SUCCEEDED]


def test_jobs_known_before_their_workflow_are_its_jobs() -> None:
    cache = Cache()
    cache.jobs.put(a_job(5))
    cache.workflows.put(a_workflow(10))
    assert set(jobs(cache)) == {"j"}


def test_a_request_says_which_and_not_what_happened() -> None:
    assert Request(KEY, "one reason") == Request(KEY, "another")


# What a server may have done to Jobs of three names, as a history of versions: 1 creates or changes, 0 deletes.
HISTORIES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "end", "delete"])), max_size=25)


@given(HISTORIES, st.data())
def test_whatever_is_missed_or_repeated_a_list_makes_it_right(
    history: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Watch events may be lost and repeated, own answers come first; after the next list all is as on the server."""
    cache = Cache()
    cache.workflows.put(a_workflow(1))
    server: dict[str, Stored[JobState]] = {}
    births = 0
    for version, (name, what) in enumerate(history, start=2):
        before = server.get(name)
        if what == "delete" and before is None:
            continue
        if before is None:
            births += 1
        uid = before.uid if before is not None else f"uid-{births}"
        result = Phase.SUCCEEDED if what == "end" or (before is not None and before.value.result) else None
        after = a_job(version, name=name, uid=uid, result=result)
        route = data.draw(st.sampled_from(["watch", "own", "lost", "twice"]))
        if what == "delete":
            del server[name]
            if route == "own":
                cache.jobs.forget(after.place, uid)
            elif route != "lost":
                cache.jobs.remove(after)
                if route == "twice":
                    cache.jobs.remove(after)
            continue
        server[name] = after
        if route == "own":
            cache.jobs.written(after)
        elif route != "lost":
            cache.jobs.put(after)
            if route == "twice":
                cache.jobs.put(after)
        known = cache.jobs.get(after.place)
        if route != "lost":
            assert known == after
    cache.jobs.replace("", list(server.values()), len(history) + 2)
    settle(cache)
    live = {name: state for name, state in jobs(cache).items() if not state.gone}
    assert live == {name: item.value for name, item in server.items()}
    assert all(attrs.evolve(state, gone=True) == state for state in jobs(cache).values() if state.gone)


def test_two_who_write_to_one_name_at_once_do_not_disturb_each_other(cache: Cache) -> None:
    """Two workflows whose jobs join to the same name: each is told what its own answer does not say."""
    place = ("n", "j")
    with cache.jobs.own_write(place):
        with cache.jobs.own_write(place):
            cache.jobs.written(a_job(20))
            cache.jobs.put(a_job(20))
        assert asked(cache) == []
        cache.jobs.put(a_job(21, result=Phase.SUCCEEDED))
        assert asked(cache) == []
    assert asked(cache) == [KEY]


def test_a_replica_that_stands_by_for_long_remembers_no_workflows_that_are_gone() -> None:
    """Nobody takes requests there: what waits is what there is."""
    cache = Cache()
    for number in range(100):
        one = a_workflow(100 + number, uid=f"uid-{number}", key=Key("n", f"w{number}"))
        cache.workflows.put(one)
        cache.workflows.remove(one)
    assert asked(cache) == []
    cache.workflows.put(a_workflow(300, uid="uid-new", key=Key("n", "new")))
    assert asked(cache) == [Key("n", "new")]
