"""Each metric counts what its name says: on the loop, in virtual time. What needs a cluster has end-to-end tests."""

from __future__ import annotations

import sys
from typing import Any

import anyio
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from jobsmgr import Phase, Workflow, hookimpl
from jobsmgr.connection.exchange import NO_ANSWER, Exchange
from jobsmgr.engine.port import Key
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.operator.metrics.labels import Labels, WorkflowLabels
from jobsmgr.operator.metrics.metrics import Metrics
from jobsmgr.operator.parts import Parts
from tests.core.world import group, job, manifest
from tests.engine.world import QUOTA, FakeCluster, loop

pytestmark = pytest.mark.virtual_time

BUCKETS = "managedjob_reconciliation_duration_seconds_bucket"
parse_openmetrics: Any = openmetrics.text_string_to_metric_families
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def metrics(labels: Labels | None = None) -> Metrics:
    return Metrics(Parts(watchdog=Watchdog()), labels or Labels())


def samples(counted: Metrics) -> Samples:
    """All values now, by name and labels, as Prometheus reads them."""
    text = counted.now().exposition("text/plain").content.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(counted: Metrics, name: str, **labels: str) -> float | None:
    return samples(counted).get((name, frozenset(labels.items())))


GO = {
    "managedjob_jobs_created_total": ("counter", {"namespace", "workflow", "group"}),
    "managedjob_jobs_succeeded_total": ("counter", {"namespace", "workflow", "group"}),
    "managedjob_jobs_failed_total": ("counter", {"namespace", "workflow", "group"}),
    "managedjob_reconciliation_duration_seconds_count": ("histogram", {"namespace", "workflow"}),
}
"""The Go operator's metrics with their types and labels; the fifth, `managedjob_active_jobs`, needs a cluster."""


async def test_the_go_operators_metrics_have_its_types_and_labels() -> None:
    """With the names of workflows as labels; its histogram, which it never fills, has its buckets and is filled."""
    counted, cluster = metrics(WorkflowLabels()), FakeCluster()
    cluster.apply(manifest(group("g", job("a", parallel=True), job("b", parallel=True))))
    async with loop(cluster, meter=counted.counted):
        cluster.end("wf-g-a")
        await anyio.sleep(10)
        cluster.end("wf-g-b", result=Phase.FAILED)
        await anyio.sleep(10)
    text = counted.now().exposition("").content.decode()
    found = {
        sample.name: (family.type, set(sample.labels))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert {name: found[name] for name in GO} == GO
    bounds = [float(dict(labels)["le"]) for name, labels in samples(counted) if name == BUCKETS]
    assert sorted(bounds) == [*(0.001 * 2**power for power in range(15)), float("inf")]
    one: dict[str, Any] = {"namespace": "default", "workflow": "wf", "group": "g"}
    assert value(counted, "managedjob_jobs_created_total", **one) == 2
    assert value(counted, "managedjob_jobs_succeeded_total", **one) == 1
    assert value(counted, "managedjob_jobs_failed_total", **one) == 1
    looks = value(counted, "managedjob_reconciliation_duration_seconds_count", namespace="default", workflow="wf")
    assert looks is not None
    assert looks >= 3


async def test_namespaces_are_the_only_labels_by_default() -> None:
    """Two workflows of a namespace count together."""
    counted, cluster = metrics(), FakeCluster()
    for name in ("one", "two"):
        cluster.apply(manifest(group("g", "a"), name=name))
    async with loop(cluster, meter=counted.counted):
        pass
    assert value(counted, "managedjob_jobs_created_total", namespace="default") == 2
    assert (value(counted, "managedjob_reconciliation_duration_seconds_count") or 0) >= 2


async def test_how_long_jobs_waited_and_ran() -> None:
    """From when the last job that it waits for has ended; a retry on request begins a new wait."""
    counted, cluster = metrics(), FakeCluster()
    cluster.apply(manifest(group("g", "a", "b")))
    async with loop(cluster, meter=counted.counted):
        await anyio.sleep(30)
        cluster.end("wf-g-a")
        await anyio.sleep(30)
        cluster.end("wf-g-b")
        await anyio.sleep(30)
    assert value(counted, "jobsmgr_job_wait_seconds_count") == 2
    assert value(counted, "jobsmgr_job_wait_seconds_sum") == pytest.approx(0, abs=2)
    assert value(counted, "jobsmgr_job_run_seconds_count", phase="succeeded") == 2
    assert value(counted, "jobsmgr_job_run_seconds_sum", phase="succeeded") == pytest.approx(60, abs=2)


async def test_a_wait_ends_when_the_job_exists() -> None:
    """A quota that refuses it for a while is a part of it."""
    counted, cluster = metrics(), FakeCluster()
    cluster.always["create_job"] = QUOTA
    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster, meter=counted.counted):
        await anyio.sleep(100)
        assert value(counted, "jobsmgr_job_wait_seconds_count") == 0
        cluster.always.clear()
        await anyio.sleep(300)
    assert value(counted, "jobsmgr_job_wait_seconds_count") == 1
    assert (value(counted, "jobsmgr_job_wait_seconds_sum") or 0) >= 100


