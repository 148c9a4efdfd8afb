"""By what the metrics of workflows are told apart: namespaces, or each workflow. Nothing is counted here."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TypeVar

from prometheus_client import Counter, Histogram

from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key

M = TypeVar("M", Counter, Histogram)


class Labels:
    """Labels of namespaces alone: there are few of them, and workflows come and go by the thousand."""

    of_jobs: Sequence[str] = ("namespace",)
    """Names of the labels of what is counted by jobs."""
    of_looks: Sequence[str] = ()
    """Names of the labels of what is counted by looks at a workflow."""
    of_active: Sequence[str] = ("namespace",)
    """Names of the labels of how many jobs run."""

    def job(self, metric: M, key: Key, job: JobKey) -> M:
        """The series of a workflow's job."""
        return metric.labels(key.namespace)

    def look(self, metric: M, key: Key) -> M:
        """The series of a workflow's looks."""
        return metric

    def active(self, key: Key) -> Sequence[str]:
        """The labels of how many jobs of a workflow run."""
        return (key.namespace,)

    def forget(self, known: Container[Key]) -> None:
        """Drop the series of workflows that are not known any more."""


class WorkflowLabels(Labels):
    """Labels of each workflow too, as the Go operator has them; its series end when the workflow is gone."""

    of_jobs = ("namespace", "workflow", "group")
    of_looks = of_active = ("namespace", "workflow")

    def __init__(self) -> None:
        self._series: dict[Key, set[tuple[Counter | Histogram, tuple[str, ...]]]] = {}
        """Of each workflow: thousands may be deleted at once, and a search for theirs would look at all of them."""

    def job(self, metric: M, key: Key, job: JobKey) -> M:
        """See `Labels`."""
        return self._noted(metric, key, *key, job.group)

    def look(self, metric: M, key: Key) -> M:
        """See `Labels`."""
        return self._noted(metric, key, *key)

    def active(self, key: Key) -> Sequence[str]:
        """See `Labels`."""
        return key

    def forget(self, known: Container[Key]) -> None:
        """See `Labels`."""
        for key in [key for key in self._series if key not in known]:
            for metric, values in self._series.pop(key):
                metric.remove(*values)

    def _noted(self, metric: M, key: Key, *values: str) -> M:
        self._series.setdefault(key, set()).add((metric, values))
        return metric.labels(*values)
