"""ManagedJobs as a user of the cluster handles them: created, edited, deleted and read through the API server.

Imports nothing of jobsmgr.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.plane.access import API
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE, eventually
from tests.plane.recording import Version, owner


class Workflows:
    """The ManagedJobs of one namespace, and their Jobs."""

    def __init__(self, plane: ControlPlane, namespace: str, user: str = "admin") -> None:
        self._plane = plane
        self._user = user
        self.path = f"/apis/{API}/namespaces/{namespace}/managedjobs"
        """Where they are."""
        self._jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"

    def create(self, manifest: Mapping[str, Any] | str | Path, name: str | None = None) -> dict[str, Any]:
        """Create a workflow from a manifest (a mapping, YAML text, or a file), under another name if one is given.

        Raises:
            PlaneError: the API server refused it; the message is the server's.
        """
        text = manifest.read_text() if isinstance(manifest, Path) else manifest
        content = yaml.safe_load(text) if isinstance(text, str) else dict(text)
        metadata = {**(content.get("metadata") or {}), **({"name": name} if name else {})}
        body = {"apiVersion": API, "kind": "ManagedJob", **content, "metadata": metadata}
        created: dict[str, Any] = self._plane.call("POST", self.path, body, user=self._user)
        return created

    def create_spec(self, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Create a workflow from its spec alone."""
        return self.create({"metadata": {"name": name}, "spec": dict(spec)})

    def get(self, name: str) -> dict[str, Any]:
        """A workflow as it is stored."""
        found: dict[str, Any] = self._plane.call("GET", f"{self.path}/{name}")
        return found

    def items(self) -> list[dict[str, Any]]:
        """All workflows as they are stored."""
        found: list[dict[str, Any]] = self._plane.call("GET", self.path)["items"]
        return found

    def edit(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge a patch into a workflow; lists are replaced whole."""
        edited: dict[str, Any] = self._plane.call("PATCH", f"{self.path}/{name}", dict(patch), user=self._user)
        return edited

    def delete(self, name: str, propagation: str = "Background") -> None:
        """Delete a workflow: Background, Foreground or Orphan."""
        self._plane.call("DELETE", f"{self.path}/{name}", {"propagationPolicy": propagation}, user=self._user)

    def exists(self, name: str) -> bool:
        """Whether a workflow is still stored."""
        return self._plane.request("GET", f"{self.path}/{name}").status_code == 200

    def status(self, name: str) -> dict[str, Any]:
        """A workflow's status; empty while it has only the schema's default."""
        status = self.get(name).get("status") or {}
        return status if isinstance(status, dict) and "phase" in status else {}

    def phases(self, name: str) -> dict[str, str]:
        """The phase of each job, by `group/job`."""
        shown = Version("", 0, {"status": self.status(name)}).phases()
        return {"/".join(path): job["phase"] for path, job in shown.items()}

    def job(self, name: str, path: str) -> dict[str, Any]:
        """One job's entry in the status, by `group/job`; empty if it has none."""
        shown = Version("", 0, {"status": self.status(name)}).phases()
        return {"/".join(key): entry for key, entry in shown.items()}.get(path, {})

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """A workflow's condition of that type, whatever its status; empty if it has none."""
        conditions = self.status(name).get("conditions") or []
        return next((condition for condition in conditions if condition["type"] == kind), {})

    def wait_for(self, name: str, kind: str = "Finished", *, seconds: float = DEADLINE) -> dict[str, Any]:
        """Wait until a condition is True, and give the status."""

        def ask() -> dict[str, Any]:
            status = self.status(name)
            met = any(c["type"] == kind and c["status"] == "True" for c in status.get("conditions") or [])
            assert met, f"phase {status.get('phase')}, {status.get('progress')}, {status.get('conditions')}"
            return status

        return eventually(ask, f"{name} is {kind}", seconds=seconds)

    def wait_for_phases(
        self, name: str, by_path: Mapping[str, str] | None = None, *, seconds: float = DEADLINE, **phases: str
    ) -> None:
        """Wait until jobs are in these phases: by `group/job`, or by the keyword `group__job`, a dash written `_`."""
        wanted = dict(by_path or {}) | {
            key.replace("__", "/").replace("_", "-"): phase for key, phase in phases.items()
        }

        def ask() -> bool:
            actual = self.phases(name)
            assert wanted.items() <= actual.items(), f"{actual}"
            return True

        eventually(ask, f"{name} shows {wanted}", seconds=seconds)

    def wait_until_started(self, name: str, path: str) -> None:
        """Wait until a job has started, by the Job controller's account too: nothing more happens to it by itself."""
        eventually(lambda: self.job(name, path).get("startTime"), f"{path} runs")

    def wait_gone(self, name: str) -> None:
        """Wait until a workflow is no longer stored."""
        eventually(lambda: not self.exists(name), f"{name} is gone")

    def wait_for_reason(self, name: str, path: str, reason: str) -> dict[str, Any]:
        """Wait until a job, by `group/job`, shows that reason, and give its entry in the status."""

        def ask() -> dict[str, Any]:
            job = self.job(name, path)
            assert job.get("reason") == reason, f"{job}"
            return job

        return eventually(ask, f"{path} shows {reason}")

    def jobs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The Jobs of the namespace, or those whose controller is the workflow of that name, oldest first."""
        items = self._plane.call("GET", self._jobs)["items"]
        uid = self.get(name)["metadata"]["uid"] if name else None
        ours = [item for item in items if uid is None or owner(item) == uid]
        return sorted(ours, key=lambda item: int(item["metadata"]["resourceVersion"]))