async def test_looks_that_fail() -> None:
    """By who is to blame; both are there from the start, so that a first failure is an increase."""
    counted = metrics()
    assert value(counted, "jobsmgr_reconcile_errors_total", kind="plugin") == 0

    def validate(workflow: Workflow) -> list[Any]:
        raise RuntimeError(workflow.name)

    plugin = type("Plugin", (), {"jobsmgr_validate": staticmethod(hookimpl(validate))})
    cluster = FakeCluster()
    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster, load_hooks([("bad", plugin)], installed=False), meter=counted.counted):
        pass
    assert value(counted, "jobsmgr_reconcile_errors_total", kind="plugin") == 1
    cluster = FakeCluster()
    cluster.always["wf-g-a"] = RuntimeError("a defect")
    cluster.apply(manifest(group("g", "a")))
    async with loop(cluster, meter=counted.counted):
        pass
    assert value(counted, "jobsmgr_reconcile_errors_total", kind="internal") == 1


async def test_how_long_workflows_wait_for_a_worker() -> None:
    """One worker, whose first look takes 10 s."""
    counted, cluster = metrics(), FakeCluster()
    cluster.takes["create_job"] = 10
    for name in ("one", "two"):
        cluster.apply(manifest(group("g", "a"), name=name))
    async with loop(cluster, meter=counted.counted, workers=1):
        await anyio.sleep(15)
    assert (value(counted, "jobsmgr_queue_wait_seconds_sum") or 0) >= 10


async def test_requests_by_verb_resource_and_code() -> None:
    """One without an answer has a code of its own."""
    counted = metrics()
    for code in ("201", "201", NO_ANSWER):
        counted.counted.note(Exchange(role="write", verb="create", resource="jobs", code=code, seconds=0.25))
    assert value(counted, "jobsmgr_requests_total", verb="create", resource="jobs", code="201") == 2
    assert value(counted, "jobsmgr_requests_total", verb="create", resource="jobs", code="none") == 1
    assert value(counted, "jobsmgr_request_duration_seconds_sum", verb="create", resource="jobs") == 0.75


async def test_series_of_a_workflow_end_with_it() -> None:
    """Those of the others stay."""
    labels = WorkflowLabels()
    counted, cluster = metrics(labels), FakeCluster()
    for name in ("one", "two"):
        cluster.apply(manifest(group("g", "a"), group("h", job("b", parallel=True), parallel=True), name=name))
    async with loop(cluster, meter=counted.counted):
        pass
    assert {dict(found).get("workflow") for _, found in samples(counted)} == {None, "one", "two"}
    labels.forget({Key("default", "two")})
    assert {dict(found).get("workflow") for _, found in samples(counted)} == {None, "two"}


async def test_series_of_a_workflow_end_when_it_is_deleted() -> None:
    """Though nobody scrapes; the look that finds it gone leaves none either."""
    counted, cluster = metrics(WorkflowLabels()), FakeCluster()
    for name in ("one", "two"):
        cluster.apply(manifest(group("g", "a"), name=name))
    async with loop(cluster, meter=counted.counted):
        cluster.remove(Key("default", "one"))
        await anyio.sleep(10)
    assert {dict(found).get("workflow") for _, found in samples(counted)} == {None, "two"}


def test_series_that_end_are_not_searched_for_among_all() -> None:
    """Thousands may be deleted at once, and the loop waits: one ends in as many calls, whatever is kept."""

    def calls(others: int) -> int:
        labels = WorkflowLabels()
        counted = metrics(labels).counted
        keys = [Key("default", f"wf-{number}") for number in range(others + 1)]
        for key in keys:
            counted.looked(key, 1.0)
        seen: list[str] = []
        sys.setprofile(lambda _, event, __: seen.append(event))
        try:
            labels.forget(frozenset(keys[1:]))
        finally:
            sys.setprofile(None)
        return len(seen)

    assert calls(others=400) == calls(others=4)


async def test_the_form_that_is_asked_for() -> None:
    """Prometheus asks for OpenMetrics first; curl for nothing."""
    forms = ("*/*", "application/openmetrics-text;version=1.0.0")
    plain, open_metrics = (metrics().now().exposition(accept) for accept in forms)
    assert plain.media_type.startswith("text/plain; version=0.0.4")
    assert open_metrics.media_type.startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in parse_openmetrics(open_metrics.content.decode())}
    assert {"jobsmgr_build_info", "jobsmgr_requests", "process_resident_memory_bytes"} <= names
