"""What each refusal of the API server means. The bodies are those of a real one."""

from typing import Any

import pytest

from jobsmgr.api.sizes import MAX_MESSAGE
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status import Reason
from jobsmgr.cluster.errors import is_gone, refusal, unsent
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.resources import JOBS
from jobsmgr.engine.port import Refused


def status(code: int, reason: str = "", message: str = "no", **details: Any) -> Answer:
    body: dict[str, Any] = {"kind": "Status", "status": "Failure", "message": message, "code": code}
    if reason:
        body["reason"] = reason
    if details:
        body["details"] = details
    return Answer(status=code, body=body)


FIELD = {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.template.spec.containers[0].image"}
POLICY = {"message": "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"}
TERMINATING = {
    "reason": "NamespaceTerminating",
    "message": "namespace n is being terminated",
    "field": "metadata.namespace",
}
QUOTA = 'jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 0, limited: 0'
RIGHT = 'jobs.batch is forbidden: User "u" cannot create resource "jobs" in API group "batch" in the namespace "n"'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(422, "Invalid", name="x", causes=[FIELD]), Refused(reason=Reason.INVALID, message="no", final=True)),
        (status(422, "Invalid", name="x", causes=[POLICY]), Refused(reason=Reason.ADMISSION_DENIED, message="no")),
        (status(422, "Invalid"), Refused(reason=Reason.ADMISSION_DENIED, message="no")),
        (status(400, "BadRequest"), Refused(reason=Reason.INVALID, message="no", final=True)),
        (status(400), Refused(reason=Reason.ADMISSION_DENIED, message="no")),
        (
            status(403, "Forbidden", QUOTA, name="x", group="batch", kind="jobs"),
            Refused(reason=Reason.QUOTA_EXCEEDED, message=QUOTA, scope=Scope.WORKFLOW),
        ),
        (
            status(403, "Forbidden", name="x", causes=[TERMINATING]),
            Refused(reason=Reason.NAMESPACE_TERMINATING, message="no", scope=Scope.WORKFLOW),
        ),
        (status(403, "Forbidden", name="x"), Refused(reason=Reason.ADMISSION_DENIED, message="no")),
        (
            status(403, "Forbidden", RIGHT, kind="jobs"),
            Refused(reason=Reason.FORBIDDEN, message=RIGHT, scope=Scope.WORKFLOW),
        ),
        (
            status(404, "NotFound", name="n", kind="namespaces"),
            Refused(reason=Reason.NAMESPACE_TERMINATING, message="no", scope=Scope.WORKFLOW),
        ),
        (status(409, "Conflict"), Refused(reason=Reason.CLUSTER_ERROR, message="no", scope=Scope.WORKFLOW)),
        (status(413, "RequestEntityTooLarge"), Refused(reason=Reason.INVALID, message="no", final=True)),
        (
            status(500, message="etcdserver: request is too large"),
            Refused(reason=Reason.INVALID, message="etcdserver: request is too large", final=True),
        ),
        (status(500, "InternalError"), Refused(reason=Reason.CLUSTER_ERROR, message="no", scope=Scope.WORKFLOW)),
        (status(503), Refused(reason=Reason.CLUSTER_ERROR, message="no", scope=Scope.WORKFLOW)),
        (status(401, "Unauthorized"), Refused(reason=Reason.CLUSTER_ERROR, message="no", scope=Scope.WORKFLOW)),
        (
            Answer(status=429, body={"message": "slow"}, retry_after=7.0),
            Refused(reason=Reason.RATE_LIMITED, message="slow", scope=Scope.WORKFLOW, retry_after=7.0),
        ),
        (
            Answer(status=502, body={}),
            Refused(reason=Reason.CLUSTER_ERROR, message="the API server answered 502", scope=Scope.WORKFLOW),
        ),
    ],
)
def test_an_answer_has_one_meaning(answer: Answer, expected: Refused) -> None:
    assert refusal(answer) == expected


@pytest.mark.parametrize("details", ["x", [], {"causes": "x"}, {"causes": ["x"]}, {"causes": None}])
def test_details_of_any_shape_are_borne(details: Any) -> None:
    answer = Answer(status=422, body={"message": "no", "details": details})
    assert refusal(answer) == Refused(reason=Reason.ADMISSION_DENIED, message="no")


def test_a_long_message_is_cut() -> None:
    message = refusal(status(500, message="x" * 5000)).message
    assert len(message) == MAX_MESSAGE
    assert message.endswith("...")


def test_what_was_not_answered_or_not_sent_concerns_all_writes() -> None:
    lost = unsent(Unreachable("the API server did not answer: reset"))
    assert lost == Refused(
        reason=Reason.CLUSTER_ERROR, message="the API server did not answer: reset", scope=Scope.WORKFLOW
    )
    assert unsent(NotLeading("not the leader")) == Refused(
        reason=Reason.NOT_LEADER, message="not the leader", scope=Scope.WORKFLOW
    )


NAMED = {"name": "x", "group": "batch", "kind": "jobs"}


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (status(404, "NotFound", **NAMED), True),
        (status(404, "NotFound", **{**NAMED, "name": "y"}), False),
        (status(404, "NotFound", **{**NAMED, "group": "", "kind": "namespaces"}), False),
        (status(404, "NotFound"), False),
        (status(404, **NAMED), False),
        (status(410, "NotFound", **NAMED), False),
        (Answer(status=404, body={"reason": "NotFound", "details": NAMED}), False),
        (Answer(status=404, body={}), False),
    ],
)
def test_only_a_status_that_names_an_object_says_that_it_is_gone(answer: Answer, gone: bool) -> None:
    """The page of a load balancer, a path that is not served and an object beside it are answered with 404 too."""
    assert is_gone(answer, JOBS, "x") is gone
