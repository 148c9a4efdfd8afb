"""The operator's dashboard for Grafana, as an object that its sidecar finds. No metric is defined here."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.settings import Installation

_HEIGHT, _WIDTH, _ACROSS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "${source}"}


@attrs.frozen
class Panel:
    """One graph: its title, its unit as Grafana names it, and queries with the legends of their lines."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]


def _quantiles(metric: str, *shares: float, by: str = "") -> Sequence[tuple[str, str]]:
    """Quantiles of a histogram, by a label if one is given."""
    labels, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    buckets = f"sum by ({labels}) (rate({metric}_bucket[$__rate_interval]))"
    return [(f"histogram_quantile({share}, {buckets})", f"p{share * 100:.0f}{legend}") for share in shares]


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


_OURS = 'namespace=~"$namespace"'

PANELS = (
    Panel(
        "Workflows",
        "short",
        [(f"sum by (phase) (max by (namespace, phase, reason) (jobsmgr_workflows{{{_OURS}}}))", "{{phase}}")],
    ),
    Panel(
        "Stalled workflows",
        "short",
        [
            (
                "sum by (reason) (max by (namespace, phase, reason) "
                f'(jobsmgr_workflows{{{_OURS}, phase!~"succeeded|failed|aborted", reason!=""}}))',
                "{{reason}}",
            )
        ],
    ),
    Panel(
        "Running jobs",
        "short",
        [(f"sum by (namespace) (max by (namespace, workflow) (managedjob_active_jobs{{{_OURS}}}))", "{{namespace}}")],
    ),
    Panel(
        "Jobs",
        "ops",
        [
            (f"sum(rate(managedjob_jobs_{what}_total{{{_OURS}}}[$__rate_interval]))", what)
            for what in ("created", "succeeded", "failed")
        ],
    ),
    Panel("Job duration", "s", _quantiles("jobsmgr_job_run_seconds", 0.5, 0.95, by="phase")),
    Panel("Wait of ready jobs", "s", _quantiles("jobsmgr_job_wait_seconds", 0.5, 0.95)),
    Panel("Reconcile duration", "s", _quantiles("managedjob_reconciliation_duration_seconds", 0.5, 0.99)),
    Panel("Queue wait", "s", _quantiles("jobsmgr_queue_wait_seconds", 0.99)),
    Panel("Queue depth", "short", [("jobsmgr_queue_depth", "{{instance}}")]),
    Panel("Reconcile errors", "ops", [(_rate("jobsmgr_reconcile_errors_total", "kind"), "{{kind}}")]),
    Panel("Requests", "reqps", [(_rate("jobsmgr_requests_total", "code"), "{{code}}")]),
    Panel("Request duration", "s", _quantiles("jobsmgr_request_duration_seconds", 0.99, by="verb")),
    Panel("Cache age", "s", [("jobsmgr_cache_age_seconds", "{{instance}} {{resource}}")]),
    Panel("Cached objects", "short", [("jobsmgr_cache_objects", "{{instance}} {{resource}}")]),
    Panel("Watch restarts", "ops", [(_rate("jobsmgr_watch_restarts_total", "resource"), "{{resource}}")]),
    Panel("Leader", "short", [("jobsmgr_leader", "{{instance}}")]),
    Panel(
        "Memory",
        "bytes",
        [("process_resident_memory_bytes and on (instance) jobsmgr_build_info", "{{instance}}")],
    ),
    Panel(
        "CPU",
        "short",
        [("rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) jobsmgr_build_info", "{{instance}}")],
    ),
)


def dashboard() -> Manifest:
    """The dashboard, as Grafana imports it."""
    return {
        "uid": "jobsmgr",
        "title": "jobsmgr",
        "tags": ["jobsmgr"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _namespaces()]},
        "panels": [_panel(panel, *divmod(number, _ACROSS)) for number, panel in enumerate(PANELS)],
    }


def dashboard_map(installation: Installation) -> Manifest:
    """The dashboard in a ConfigMap with the label that the sidecar of Grafana's chart looks for."""
    metadata = installation.placed("-dashboard")
    labels = {**metadata["labels"], "grafana_dashboard": "1"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**metadata, "labels": labels},
        "data": {"jobsmgr.json": json.dumps(dashboard(), indent=2) + "\n"},
    }


def _source() -> Manifest:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _namespaces() -> Manifest:
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(jobsmgr_workflows, namespace)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(panel: Panel, row: int, column: int) -> Manifest:
    return {
        "id": row * _ACROSS + column + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for number, (query, legend) in enumerate(panel.queries)
        ],
    }
