"""Each rule passes a faithful run and names the defect in a broken one."""

import copy
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.plane.audit import Request
from tests.plane.recording import Recording, Version
from tests.plane.rules import RULES, violations
from tests.plane.script import PREFIX

SPEC: dict[str, Any] = {
    "params": {"env": [{"name": "FOO", "value": "bar"}], "labels": {"team": "blue"}},
    "groups": [{"name": "g", "jobs": [{"name": "a", "image": "busybox"}, {"name": "b", "image": "busybox"}]}],
}
FINISHED = [{"type": kind, "status": "True"} for kind in ("Finished", "Complete")]


def workflow(revision: int, status: dict[str, Any], *, generation: int = 1, event: str = "MODIFIED") -> Version:
    metadata = {"name": "flow", "uid": "W", "resourceVersion": str(revision), "generation": generation}
    return Version(event, revision, {"metadata": metadata, "spec": copy.deepcopy(SPEC), "status": status})


def state(a: str, b: str, *, phase: str = "running", **more: Any) -> dict[str, Any]:
    jobs = [
        {"name": "a", "phase": a, "uid": "A", "startTime": "t1"},
        {"name": "b", "phase": b, "uid": "B"} if b != "pending" else {"name": "b", "phase": b},
    ]
    return {"observedGeneration": 1, "phase": phase, "groups": [{"name": "g", "phase": phase, "jobs": jobs}], **more}


def job_metadata(name: str) -> dict[str, Any]:
    labels = {"workflow-name": "flow", "group-name": "g", "job-name": f"flow-g-{name}", "job-id": name}
    return {
        "name": f"flow-g-{name}",
        "labels": {"team": "blue", **{PREFIX + key: value for key, value in labels.items()}},
        "ownerReferences": [{"kind": "ManagedJob", "uid": "W", "controller": True}],
    }


def job(revision: int, name: str, *conditions: str, uid: str = "") -> Version:
    metadata = {**job_metadata(name), "uid": uid or name.upper(), "resourceVersion": str(revision)}
    status = {"conditions": [{"type": kind, "status": "True"} for kind in conditions]}
    return Version("MODIFIED", revision, {"metadata": metadata, "spec": {}, "status": status})


def request(verb: str, resource: str, name: str, body: Any = None, **more: Any) -> Request:
    settings: dict[str, Any] = {"user": "operator", "agent": "jobsmgr/1 (x)", "uri": "", "code": 200, "denied": False}
    settings |= {"namespace": "n", "received": "1", "answered": "1", **more}
    return Request(verb=verb, resource=resource, name=name, body=body, **settings)


def create(revision: int, name: str, uid: str = "") -> Request:
    metadata = job_metadata(name)
    container = {"name": metadata["name"], "image": "busybox", "env": [{"name": "FOO", "value": "bar"}]}
    template = {"metadata": {"labels": metadata["labels"]}, "spec": {"containers": [container]}}
    body = {"metadata": metadata, "spec": {"template": template}}
    answer = {"metadata": {**metadata, "uid": uid or name.upper(), "resourceVersion": str(revision)}}
    return request("create", "jobs", "", body, code=201, answer=answer)


def patch(seen: int, *, received: str = "1", **body: Any) -> Request:
    content = {"metadata": {"resourceVersion": str(seen)}, "status": {}, **body}
    return request("patch", "managedjobs/status", "flow", content, received=received, answered=received)


def faithful() -> Recording:
    """Two jobs, one after the other, to a good end."""
    return Recording(
        workflow_versions=(
            workflow(10, {"observedGeneration": -1}, event="ADDED"),
            workflow(13, state("running", "pending")),
            workflow(18, state("succeeded", "running")),
            workflow(22, state("succeeded", "succeeded", phase="succeeded", conditions=FINISHED)),
        ),
        job_versions=(job(12, "a"), job(15, "a", "Complete"), job(16, "b"), job(20, "b", "Complete")),
        requests=(create(12, "a"), patch(10), create(16, "b"), patch(13), patch(18, received="5")),
    )


def with_requests(*more: Request) -> Recording:
    good = faithful()
    return attrs.evolve(good, requests=(*good.requests, *more))


def with_versions(*more: Version) -> Recording:
    good = faithful()
    return attrs.evolve(good, workflow_versions=(*good.workflow_versions, *more))


def early() -> Recording:
    good = faithful()
    return attrs.evolve(good, requests=(good.requests[0], create(14, "b"), *good.requests[3:]))


