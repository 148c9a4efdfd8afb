"""The fast mode: finish Jobs by writing their status, as a test's script says, with no Pod and no Job controller.

Only on a plane without a Job controller: that one and the API server refuse such statuses for Jobs that it runs.
"""

import asyncio
from typing import Any

import attrs

from tests.plane.control_plane import ControlPlane
from tests.plane.script import keys
from tests.plane.stand_in import StandIn, now


@attrs.frozen
class Outcome:
    """How a Job ends, and after how many seconds; without seconds or a hold it starts and ends in one write."""

    succeeds: bool = True
    seconds: float = 0.0
    reason: str = "BackoffLimitExceeded"
    message: str = "Job has reached the specified backoff limit"


FAILS = Outcome(succeeds=False)


class JobFinisher(StandIn[Outcome]):
    """Watches the Jobs of a namespace (None: of all) and finishes them."""

    def __init__(self, plane: ControlPlane, namespace: str | None) -> None:
        super().__init__(plane, f"/apis/batch/v1{f'/namespaces/{namespace}' if namespace else ''}/jobs", Outcome())
        self.finished: list[str] = []
        """The names of the finished Jobs, in that order."""

    def script(self, job: str, outcome: Outcome) -> None:
        """Say how a job ends."""
        self._script.set(job, outcome)

    def _wants(self, item: dict[str, Any]) -> bool:
        return not item["spec"].get("suspend") and not _is_finished(item)

    async def _play(self, item: dict[str, Any]) -> None:
        names = keys(item)
        outcome = self._script.outcome(names, 0)
        path = f"/apis/batch/v1/namespaces/{item['metadata']['namespace']}/jobs"
        started = {"startTime": item.get("status", {}).get("startTime") or now()}
        if outcome.seconds or self._script.holds(names):
            await self._patch_status(path, item, {**started, "active": 1, "ready": 1})
            await asyncio.sleep(outcome.seconds)
            await self._script.released(names)
        await self._patch_status(path, item, {**started, "active": None, "ready": 0, **_end(outcome)})
        self.finished.append(item["metadata"]["name"])


def _is_finished(job: dict[str, Any]) -> bool:
    conditions = job.get("status", {}).get("conditions", [])
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def _end(outcome: Outcome) -> dict[str, Any]:
    time = now()
    if outcome.succeeds:
        conditions = [_condition("SuccessCriteriaMet", time), _condition("Complete", time)]
        return {"completionTime": time, "succeeded": 1, "conditions": conditions}
    why = {"reason": outcome.reason, "message": outcome.message}
    return {"failed": 1, "conditions": [_condition(kind, time, **why) for kind in ("FailureTarget", "Failed")]}


def _condition(kind: str, time: str, **why: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", "lastProbeTime": time, "lastTransitionTime": time, **why}
