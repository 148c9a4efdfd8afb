"""What the API server's refusals mean: status codes and `metav1.Status` as values of the port. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobsmgr.api.codec import objects
from jobsmgr.api.cutting import cut
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.sizes import MAX_MESSAGE
from jobsmgr.api.snapshot import Scope
from jobsmgr.api.status import Reason
from jobsmgr.connection.answers import Answer, NotLeading, Unreachable
from jobsmgr.connection.resources import Resource
from jobsmgr.engine.port import Refused


def refusal(answer: Answer) -> Refused:
    """Why a write was refused; see "A Job create that the cluster refuses" of the API.

    For answers that are no success and no matter of identity: 404 and 409 of an existing object are the caller's.
    """
    message = _message(answer)
    if answer.status == 429:
        return Refused(
            reason=Reason.RATE_LIMITED, message=message, scope=Scope.WORKFLOW, retry_after=answer.retry_after
        )
    if is_too_large(answer):
        return Refused(reason=Reason.INVALID, message=message, final=True)
    if answer.status == 413:
        return Refused(reason=Reason.ADMISSION_DENIED, message=message)
    if answer.status == 422:
        return _unprocessable(answer, message)
    if answer.status == 400:
        return _bad_request(answer, message)
    if answer.status == 403:
        return _forbidden(answer, message)
    if answer.status == 404 and _details(answer).get("kind") == "namespaces":
        return Refused(reason=Reason.NAMESPACE_TERMINATING, message=message, scope=Scope.WORKFLOW)
    return Refused(reason=Reason.CLUSTER_ERROR, message=message, scope=Scope.WORKFLOW, retry_after=answer.retry_after)


def unsent(error: Unreachable | NotLeading) -> Refused:
    """A write of which nobody knows whether it took effect, or which was not sent."""
    if isinstance(error, NotLeading):
        return Refused(reason=Reason.NOT_LEADER, message=str(error), scope=Scope.WORKFLOW)
    return Refused(reason=Reason.CLUSTER_ERROR, message=cut(str(error), MAX_MESSAGE), scope=Scope.WORKFLOW)


def not_served(answer: Answer, resource: Resource, name: str) -> Refused:
    """A write of an object that was answered as if it did not exist, although a read has just shown that it does."""
    message = (
        f"the API server answered {answer.status} to a write of {resource}/{name}, although the object exists; "
        "if this continues, check that the installed CRD has the status subresource"
    )
    return Refused(reason=Reason.CLUSTER_ERROR, message=message, scope=Scope.WORKFLOW)


def lacks_fields(answer: Answer) -> bool:
    """Whether a merge patch with strict field validation has a field that the server does not know.

    The message contains the whole object, and no cause names the field.
    """
    return answer.status == 422 and any(cause.get("field") == "patch" for cause in causes(answer.body))


def is_missing_right(answer: Answer) -> bool:
    """Whether a 403 to a create came from authorization, not from admission.

    The authorizer does not know the name of an object to be created; admission does and puts it into `details.name`.
    """
    return answer.status == 403 and not _details(answer).get("name") and not causes(answer.body)


def is_gone(answer: Answer, resource: Resource, name: str) -> bool:
    """Whether an answer proves that an object does not exist: a Status that names it.

    A 404 alone proves nothing. A load balancer without servers, a path that is not served (the CRD is not installed)
    and a missing subresource answer so too, in plain text or with empty details.
    """
    details = _details(answer)
    named = (details.get("name"), details.get("group") or "", details.get("kind")) == (
        name,
        resource.group,
        resource.plural,
    )
    body = answer.body
    return answer.status == 404 and body.get("kind") == "Status" and body.get("reason") == "NotFound" and named


def is_deleted(answer: Answer, uid: str) -> bool:
    """Whether the answer to a DELETE says that the object with that uid no longer exists."""
    return answer.ok and answer.body.get("kind") == "Status" and _details(answer).get("uid") == uid


def is_being_deleted(answer: Answer, kind: str) -> bool:
    """Whether the answer to a DELETE is the object itself, which something still holds."""
    return answer.ok and answer.body.get("kind") == kind


def causes(status: Manifest) -> Sequence[Mapping[str, Any]]:
    """`details.causes` of a `metav1.Status`."""
    return objects(mapping(status.get("details")).get("causes"))


def _unprocessable(answer: Answer, message: str) -> Refused:
    """Validation names the field; a ValidatingAdmissionPolicy, whose denial is a 422 too, does not."""
    if any(cause.get("field") for cause in causes(answer.body)):
        return Refused(reason=Reason.INVALID, message=message, final=True)
    return Refused(reason=Reason.ADMISSION_DENIED, message=message)


def _bad_request(answer: Answer, message: str) -> Refused:
    """The decoder says BadRequest; a webhook's denial, whose default code is 400 too, has no reason."""
    if answer.body.get("reason") == "BadRequest":
        return Refused(reason=Reason.INVALID, message=message, final=True)
    return Refused(reason=Reason.ADMISSION_DENIED, message=message)


def _forbidden(answer: Answer, message: str) -> Refused:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in causes(answer.body)):
        return Refused(reason=Reason.NAMESPACE_TERMINATING, message=message, scope=Scope.WORKFLOW)
    if is_missing_right(answer):
        return Refused(reason=Reason.FORBIDDEN, message=message, scope=Scope.WORKFLOW)
    # The quota plugin has no reason or cause of its own: only its words tell it from other admission.
    if "exceeded quota:" in message or "status unknown for quota:" in message:
        return Refused(reason=Reason.QUOTA_EXCEEDED, message=message, scope=Scope.WORKFLOW)
    return Refused(reason=Reason.ADMISSION_DENIED, message=message)


def is_too_large(answer: Answer) -> bool:
    """Whether the object has more bytes than the server or its etcd takes."""
    # The API server's own limit knows no object; a ValidatingAdmissionPolicy that says 413 names it.
    if answer.status == 413:
        return not _details(answer).get("name")
    # etcd's limit comes as a plain 500 with no structured field; it will not pass by itself.
    return answer.status == 500 and "request is too large" in str(answer.body.get("message"))


def _details(answer: Answer) -> Mapping[str, Any]:
    return mapping(answer.body.get("details"))


def _message(answer: Answer) -> str:
    return cut(str(answer.body.get("message") or f"the API server answered {answer.status}"), MAX_MESSAGE)
