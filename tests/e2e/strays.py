"""Answers in which something is missing and which prove nothing: not the API server's own, or about another object.

No I/O here.
"""

from typing import Any

from tests.plane.fault_proxy import Answer

_HTML = {"Content-Type": "text/html"}

PAGES = {
    "text": Answer(404, text="404 page not found"),
    "json": Answer(404, {"error": "no route matched"}),
    "empty": Answer(404, {}),
    "html": Answer(404, headers=_HTML, text="<html><body>not found</body></html>"),
    "array": Answer(404, text="[]"),
    "bad-request": Answer(400, text="bad request"),
    "ok": Answer(200, headers=_HTML, text="<html><body>welcome</body></html>"),
    "ok-empty": Answer(200, {}),
}
"""What stands before an API server may say when it has lost it."""


def not_found(**details: str) -> Answer:
    """The Status that says that something does not exist; without details, that nobody knows such a path."""
    body: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the server could not find the requested resource",
        "reason": "NotFound",
        "details": details,
        "code": 404,
    }
    return Answer(404, body)


STATUSES = {
    "no-details": not_found(),
    "another": not_found(name="somebody-else", kind="managedjobs", group="jobsmanager.raczylo.com"),
}
"""Of the API server's form, but no word about the object that was asked for."""