def wrong_env() -> Recording:
    bad = create(12, "a")
    bad.body["spec"]["template"]["spec"]["containers"][0]["env"] = []
    return attrs.evolve(faithful(), requests=(bad, *faithful().requests[1:]))


def foreign() -> Recording:
    stranger = job(5, "a", uid="X")
    stranger.content["metadata"]["ownerReferences"] = []
    delete = request("delete", "jobs", "flow-g-a", {"preconditions": {"uid": "X"}})
    good = with_requests(delete)
    return attrs.evolve(good, job_versions=(stranger, *good.job_versions))


def deposed() -> Recording:
    """Another replica is given the lease, and the first one writes on."""
    renewal = {"received": "0", "answered": "0"}
    leases = (
        request("update", "leases", "jobsmgr", **renewal),
        request("update", "leases", "jobsmgr", user="operator-2", **{**renewal, "answered": "6"}),
    )
    return with_requests(*leases, patch(18, received="7"))


AGAIN = {PREFIX + "attempt": "2"}
RETRY = {"token": "1", "time": "t", "accepted": True, "jobs": ["g/b"]}


def asked(version: Version, token: str = "1") -> Version:
    """The same with the annotation that asks for jobs to be run again."""
    version.content["metadata"]["annotations"] = {"jobsmanager.raczylo.com/retry": token}
    return version


def second(phase: str, *, of: str = "running", attempt: int = 2, **more: Any) -> dict[str, Any]:
    """A status in which g/b is run for the second time."""
    found = state("succeeded", phase, phase=of, retry=RETRY, **more)
    entry = {"name": "b", "phase": phase, "attempt": attempt} | ({"uid": "B2"} if phase != "pending" else {})
    found["groups"][0]["jobs"][1] = entry
    return found


def again(*, claimed: int = 31, created: int = 33, attempt: int = 2, token: str = "1") -> Recording:
    """The job g/b has failed, is asked for once more, and succeeds."""
    good = faithful()
    ended = [{"type": kind, "status": "True"} for kind in ("Finished", "Failed")]
    request_for_it = create(created, "b", uid="B2")
    shown, done = job(created, "b", uid="B2"), job(36, "b", "Complete", uid="B2")
    for labels in (
        request_for_it.body["metadata"]["labels"],
        request_for_it.answer["metadata"]["labels"],
        request_for_it.body["spec"]["template"]["metadata"]["labels"],
        shown.content["metadata"]["labels"],
        done.content["metadata"]["labels"],
    ):
        labels.update(AGAIN)
    failed = state("succeeded", "failed", phase="failed", conditions=ended)
    return attrs.evolve(
        good,
        workflow_versions=(
            *good.workflow_versions[:-1],
            workflow(22, failed),
            asked(workflow(30, failed), token),
            asked(workflow(claimed, second("pending", attempt=attempt)), token),
            asked(workflow(35, second("running", attempt=attempt)), token),
            asked(workflow(38, second("succeeded", of="succeeded", attempt=attempt, conditions=FINISHED)), token),
        ),
        job_versions=(*good.job_versions[:-1], job(20, "b", "Failed"), shown, done),
        requests=(*good.requests, patch(30), request_for_it, patch(claimed), patch(35)),
    )


def at_once(end: str = "failed") -> Recording:
    """The same, with the first end and the claim in one status."""
    good = again()
    running, _, _, *rest = good.workflow_versions[2:]
    for version in rest:
        version.status["groups"][0]["jobs"][1]["history"] = [{"attempt": 1, "phase": end, "uid": "B"}]
    return attrs.evolve(good, workflow_versions=(*good.workflow_versions[:2], running, *rest))


def create_again(revision: int) -> Request:
    """A further Job for the second time of g/b."""
    made = create(revision, "b", uid="B3")
    made.answer["metadata"]["labels"].update(AGAIN)
    return made


def with_further(*more: Request) -> Recording:
    good = again()
    return attrs.evolve(good, requests=(*good.requests, *more))


def hot(between: int) -> Recording:
    """The status of a workflow is refused again and again, after so many milliseconds each."""
    moments = (f"2026-05-04T12:00:{between * number / 1000:09.6f}Z" for number in range(6))
    return with_requests(*(attrs.evolve(patch(18), code=500, received=moment) for moment in moments))


