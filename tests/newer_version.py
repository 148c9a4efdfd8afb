"""What a newer version writes into a status, and what of it this version must keep. No I/O here."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

PAUSED = {
    "type": "Paused",
    "status": "Unknown",
    "reason": "NotAsked",
    "message": "m",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-05-04T12:00:00Z",
    "severity": "low",
}


def decorated(status: Mapping[str, Any], skipped: int, cost: Callable[[str], Any]) -> dict[str, Any]:
    """The status with what the newer version adds at each level; `cost` is what it says of a job."""
    newer = copy.deepcopy(dict(status))
    newer["shard"] = {"of": 3}
    newer["counts"]["skipped"] = skipped
    newer["conditions"] = [PAUSED, *({**one, "severity": "high"} for one in newer["conditions"])]
    for one in newer["groups"]:
        one["eta"] = f"soon {one['name']}"
        for inner in one["jobs"]:
            inner["cost"] = cost(inner["name"])
    return newer


def kept(status: Mapping[str, Any]) -> dict[str, Any]:
    """What of a status only the newer version knows."""
    return {
        "shard": status.get("shard"),
        "skipped": status["counts"].get("skipped"),
        "conditions": {one["type"]: one.get("severity") for one in status["conditions"]},
        "paused": next((one for one in status["conditions"] if one["type"] == "Paused"), None),
        "groups": {one["name"]: one.get("eta") for one in status["groups"]},
        "jobs": {(one["name"], job["name"]): job.get("cost") for one in status["groups"] for job in one["jobs"]},
    }
