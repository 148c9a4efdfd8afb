"""Jobs as people and other programs handle them behind an operator's back: made, edited, deleted.

Imports nothing of jobsmgr.
"""

from collections.abc import Mapping
from typing import Any

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually

API = "batch/v1"


class JobsByHand:
    """The Jobs of one namespace by name, whoever owns them."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._path = f"/apis/{API}/namespaces/{namespace}/jobs"

    def create(self, name: str, *, owner: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
        """Create a Job of one container; `owner` is the object that controls it."""
        references = [reference(owner)] if owner else []
        container = {"name": "main", "image": "busybox"}
        body = {
            "apiVersion": API,
            "kind": "Job",
            "metadata": {"name": name, "ownerReferences": references, **metadata},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
        }
        made: dict[str, Any] = self._plane.call("POST", self._path, body)
        return made

    def get(self, name: str) -> dict[str, Any]:
        """A Job as it is stored; empty if there is none."""
        answer = self._plane.request("GET", f"{self._path}/{name}")
        return dict(answer.json()) if answer.is_success else {}

    def names(self) -> list[str]:
        """The names of all Jobs, sorted."""
        return sorted(item["metadata"]["name"] for item in self._plane.call("GET", self._path)["items"])

    def edit(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a patch into a Job; lists are replaced whole."""
        edited: dict[str, Any] = self._plane.call("PATCH", f"{self._path}/{name}", dict(patch))
        return edited

    def pin(self, name: str) -> None:
        """Put a finalizer on a Job: once deleted it stays, on its way out, until `unpin`."""
        self.edit(name, {"metadata": {"finalizers": ["example.com/pin"]}})

    def unpin(self, name: str) -> None:
        """Let a pinned Job go."""
        self.edit(name, {"metadata": {"finalizers": None}})

    def delete(self, name: str, propagation: str = "Background") -> None:
        """Delete a Job: Background, Foreground or Orphan."""
        self._plane.call("DELETE", f"{self._path}/{name}", {"propagationPolicy": propagation})

    def wait_gone(self, name: str) -> None:
        """Wait until there is no Job of that name."""
        eventually(lambda: not self.get(name), f"the Job {name} is gone")


def reference(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The owner reference of a controller."""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
