"""What Pods of a real node say of themselves: reasons, exit codes, events, logs. Decides nothing, writes nothing."""

from typing import Any

import attrs

from tests.plane.control_plane import ControlPlane

JOB = "jobmanager.raczylo.com/job-id"
WORKFLOW = "jobmanager.raczylo.com/workflow-name"
GROUP = "jobmanager.raczylo.com/group-name"


@attrs.frozen
class Pod:
    """One Pod, and which job of a workflow it is of."""

    body: dict[str, Any]

    @property
    def name(self) -> str:
        name: str = self.body["metadata"]["name"]
        return name

    @property
    def job(self) -> str:
        """The job's name in its group."""
        job: str = self.body["metadata"]["labels"][JOB]
        return job

    @property
    def workflow(self) -> str:
        workflow: str = self.body["metadata"]["labels"][WORKFLOW]
        return workflow

    @property
    def group(self) -> str:
        group: str = self.body["metadata"]["labels"][GROUP]
        return group

    @property
    def reason(self) -> str:
        """The word that `kubectl get pods` would show: of its container, else of the scheduler, else its phase."""
        for container in self.body["status"].get("containerStatuses", []):
            state = container["state"]
            if "terminated" in state:
                return str(state["terminated"]["reason"])
            if "waiting" in state:
                return str(state["waiting"]["reason"])
        for condition in self.body["status"].get("conditions", []):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return str(condition["reason"])
        return str(self.body["status"]["phase"])

    @property
    def exit_codes(self) -> list[int]:
        """The exit code of the container's last end and of its end before that, as far as they are known."""
        (container,) = self.body["status"].get("containerStatuses", [{}])
        states = [container.get("lastState", {}), container.get("state", {})]
        return [state["terminated"]["exitCode"] for state in states if "terminated" in state]

    @property
    def message(self) -> str:
        """The sentence beside the reason."""
        for container in self.body["status"].get("containerStatuses", []):
            for state in container["state"].values():
                if state.get("message"):
                    return str(state["message"])
        conditions = self.body["status"].get("conditions", [])
        return next((item["message"] for item in conditions if item.get("message")), "")


def pods(plane: ControlPlane, namespace: str) -> list[Pod]:
    """The Pods of a namespace, oldest first."""
    found = [Pod(item) for item in plane.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]]
    return sorted(found, key=lambda pod: (pod.body["metadata"]["creationTimestamp"], pod.name))


def events(plane: ControlPlane, namespace: str, reason: str) -> dict[str, str]:
    """The newest message of the events of one reason, by the name of the object that they are about."""
    return {item["involvedObject"]["name"]: item["message"] for item in plane.events(namespace, reason)}
