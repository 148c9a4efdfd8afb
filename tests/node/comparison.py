"""One workflow's end, from `jobsmgr run` and from a cluster, in a form that can be compared. Decides nothing."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.node.pods import Pod, pods
from tests.plane.control_plane import ControlPlane

Facts = dict[str, Any]
"""By `group/job` and a dot and what it is (`phase`, `reason`, `exits`, `why`, `output`), and the workflow's `phase`."""


def of_this_machine(directory: Path, names: list[str]) -> dict[str, Facts]:
    """What `jobsmgr run --output-dir` wrote of these workflows."""
    result = json.loads((directory / "result.json").read_text())
    return {one["name"]: _local(directory, one) for one in result["workflows"] if one["name"] in names}


def of_the_node(plane: ControlPlane, namespace: str, name: str, status: Mapping[str, Any]) -> Facts:
    """What a finished workflow of a cluster came to, with its Pods' logs."""
    mine = [pod for pod in pods(plane, namespace) if pod.workflow == name]
    facts: Facts = {"phase": status["phase"]}
    for path, job in _jobs(status):
        own = [pod for pod in mine if f"{pod.group}/{pod.job}" == path]
        facts |= {
            f"{path}.phase": job["phase"],
            f"{path}.reason": job.get("reason"),
            f"{path}.exits": [code for pod in own for code in pod.exit_codes],
            f"{path}.why": [pod.reason for pod in own],
            f"{path}.output": [_log(plane, namespace, pod) for pod in own],
        }
    return facts


def differences(here: Facts, there: Facts) -> dict[str, tuple[Any, Any]]:
    """What is not the same, as a pair: on this machine, on the cluster."""
    names = sorted({*here, *there})
    return {name: (here.get(name), there.get(name)) for name in names if here.get(name) != there.get(name)}


def _local(directory: Path, workflow: Mapping[str, Any]) -> Facts:
    facts: Facts = {"phase": workflow["phase"]}
    for path, job in _jobs(workflow):
        ended = [one for one in job["tries"] if "exitCode" in one]
        facts |= {
            f"{path}.phase": job["phase"],
            f"{path}.reason": job.get("reason"),
            f"{path}.exits": [one["exitCode"] for one in ended],
            f"{path}.why": [one.get("reason") or ("Error" if one["exitCode"] else "Completed") for one in ended],
            f"{path}.output": [_shown((directory / one["log"]).read_bytes()) for one in job["tries"]],
        }
    return facts


def _jobs(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in status.get("groups") or ():
        for job in group["jobs"]:
            yield f"{group['name']}/{job['name']}", job


def _log(plane: ControlPlane, namespace: str, pod: Pod) -> str:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod.name}/log"
    answer = plane.request("GET", path)
    return _shown(answer.content) if answer.is_success else ""


def _shown(output: bytes) -> str:
    return output.decode("utf-8", "backslashreplace")
