"""The rules of kstatus, by which Flux, `kpt` and Argo Rollouts wait: those for kinds that it does not know by name.

As in its `checkGenericProperties` and `Compute`. No I/O here, and nothing of jobsmgr is imported.
"""

from typing import Any


def compute(found: dict[str, Any]) -> str:
    """InProgress, Failed, Current or Terminating."""
    if found["metadata"].get("deletionTimestamp"):
        return "Terminating"
    status = found.get("status", {})
    if "observedGeneration" in status and status["observedGeneration"] != found["metadata"].get("generation"):
        return "InProgress"
    for condition in status.get("conditions", []):  # the first one that holds counts
        if condition["type"] in _ABNORMAL and condition["status"] == "True":
            return _ABNORMAL[condition["type"]]
    return "Current"


_ABNORMAL = {"Reconciling": "InProgress", "Stalled": "Failed"}
