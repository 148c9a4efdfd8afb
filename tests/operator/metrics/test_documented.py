"""Every metric is in the table of docs/monitoring.md, with its type and what its HELP line says, and no other is."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from jobsmgr.cluster.adapter import KubernetesCluster
from jobsmgr.cluster.trim import DEPENDANTS
from jobsmgr.connection.target import Target
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.operator.metrics.metrics import Metrics, labels_of
from jobsmgr.operator.parts import Parts
from tests.cli.program import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| [^|]* \| (.+) \|$", re.MULTILINE)
OF_PYTHON = ("process_", "python_")


async def exported() -> dict[str, tuple[str, str]]:
    """All metrics of a process whose cluster has never answered: type and HELP by name."""
    parts = Parts(watchdog=Watchdog())
    parts.cluster = KubernetesCluster(
        Target(), namespaces=(), writes=1, may_write=lambda _: False, dependants=DEPENDANTS
    )
    text = Metrics(parts, labels_of(workflows=False)).exposition("").content.decode()
    families = text_string_to_metric_families(text)
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in families
        if not family.name.startswith(OF_PYTHON)
    }


async def test_the_table_has_every_metric() -> None:
    """In any order."""
    text = (ROOT / "docs" / "monitoring.md").read_text()
    assert {name: (kind, words) for name, kind, words in ROW.findall(text)} == await exported()
