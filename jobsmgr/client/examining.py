"""What a blocked job's pods, events and logs say, as far as the user may see them. Nothing is concluded here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.pods import PodReport
from jobsmgr.client.cluster import Cluster, Query
from jobsmgr.client.diagnosis import Blocker
from jobsmgr.client.failures import Forbidden, RequestRefused
from jobsmgr.client.records import Record, in_words
from jobsmgr.connection.decoding import metadata_of
from jobsmgr.connection.resources import EVENTS, PODS
from jobsmgr.core.pod_objects import OF_JOB, event_of, pod_of
from jobsmgr.core.pods import how_ended, subject_of_events, why_idle

LOG_LINES = 3
LONGEST_LOG = 1 << 16
"""Bytes of the last lines that are read."""


@attrs.frozen
class Findings:
    """What was seen, and what could not be."""

    why: str = ""
    log: tuple[bytes, ...] = ()
    unseen: tuple[str, ...] = ()


async def examine(cluster: Cluster, record: Record, blocker: Blocker | None) -> Findings:
    """Look at the pods of the job that blocks, at the events that may explain them, and at its last lines."""
    if blocker is None or not blocker.wants_pods:
        return Findings()
    namespace, uid = record.namespace, blocker.job.uid
    try:
        query = Query(resource=PODS, namespace=namespace, labels=f"{OF_JOB}={uid}")
        raw = (await cluster.list(query)).items
    except Forbidden:
        return Findings(unseen=(f"you are not allowed to list pods in {namespace}, so what they report is not shown",))
    pods = tuple(pod_of(each) for each in raw)
    unseen: list[str] = []
    report = PodReport(pods=pods)
    if subject := subject_of_events(pods, uid):
        try:
            about = Query(resource=EVENTS, namespace=namespace, fields=f"involvedObject.uid={subject}")
            events = tuple(event_of(each) for each in (await cluster.list(about)).items)
            report = attrs.evolve(report, events=events)
        except Forbidden:
            unseen.append(f"you are not allowed to list events in {namespace}, so what they report is not shown")
    log = await _last_lines(cluster, namespace, raw)
    return Findings(_why(report, blocker), log, tuple(unseen))


def _why(report: PodReport, blocker: Blocker) -> str:
    """What the pods say; nothing where one of them runs."""
    if blocker.job.completion_time is not None:
        return how_ended(report)
    if any(pod.phase == "Running" and pod.unready is None for pod in report.pods):
        return ""
    found = why_idle(report)
    return "" if found is None else in_words(found.reason, found.message)


async def _last_lines(cluster: Cluster, namespace: str, pods: Sequence[Manifest]) -> tuple[bytes, ...]:
    """The last lines of the newest pod; none where it has not begun, or is gone."""
    if not pods:
        return ()
    newest = max((metadata_of(pod) for pod in pods), key=lambda each: str(each.get("creationTimestamp")))
    content = b""
    try:
        params = {"tailLines": LOG_LINES, "limitBytes": LONGEST_LOG}
        async with aclosing(cluster.log(namespace, str(newest.get("name")), params)) as chunks:
            async for chunk in chunks:
                content += chunk
    except RequestRefused:
        return ()
    return tuple(content.rstrip(b"\n").split(b"\n")) if content.strip() else ()
