"""Metrics that are read at each scrape: workflows, queue, caches, leadership. Nothing is kept here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from platform import python_version
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.connection.target import own_version
from jobsmgr.operator.metrics.labels import Labels
from jobsmgr.operator.parts import Parts

Values: TypeAlias = Iterable[tuple[Sequence[str], float]]
"""Values, each with its label values."""


class State(Collector):
    """Collects from the parts of the process, as far as they have come up."""

    def __init__(self, parts: Parts, labels: Labels) -> None:
        self._parts, self._labels = parts, labels

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        yield from self._of_process()
        if (cluster := self._parts.cluster) is not None:
            yield from _of_caches(cluster)
            yield from self._of_workflows(cluster)

    def _of_process(self) -> Iterator[Metric]:
        parts = self._parts
        versions = [((own_version(), python_version()), 1.0)]
        leads = parts.leadership is not None and parts.leadership.leads
        ready = parts.queue.ready if parts.queue is not None else 0
        yield _gauge("jobsmgr_build_info", "1, with the versions as labels.", ("version", "python"), versions)
        yield _gauge("jobsmgr_leader", "1 if this replica leads, else 0.", (), [((), leads)])
        yield _gauge("jobsmgr_queue_depth", "Workflows that are waiting for a worker.", (), [((), ready)])
        yield _counter(
            "jobsmgr_event_loop_blocks",
            "Number of times that the event loop was blocked.",
            (),
            [((), parts.watchdog.blocked)],
        )

    def _of_workflows(self, cluster: KubernetesCluster) -> Iterator[Metric]:
        workflows: Counter[Sequence[str]] = Counter()
        running: Counter[Sequence[str]] = Counter()
        for key, summary in cluster.cache.summaries():
            workflows[key.namespace, summary.phase, summary.reason] += 1
            running[tuple(self._labels.active(key))] += summary.running
        yield _gauge(
            "jobsmgr_workflows", "Workflows by phase and reason.", ("namespace", "phase", "reason"), workflows.items()
        )
        yield _gauge("managedjob_active_jobs", "Running jobs of workflows.", self._labels.of_active, running.items())


def _of_caches(cluster: KubernetesCluster) -> Iterator[Metric]:
    ages: dict[Sequence[str], float] = {}
    restarts: Counter[Sequence[str]] = Counter()
    for watch in cluster.watches():
        name = (watch.resource.plural,)
        ages[name] = max(watch.age, ages.get(name, 0.0))
        restarts[name] += watch.restarts
    objects = {(store.kind.resource.plural,): len(store.places()) for store in cluster.cache.stores}
    labels = ("resource",)
    yield _gauge("jobsmgr_cache_age_seconds", "Time since the API server last sent anything.", labels, ages.items())
    yield _gauge("jobsmgr_cache_objects", "Objects in the cache.", labels, objects.items())
    yield _counter("jobsmgr_watch_restarts", "Number of times that a watch was restarted.", labels, restarts.items())


def _gauge(name: str, words: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(GaugeMetricFamily(name, words, labels=labels), values)


def _counter(name: str, words: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(CounterMetricFamily(name, words, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    for labels, value in values:
        family.add_metric(labels, value)
    return family
