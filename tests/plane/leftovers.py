"""What is left of an object that was deleted: everything of any type whose owners lead to its uid.

Imports nothing of jobsmgr.
"""

from collections.abc import Iterator
from typing import Any

from tests.plane.control_plane import ControlPlane


def leftovers(plane: ControlPlane, namespace: str, uid: str) -> list[str]:
    """`plural/name` of all objects in a namespace that belong to the one with this uid, directly or not."""
    objects = [*_objects(plane, namespace)]
    family, found = {uid}, dict[str, None]()
    while True:
        children = [(name, item) for name, item in objects if name not in found and _owners(item) & family]
        if not children:
            return [*found]
        for name, item in children:
            found[name] = None
            family.add(item["metadata"]["uid"])


def _objects(plane: ControlPlane, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for base in ("/api/v1", *(f"/apis/{version}" for version in _group_versions(plane))):
        for resource in plane.call("GET", base)["resources"]:
            if resource["namespaced"] and "list" in resource["verbs"]:
                path = f"{base}/namespaces/{namespace}/{resource['name']}"
                for item in plane.call("GET", path)["items"]:
                    yield f"{resource['name']}/{item['metadata']['name']}", item


def _group_versions(plane: ControlPlane) -> list[str]:
    return [group["preferredVersion"]["groupVersion"] for group in plane.call("GET", "/apis")["groups"]]


def _owners(item: dict[str, Any]) -> set[str]:
    return {reference["uid"] for reference in item["metadata"].get("ownerReferences") or []}