BROKEN: list[tuple[str, Callable[[], Recording], str]] = [
    ("S1", early, "the Job flow-g-b was created before these were Complete: g/a"),
    ("S2", lambda: with_requests(create(17, "b", uid="B2")), "2 Jobs were created for g/b"),
    ("S2", lambda: again(claimed=34), "the Job flow-g-b was created before the status claimed its attempt"),
    ("S2", lambda: with_further(create_again(34)), "2 Jobs were created for g/b, attempt 2"),
    ("S3", lambda: with_further(create_again(40)), "created at 40, its job had ended at 38"),
    ("S4", lambda: again(attempt=3), "g/b went from attempt 1 to 3"),
    ("S4", lambda: at_once("running"), "g/b went from attempt 1 to 2"),
    ("S7", lambda: at_once("succeeded"), "g/b succeeded at 31 without a cause"),
    ("S4", lambda: again(token="2"), "jobs run again that nobody has asked for"),
    ("L5", lambda: with_further(patch(38)), "patch of its status, computed from 38"),
    ("S3", lambda: with_requests(create(30, "a", uid="A2")), "created at 30, its job had ended at 18"),
    ("S4", lambda: with_versions(workflow(30, state("succeeded", "running"))), "g/b went from succeeded to running"),
    ("S5", lambda: with_requests(request("patch", "managedjobs/status", "flow", {})), "without resourceVersion"),
    ("S5", lambda: with_requests(request("delete", "jobs", "flow-g-a", {})), "without the precondition ['uid']"),
    ("S6", foreign, "delete of the Job flow-g-a, which belongs to no workflow here"),
    ("S7", lambda: attrs.evolve(faithful(), job_versions=faithful().job_versions[:3]), "g/b succeeded at 22 without"),
    ("S8", deposed, "patch of managedjobs/status flow by operator; operator-2 leads since 6"),
    ("S9", lambda: with_requests(patch(18, spec={})), "with a spec"),
    ("L5", lambda: with_requests(patch(22)), "patch of its status, computed from 22"),
    ("L6", lambda: hot(190), "patch of managedjobs/status flow was refused more than 5 times within a second"),
    ("params", wrong_env, "env is [], the levels merge to"),
    ("rights", lambda: with_requests(request("list", "pods", "", denied=True)), "operator may not list pods"),
]


def test_a_faithful_run_breaks_no_rule() -> None:
    """The rules are quiet about what is allowed."""
    assert violations(faithful()) == []


def test_jobs_run_again_on_request_break_no_rule() -> None:
    """What has ended is pending again, once, by a claim that comes before the Job."""
    assert violations(again()) == []
    assert violations(at_once()) == []


@pytest.mark.parametrize(("rule", "recording", "words"), BROKEN)
def test_a_defect_is_named(rule: str, recording: Callable[[], Recording], words: str) -> None:
    """The rule that is broken says what broke it."""
    found = [one for one in violations(recording()) if one.rule == rule]
    assert any(words in one.message for one in found), violations(recording())


def test_every_rule_has_a_defect_here() -> None:
    """No rule is only ever quiet."""
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_a_rule_can_be_left_out() -> None:
    """By name, for a test that breaks it on purpose."""
    assert violations(with_requests(patch(22)), without=frozenset({"L5"})) == []


def test_a_late_write_that_is_refused_has_changed_nothing() -> None:
    """A replica that was frozen with a request on its way: the name is taken by then."""
    found = deposed()
    late = attrs.evolve(found.requests[-1], code=409)
    assert violations(attrs.evolve(found, requests=(*found.requests[:-1], late))) == []


def test_refused_requests_with_a_pause_between_them_break_no_rule() -> None:
    """Back-off is long enough."""
    assert violations(hot(210)) == []


def test_an_edit_after_the_end_allows_the_write_that_follows_it() -> None:
    """observedGeneration follows the edit of a finished workflow."""
    status = state("succeeded", "succeeded", phase="succeeded", conditions=FINISHED)
    edited = with_versions(workflow(30, status, generation=2), workflow(31, {**status, "observedGeneration": 2}))
    assert violations(attrs.evolve(edited, requests=(*edited.requests, patch(30)))) == []


def test_a_mended_workflow_may_start_anew() -> None:
    """Invalid is the one end that is not final."""
    stalled = [{"type": kind, "status": "True", "reason": "InvalidSpec"} for kind in ("Failed", "Finished")]
    good = faithful()
    status = {"observedGeneration": 0, "phase": "failed", "conditions": stalled}
    start = (workflow(9, status, generation=0), workflow(10, status))
    assert violations(attrs.evolve(good, workflow_versions=(*start, *good.workflow_versions[1:]))) == []
