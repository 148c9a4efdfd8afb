"""The metrics of one process, and how they are written down. Nothing is counted here."""

from __future__ import annotations

import attrs
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from jobsmgr.operator.metrics.counted import Counted
from jobsmgr.operator.metrics.labels import Labels, WorkflowLabels
from jobsmgr.operator.metrics.state import State
from jobsmgr.operator.parts import Parts


@attrs.frozen
class Exposition:
    """The metrics as Prometheus reads them."""

    content: bytes
    media_type: str


class Metrics:
    """A registry of its own, so that nothing of plugins or libraries is mixed in."""

    def __init__(self, parts: Parts, labels: Labels) -> None:
        # A series beside each counter and histogram that says since when it counts: Prometheus finds that out itself.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._parts, self._labels = parts, labels
        self._registry = CollectorRegistry()
        self.counted = Counted(self._registry, labels)
        self._registry.register(State(parts, labels))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def exposition(self, accept: str) -> Exposition:
        """All metrics now, in the form that an `Accept` header asks for."""
        if self._parts.cluster is not None:
            self._labels.forget(frozenset(self._parts.cluster.keys()))
        encode, media_type = choose_encoder(accept)
        return Exposition(encode(self._registry), media_type)


def labels_of(*, workflows: bool) -> Labels:
    """The labels of workflows' metrics."""
    return WorkflowLabels() if workflows else Labels()
