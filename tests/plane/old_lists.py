"""Lists of a moment that is past, in each of the forms in which an API server that lags behind answers with them.

Only `recorded` asks anything.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.plane.access import Access

_COLLECTIONS = {"managedjobs": "/apis/jobsmanager.raczylo.com/v1beta1", "jobs": "/apis/batch/v1"}
_RESUMED = re.compile(r"[?&]resourceVersion=[1-9]")


def recorded(plane: Access, namespace: str, plural: str) -> dict[str, Any]:
    """All `jobs` or `managedjobs` of a namespace as they are now."""
    found: dict[str, Any] = plane.call("GET", f"{_COLLECTIONS[plural]}/namespaces/{namespace}/{plural}")
    return found


def is_resumed(path: str) -> bool:
    """Whether a watch goes on from a version of its own; others begin with a list of everything."""
    return _RESUMED.search(path) is not None


def initial_events(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A list as a watch with `sendInitialEvents=true` streams it: each object, then the bookmark that says all came."""
    head = {"kind": content["kind"].removesuffix("List"), "apiVersion": content["apiVersion"]}
    for item in content["items"]:
        yield {"type": "ADDED", "object": {**head, **item}}
    end = {"k8s.io/initial-events-end": "true"}
    metadata = {"resourceVersion": content["metadata"]["resourceVersion"], "annotations": end}
    yield {"type": "BOOKMARK", "object": {**head, "metadata": metadata}}


def resumed(path: str, content: Mapping[str, Any]) -> str:
    """The same watch from a list's version on."""
    kept = re.sub(r"(?<=[?&])(sendInitialEvents|resourceVersionMatch|resourceVersion)=[^&]*(&|$)", "", path)
    return f"{kept.rstrip('&')}&resourceVersion={content['metadata']['resourceVersion']}"
