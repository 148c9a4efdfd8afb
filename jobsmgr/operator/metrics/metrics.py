"""The metrics of one process and their exposition. Nothing is counted here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from jobsmgr.operator.metrics.counted import Counted
from jobsmgr.operator.metrics.labels import Labels
from jobsmgr.operator.metrics.state import State
from jobsmgr.operator.parts import Parts


@attrs.frozen
class Exposition:
    """The metrics as Prometheus reads them."""

    content: bytes
    media_type: str


class Moment(Collector):
    """All metrics at one moment: what was read in the loop's thread, and counters, which have locks of their own."""

    def __init__(self, state: Sequence[Metric], registry: CollectorRegistry) -> None:
        self._state, self._registry = state, registry

    def collect(self) -> Iterable[Metric]:
        """See prometheus_client."""
        yield from self._state
        yield from self._registry.collect()

    def exposition(self, accept: str) -> Exposition:
        """The text in the format that an `Accept` header asks for. For any thread: many series take long."""
        encode, media_type = choose_encoder(accept)
        return Exposition(encode(self), media_type)


class Metrics:
    """A registry of its own, so that nothing of plugins or libraries is mixed in."""

    def __init__(self, parts: Parts, labels: Labels) -> None:
        # The `_created` series beside each counter and histogram: Prometheus detects resets without them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._parts, self._labels = parts, labels
        self._registry = CollectorRegistry()
        self._state = State(parts, labels)
        self.counted = Counted(self._registry, labels)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def now(self) -> Moment:
        """All metrics now; only in the loop's thread, whose parts it reads."""
        if self._parts.cluster is not None:
            self._labels.forget(self._parts.cluster.cache.workflows)
        return Moment(tuple(self._state.collect()), self._registry)
