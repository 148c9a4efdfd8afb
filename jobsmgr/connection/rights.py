"""What a process may do, as the API server sees it. Nothing is written here.

The server is asked about a right instead of trying it: a refusal would appear in the audit log.
"""

from __future__ import annotations

from jobsmgr.api.fields import mapping
from jobsmgr.connection.resources import ACCESS_REVIEWS, Right
from jobsmgr.connection.session import Session


async def is_allowed(session: Session, right: Right, namespace: str) -> bool:
    """Ask the server. If it does not answer such questions, yes: the request will tell. Raises `Unreachable`."""
    attributes = {
        "verb": right.verb,
        "group": right.resource.group,
        "resource": right.resource.plural,
        "subresource": right.subresource,
        "name": right.name,
        "namespace": namespace,
    }
    answer = await session.review(ACCESS_REVIEWS, {"resourceAttributes": attributes})
    return not answer.ok or mapping(answer.body.get("status")).get("allowed") is not False
