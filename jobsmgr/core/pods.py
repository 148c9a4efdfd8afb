"""Why a Job has no running pod, and how its last pod ended, from what they and their events say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from signal import Signals

from jobsmgr.api.cutting import cut
from jobsmgr.api.pods import Container, Ended, Pod, PodEvent, PodReport, Why
from jobsmgr.api.status import Reason

LONGEST_LINE = 200
"""Bytes of the last line that a container wrote."""
_UNDER_WAY = ("ContainerCreating", "PodInitializing")
"""What a kubelet calls a container that it has begun with: events say how far it is."""
_OF_THE_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError")
"""Reasons whose message may not name the image."""
_NO_NEWS = ("Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate")
"""Events of steps that are done: they do not say what is waited for."""
_PLAIN_ENDS = ("", "Error", "Completed", "OOMKilled")
"""Reasons of containers that have run."""


def subject_of_events(pods: Sequence[Pod], job: str) -> str:
    """The uid of the object whose events say more than the pods do: a pod, or the Job of that uid; empty if none."""
    pod = _newest(pods, live=True)
    if pod is None:
        return job
    why = _why_waiting(pod, ())
    return pod.uid if why is None or why.reason in _UNDER_WAY else ""


def why_idle(report: PodReport) -> Why | None:
    """Why a Job has no running pod, in the words of whoever knows; None if nobody says anything."""
    pod, ended = _newest(report.pods, live=True), _newest(report.pods, live=False)
    if pod is not None:
        return _why_waiting(pod, report.events)
    refused = _latest(event for event in report.events if event.warning)
    if refused is not None and (ended is None or refused.time > ended.created):
        return Why(refused.reason, refused.message)
    if ended is None or ended.phase == "Succeeded":  # its Job is about to count it
        return None
    container = _failed(ended)
    reason = container.end.reason if container is not None and container.end is not None else ""
    return Why(reason or (ended.why.reason if ended.why else "") or ended.phase, f"{how_ended(report)}; it is retried")


def how_ended(report: PodReport, container: str = "") -> str:
    """How many tries a Job had and how the last one ended; empty if its pods do not show it.

    `container` is the name of the container that runs the job: others may have been added, and end as well.
    """
    shown = [pod for pod in report.pods if pod.ended or any(one.end for one in pod.containers)]
    if not shown:
        return ""
    last = max(shown, key=_age)
    tries = sum(max([1, *(one.tries for one in pod.containers)]) for pod in shown)
    return _how(last, container, "the only try" if tries == 1 else f"{tries} tries; the last")


def _how(pod: Pod, name: str, subject: str) -> str:
    container = _failed(pod, name)
    if container is None or container.end is None:
        words = f" ({pod.why.reason}): {pod.why.message}" if pod.why else ""
        return f"{subject} failed{words}"
    if name and container.name != name and len(pod.containers) > 1:
        subject += f' failed: container "{container.name}"'
    return f"{subject} {_end_in_words(container, container.end)}"


def _end_in_words(container: Container, end: Ended) -> str:
    if end.reason not in _PLAIN_ENDS:
        return f"could not start ({end.reason}): {end.message}" if end.message else f"could not start ({end.reason})"
    last = _last_line(end.message)
    said = f': "{last}"' if last else ""
    if end.reason == "OOMKilled":
        limit = f"its memory limit of {container.memory_limit}" if container.memory_limit else "the memory of its node"
        return f"was OOMKilled: it needed more than {limit}{said}"
    if end.signal:
        return f"was killed by signal {end.signal}{_signal(end.signal)}{said}"
    return f"ended with exit code {end.exit_code}{_signal(end.exit_code - 128)}{said}"


def _signal(number: int) -> str:
    return f" ({Signals(number).name})" if number in {*Signals} else ""


def _last_line(message: str) -> str:
    lines = [line for line in message.splitlines() if line.strip()]
    return cut(" ".join(lines[-1].split()), LONGEST_LINE) if lines else ""


def _failed(pod: Pod, name: str = "") -> Container | None:
    """The container whose end is the pod's: the one of that name if it failed, else the first that did."""
    failed = [one for one in pod.containers if one.end is not None and (one.end.exit_code or one.end.signal)]
    return next((one for one in failed if one.name == name), failed[0] if failed else None)


def _why_waiting(pod: Pod, events: Sequence[PodEvent]) -> Why | None:
    """Why a pod that has not ended does not run."""
    if pod.deleting:
        return Why(Reason.TERMINATING.value, f"pod {pod.name} is being deleted")
    if (said := pod.unscheduled or pod.why or _why_not_started(pod)) is not None:
        return said
    news = [event for event in events if event.reason not in _NO_NEWS]
    event = _latest(event for event in news if event.warning) or _latest(news)
    if event is not None:
        return Why(event.reason, event.message)
    begun = next((one.waiting for one in pod.containers if one.waiting is not None), None)
    return begun or pod.unready


def _why_not_started(pod: Pod) -> Why | None:
    """What a kubelet says of the first container that it cannot start, or not again."""
    for one in pod.containers:
        waiting, end = one.waiting, one.end
        if waiting is not None and waiting.reason not in _UNDER_WAY:
            if end is not None:  # between two tries: what matters is how the last one ended
                return Why(waiting.reason, how_ended(PodReport(pods=(pod,)), one.name))
            if waiting.reason in _OF_THE_IMAGE and one.image not in waiting.message:
                return Why(waiting.reason, f"{one.image}: {waiting.message}" if waiting.message else one.image)
            return waiting
        if one.ended is not None and (one.ended.exit_code or one.ended.signal):
            return Why(one.ended.reason or "Error", how_ended(PodReport(pods=(pod,)), one.name))
    return None


def _newest(pods: Iterable[Pod], *, live: bool) -> Pod | None:
    """The newest pod of those that have not ended, or of those that have; one that is being deleted comes last."""
    return max((pod for pod in pods if pod.ended is not live), key=_age, default=None)


def _age(pod: Pod) -> tuple[bool, str, str]:
    return not pod.deleting, pod.created, pod.name


def _latest(events: Iterable[PodEvent]) -> PodEvent | None:
    return max(events, key=lambda event: event.time, default=None)
