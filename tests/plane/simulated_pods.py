"""What a Pod's annotations ask a stand-in to show, and the statuses and events that a real node gives such a Pod.

`jobsmgr.simulate/duration` and `/exit-code` are read as `jobsmgr run --executor simulate` reads them. No I/O here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from jobsmgr.api.durations import parse_duration
from jobsmgr.local.simulation import DURATION_ANNOTATION, EXIT_CODE_ANNOTATION, parse_exit_codes

POD_ANNOTATION = "jobsmgr.simulate/pod"
OUT_OF_MEMORY = "OOMKilled"
KILLED = 137
"""The exit code of a container that was killed for its memory: 128 + SIGKILL."""


@attrs.frozen
class Outcome:
    """How the container's next run goes; None where no annotation says so."""

    exit_code: int | None = None
    seconds: float | None = None
    reason: str = ""
    """Of its end; empty for the usual one."""


@attrs.frozen(kw_only=True)
class Event:
    """One event about a Pod."""

    reason: str
    message: str
    kind: str = "Warning"
    component: str = "kubelet"


@attrs.frozen(kw_only=True)
class Stage:
    """A Pod that does not run, as it shows itself for a while."""

    conditions: tuple[dict[str, str], ...]
    waiting: Mapping[str, str] | None
    """Of each container; None before a node has the Pod."""
    events: tuple[Event, ...]


def outcome(annotations: Mapping[str, str], index: int) -> Outcome:
    """The run number `index` (from 0) of a Pod that runs. Raises `ValueError`."""
    seconds = annotations.get(DURATION_ANNOTATION)
    codes = annotations.get(EXIT_CODE_ANNOTATION)
    found = parse_exit_codes(codes) if codes is not None else ()
    code = found[min(index, len(found) - 1)] if found else None
    killed = annotations.get(POD_ANNOTATION) == OUT_OF_MEMORY
    return Outcome(
        exit_code=KILLED if killed else code,
        seconds=None if seconds is None else parse_duration(seconds),
        reason=OUT_OF_MEMORY if killed else "",
    )


def stages(pod: Mapping[str, Any], needed: str) -> tuple[Stage, ...]:
    """How a Pod that is never to run shows itself, in turn; none for one that runs.

    `needed` is a ConfigMap or Secret that it refers to, in the kubelet's words. What its annotations ask for and nobody
    knows is said in place of a mistake in its configuration.
    """
    annotations = pod["metadata"].get("annotations", {})
    try:
        outcome(annotations, 0)
    except ValueError as error:
        return (_misconfigured(str(error)),)
    wanted = annotations.get(POD_ANNOTATION)
    if wanted is None or wanted == OUT_OF_MEMORY:
        return ()
    if wanted not in _STUCK:
        known = ", ".join([*_STUCK, OUT_OF_MEMORY])
        return (_misconfigured(f'{POD_ANNOTATION}: "{wanted}" cannot be shown; choose one of {known}'),)
    return tuple(_STUCK[wanted](pod["spec"]["containers"][0]["image"], needed))


def _unschedulable(image: str, needed: str) -> Iterator[Stage]:
    nodes = "0/1 nodes are available: 1 Insufficient cpu."
    preemption = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    message = f"{nodes} {preemption}"
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    event = Event(reason="FailedScheduling", message=message, component="default-scheduler")
    yield Stage(conditions=(condition,), waiting=None, events=(event,))


def _unpullable(image: str, needed: str) -> Iterator[Stage]:
    failed = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    why = f"rpc error: code = NotFound desc = {failed}"
    pulling = Event(reason="Pulling", message=f'Pulling image "{image}"', kind="Normal")
    said = Event(reason="Failed", message=f'Failed to pull image "{image}": {why}')
    yield _on_node("ErrImagePull", why, SCHEDULED, pulling, said, _error("ErrImagePull"))
    back_off = f'Back-off pulling image "{image}"'
    again = Event(reason="BackOff", message=back_off, kind="Normal")
    yield _on_node("ImagePullBackOff", f"{back_off}: ErrImagePull: {why}", again, _error("ImagePullBackOff"))


def _unconfigured(image: str, needed: str) -> Iterator[Stage]:
    yield _misconfigured(f"{needed} not found")


_STUCK: Mapping[str, Callable[[str, str], Iterator[Stage]]] = {
    "ImagePullBackOff": _unpullable,
    "Unschedulable": _unschedulable,
    "CreateContainerConfigError": _unconfigured,
}
SCHEDULED = Event(
    reason="Scheduled", message="Successfully assigned the pod to a node", kind="Normal", component="default-scheduler"
)


def _misconfigured(message: str) -> Stage:
    return _on_node("CreateContainerConfigError", message, SCHEDULED, _error(message))


def _error(text: str) -> Event:
    return Event(reason="Failed", message=f"Error: {text}")


def _on_node(reason: str, message: str, *events: Event) -> Stage:
    unready = {"status": "False", "reason": "ContainersNotReady", "message": "containers with unready status"}
    conditions = (
        {"type": "PodReadyToStartContainers", "status": "True"},
        {"type": "Initialized", "status": "True"},
        {"type": "Ready", **unready},
        {"type": "ContainersReady", **unready},
        {"type": "PodScheduled", "status": "True"},
    )
    return Stage(conditions=conditions, waiting={"reason": reason, "message": message}, events=events)
