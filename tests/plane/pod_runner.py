"""In place of a kubelet: bring Pods to Running, then to Succeeded or Failed, as their annotations or a script say.

Runs no container. Knows Pods only, neither Jobs nor ManagedJobs.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs

from tests.plane.control_plane import ControlPlane
from tests.plane.script import keys
from tests.plane.simulated_pods import Event, Stage, outcome, stages
from tests.plane.stand_in import StandIn, now

RESTART_SECONDS = 1.0
"""How long a restarted container runs at least, so that the Job controller sees each restart before the next."""
STAGE_SECONDS = 1.0
"""How long a Pod that does not run shows the first of two reasons."""


@attrs.frozen
class Try:
    """One run of a job's container: how it exits, and after how many seconds."""

    exit_code: int = 0
    seconds: float = 0.0


class PodRunner(StandIn[Try]):
    """Watches the Pods of a namespace (None: of all) and plays the kubelet's part for each.

    With restartPolicy Never a failed Pod stays and the Job's next Pod is its next try; with OnFailure the container is
    restarted in its Pod, until the Job controller deletes that. What a Pod's annotations ask for (`simulated_pods`)
    goes before the script.
    """

    def __init__(self, plane: ControlPlane, namespace: str | None) -> None:
        super().__init__(plane, f"/api/v1{f'/namespaces/{namespace}' if namespace else ''}/pods", Try())
        self._pods_of_job: Counter[str] = Counter()
        self.needs_configuration = False
        """Whether a Pod waits, as a kubelet has it, until each ConfigMap and Secret that is not optional exists."""
        self.missing: dict[str, str] = {}
        """What each waiting Pod waits for, by the Pod's name: a ConfigMap's or Secret's name."""
        self.started: list[str] = []
        """`workflow/group/job` (or the Pod's name) of every try, in the order of their starts."""
        self.ended: list[tuple[str, int]] = []
        """The same with the exit code, in the order of their ends."""

    def script(self, job: str, *tries: Try | int) -> None:
        """Say how a job's tries go (an int is an exit code at once); the last one repeats."""
        self._script.set(job, *(Try(one) if isinstance(one, int) else one for one in tries))

    def _wants(self, item: dict[str, Any]) -> bool:
        return item.get("status", {}).get("phase") not in ("Succeeded", "Failed")

    async def _play(self, item: dict[str, Any]) -> None:
        owner = next((one["uid"] for one in item["metadata"].get("ownerReferences", [])), item["metadata"]["uid"])
        names = keys(item)
        index, restarts = self._pods_of_job[owner], 0
        self._pods_of_job[owner] += 1
        last: dict[str, Any] = {}
        if self.needs_configuration:
            await self._configured(item)
        await self._stuck(item)
        while True:
            begun = now()
            self.started.append(_title(names))
            await self._patch(
                item, "Running", {"restartCount": restarts, "state": {"running": {"startedAt": begun}}, **last}
            )
            asked = outcome(item["metadata"].get("annotations", {}), index + restarts)
            scripted = self._script.outcome(names, index + restarts)
            seconds = scripted.seconds if asked.seconds is None else asked.seconds
            code = scripted.exit_code if asked.exit_code is None else asked.exit_code
            await asyncio.sleep(max(seconds, RESTART_SECONDS if restarts else 0.0))
            await self._script.released(names)
            self.ended.append((_title(names), code))
            terminated = _terminated(code, asked.reason, begun)
            if code == 0 or item["spec"]["restartPolicy"] == "Never":
                break
            last = {"lastState": {"terminated": terminated}}
            restarts += 1
        phase = "Failed" if code else "Succeeded"
        await self._patch(item, phase, {"restartCount": restarts, "state": {"terminated": terminated}, **last})

    async def _configured(self, pod: dict[str, Any]) -> None:
        """Wait until all that a Pod needs is there; meanwhile it is Pending and says what is missing."""
        name, base = pod["metadata"]["name"], f"/api/v1/namespaces/{pod['metadata']['namespace']}"
        for kind, needed in _configuration(pod["spec"]):
            while (await self._client.send("GET", f"{base}/{kind}s/{needed}"))[0] == 404:
                if self.missing.get(name) != needed:
                    why = {"reason": "CreateContainerConfigError", "message": f'{kind} "{needed}" not found'}
                    await self._patch(pod, "Pending", {"restartCount": 0, "state": {"waiting": why}})
                    self.missing[name] = needed
                await asyncio.sleep(0.1)
        self.missing.pop(name, None)

    async def _stuck(self, pod: dict[str, Any]) -> None:
        """Show what keeps a Pod from running for ever, if its annotations ask for that; deletion ends it."""
        kind, name = next(_configuration(pod["spec"]), ("configmap", "simulated"))
        shown = stages(pod, f'{kind} "{name}"')
        for stage in shown:
            await self._show(pod, stage)
            for event in stage.events:
                await self._report(pod, event)
            await asyncio.sleep(STAGE_SECONDS)
        if shown:
            await asyncio.Event().wait()

    async def _show(self, pod: dict[str, Any], stage: Stage) -> None:
        conditions = [{"lastTransitionTime": now(), **one} for one in stage.conditions]
        status: dict[str, Any] = {"phase": "Pending", "conditions": conditions}
        if stage.waiting is not None:
            container = {"restartCount": 0, "state": {"waiting": dict(stage.waiting)}}
            status |= {"startTime": now(), "containerStatuses": _containers(pod, container, runs=False)}
        await self._patch_status(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods", pod, status)

    async def _report(self, pod: dict[str, Any], event: Event) -> None:
        metadata = pod["metadata"]
        about = {key: metadata[key] for key in ("name", "namespace", "uid")}
        body = {
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": event.kind,
            "reason": event.reason,
            "message": event.message,
            "source": {"component": event.component},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        async with self._writes:
            await self._client.send("POST", f"/api/v1/namespaces/{metadata['namespace']}/events", body)

    async def _patch(self, pod: dict[str, Any], phase: str, container: dict[str, Any]) -> None:
        runs = phase == "Running"
        statuses = _containers(pod, container, runs=runs)
        ready = {"type": "Ready", "status": str(runs), "lastTransitionTime": now()}
        status = {"phase": phase, "startTime": now(), "conditions": [ready], "containerStatuses": statuses}
        await self._patch_status(f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods", pod, status)


def _containers(pod: dict[str, Any], container: dict[str, Any], *, runs: bool) -> list[dict[str, Any]]:
    return [
        {"name": one["name"], "image": one["image"], "imageID": "", "ready": runs, "started": runs, **container}
        for one in pod["spec"]["containers"]
    ]


def _configuration(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets that a Pod cannot start without."""
    environment = [entry for one in spec["containers"] for entry in one.get("env", [])]
    sources = [source for one in spec["containers"] for source in one.get("envFrom", [])]
    references = [*sources, *(entry.get("valueFrom", {}) for entry in environment), *spec.get("volumes", [])]
    for reference in references:
        for key in ("configMapRef", "configMapKeyRef", "configMap", "secretRef", "secretKeyRef", "secret"):
            if (target := reference.get(key)) and not target.get("optional"):
                kind = "configmap" if key.startswith("config") else "secret"
                yield kind, target.get("name") or target["secretName"]


def _terminated(exit_code: int, reason: str, begun: str) -> dict[str, Any]:
    usual = "Error" if exit_code else "Completed"
    return {"exitCode": exit_code, "reason": reason or usual, "startedAt": begun, "finishedAt": now()}


def _title(names: tuple[str, ...]) -> str:
    return next((name for name in names if name.count("/") == 2), names[0])
