"""All metrics that the operator exports, as a process without a cluster shows them. Nothing is tested here."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.cluster.trim import DEPENDANTS
from jobsmgr.connection.target import Target
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.operator.metrics.labels import Labels
from jobsmgr.operator.metrics.metrics import Metrics
from jobsmgr.operator.parts import Parts

OF_PYTHON = ("process_", "python_")


async def exported() -> dict[str, tuple[str, str]]:
    """All metrics of a process whose cluster has never answered: type and HELP by name."""
    parts = Parts(watchdog=Watchdog())
    parts.cluster = KubernetesCluster(
        Target(), namespaces=(), writes=1, may_write=lambda _: False, dependants=DEPENDANTS
    )
    text = Metrics(parts, Labels()).now().exposition("").content.decode()
    families = text_string_to_metric_families(text)
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in families
        if not family.name.startswith(OF_PYTHON)
    }


SERIES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}


async def series() -> set[str]:
    """The names by which queries ask for them, those of Python's client included."""
    ours = {f"{name}{end}" for name, (kind, _) in (await exported()).items() for end in SERIES[kind]}
    return {*ours, "process_resident_memory_bytes", "process_cpu_seconds_total"}
