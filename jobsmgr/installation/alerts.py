"""Alerts, as rules of Prometheus. What to do about them is in docs/runbooks.md, with a heading for each."""

from __future__ import annotations

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.installation.settings import Installation


@attrs.frozen(kw_only=True)
class Alert:
    """One alert."""

    name: str
    expression: str
    lasting: str
    """How long the expression must be true before the alert fires."""
    severity: str
    """`critical`: no workflow continues; `warning`: some do not, or soon will not; `info`: for their owners."""
    summary: str


ALERTS = (
    Alert(
        name="JobsmgrDown",
        expression="absent(jobsmgr_build_info)",
        lasting="5m",
        severity="critical",
        summary="No operator is scraped.",
    ),
    Alert(
        name="JobsmgrNoLeader",
        expression="sum(jobsmgr_leader) == 0",
        lasting="2m",
        severity="critical",
        summary="No replica leads, so no workflow continues.",
    ),
    Alert(
        name="JobsmgrSeveralLeaders",
        expression="count by (namespace) (jobsmgr_leader == 1) > 1",
        lasting="2m",
        severity="warning",
        summary="{{ $value }} replicas in namespace {{ $labels.namespace }} report that they lead.",
    ),
    Alert(
        name="JobsmgrQueueStuck",
        expression=(
            "min_over_time(jobsmgr_queue_depth[5m]) > 0 "
            "unless on (instance) rate(jobsmgr_queue_wait_seconds_count[5m]) > 0"
        ),
        lasting="5m",
        severity="critical",
        summary="{{ $value }} workflows wait on {{ $labels.instance }}, and none is processed.",
    ),
    Alert(
        name="JobsmgrQueueSlow",
        expression="histogram_quantile(0.99, sum by (le) (rate(jobsmgr_queue_wait_seconds_bucket[10m]))) > 4",
        lasting="15m",
        severity="warning",
        summary="Workflows wait {{ $value | humanizeDuration }} for a worker.",
    ),
    Alert(
        name="JobsmgrEventLoopBlocked",
        expression="increase(jobsmgr_event_loop_blocks_total[15m]) > 0",
        lasting="0m",
        severity="warning",
        summary="Something blocks the event loop of {{ $labels.instance }}; its log names it.",
    ),
    Alert(
        name="JobsmgrReconcileErrors",
        expression="sum by (kind) (increase(jobsmgr_reconcile_errors_total[15m])) > 0",
        lasting="15m",
        severity="warning",
        summary="Reconciliation of workflows fails ({{ $labels.kind }}).",
    ),
    Alert(
        name="JobsmgrCacheStale",
        expression="max by (instance, resource) (jobsmgr_cache_age_seconds) > 180",
        lasting="5m",
        severity="warning",
        summary=(
            "{{ $labels.instance }} has received nothing about {{ $labels.resource }} "
            "for {{ humanizeDuration $value }}."
        ),
    ),
    Alert(
        name="JobsmgrRequestsFail",
        expression=(
            'sum(rate(jobsmgr_requests_total{code=~"5..|429|none"}[10m])) '
            "/ sum(rate(jobsmgr_requests_total[10m])) > 0.1"
        ),
        lasting="10m",
        severity="warning",
        summary="{{ $value | humanizePercentage }} of the requests to the API server fail.",
    ),
    Alert(
        name="JobsmgrRightMissing",
        expression=(
            'sum by (verb, resource) (increase(jobsmgr_requests_total{code="403"}[15m])) > 0 '
            'unless on (verb, resource) jobsmgr_requests_total{verb="create", resource="jobs"}'
        ),
        lasting="15m",
        severity="warning",
        summary='The API server does not allow the operator to "{{ $labels.verb }}" {{ $labels.resource }}.',
    ),
    Alert(
        name="JobsmgrWorkflowStalled",
        expression=(
            "sum by (namespace, reason) (max by (namespace, phase, reason) "
            '(jobsmgr_workflows{phase!~"succeeded|failed|aborted", reason!=""})) > 0'
        ),
        lasting="15m",
        severity="warning",
        summary="{{ $value }} workflows in namespace {{ $labels.namespace }} are stalled: {{ $labels.reason }}.",
    ),
    Alert(
        name="JobsmgrJobsFail",
        expression="sum by (namespace) (increase(managedjob_jobs_failed_total[15m])) > 0",
        lasting="0m",
        severity="info",
        summary="Jobs of workflows in namespace {{ $labels.namespace }} fail.",
    ),
)
"""All alerts."""


def rule_groups() -> list[Manifest]:
    """The groups of a rule file of Prometheus."""
    return [{"name": "jobsmgr", "rules": [_rule(alert) for alert in ALERTS]}]


def prometheus_rule(installation: Installation) -> Manifest:
    """The alerts for the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": installation.placed("-alerts"),
        "spec": {"groups": rule_groups()},
    }


def _rule(alert: Alert) -> Manifest:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook": f"docs/runbooks.md#{alert.name.lower()}"},
    }
