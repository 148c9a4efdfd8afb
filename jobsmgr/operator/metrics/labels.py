"""The labels of metrics about workflows: the namespace alone, or each workflow's name too. Nothing is counted here."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TypeVar

from prometheus_client import Counter, Histogram

from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key

M = TypeVar("M", Counter, Histogram)


class Labels:
    """The namespace is the only label: there are few of them, and workflows come and go by the thousand."""

    of_jobs: Sequence[str] = ("namespace",)
    """Label names of the metrics that count jobs."""
    of_looks: Sequence[str] = ()
    """Label names of the metrics about looks at a workflow."""
    of_active: Sequence[str] = ("namespace",)
    """Label names of the number of running jobs."""

    def job(self, metric: M, key: Key, job: JobKey) -> M:
        """The series that a job of a workflow counts in."""
        return metric.labels(key.namespace)

    def look(self, metric: M, key: Key) -> M:
        """The series that looks at a workflow count in."""
        return metric

    def active(self, key: Key) -> Sequence[str]:
        """The label values of a workflow's number of running jobs."""
        return (key.namespace,)

    def end(self, key: Key) -> None:
        """Drop the series of a workflow that no longer exists."""

    def forget(self, known: Container[Key]) -> None:
        """Drop the series of all that no longer exist: of what is deleted while another replica leads, nobody tells."""


class WorkflowLabels(Labels):
    """The workflow and the group are labels too, as in the Go operator; a workflow's series end when it is deleted."""

    of_jobs = ("namespace", "workflow", "group")
    of_looks = of_active = ("namespace", "workflow")

    def __init__(self) -> None:
        self._series: dict[Key, set[tuple[Counter | Histogram, tuple[str, ...]]]] = {}
        """By workflow: thousands may be deleted at once, and a search for their series would go through all series."""

    def job(self, metric: M, key: Key, job: JobKey) -> M:
        """See `Labels`."""
        return self._noted(metric, key, *key, job.group)

    def look(self, metric: M, key: Key) -> M:
        """See `Labels`."""
        return self._noted(metric, key, *key)

    def active(self, key: Key) -> Sequence[str]:
        """See `Labels`."""
        return key

    def end(self, key: Key) -> None:
        """See `Labels`."""
        for metric, values in self._series.pop(key, ()):
            metric.remove(*values)

    def forget(self, known: Container[Key]) -> None:
        """See `Labels`."""
        for key in [key for key in self._series if key not in known]:
            self.end(key)

    def _noted(self, metric: M, key: Key, *values: str) -> M:
        self._series.setdefault(key, set()).add((metric, values))
        return metric.labels(*values)
