"""What `/metrics` says while an operator works: the workflows that there are, what was done, and who leads."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.shapes import chain
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


class Scraped:
    """The metrics of one replica at one moment."""

    def __init__(self, server: Server) -> None:
        text = server.get("/metrics").text
        families = text_string_to_metric_families(text)
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the series that have these labels."""
        return sum(
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def workflows(self) -> set[str]:
        """The workflows that any series names."""
        return {sample.labels["workflow"] for sample in self.samples if "workflow" in sample.labels}


def test_a_run_as_prometheus_sees_it(workflows: Workflows, jobs: JobFinisher, operators: Operators, site: Site) -> None:
    """While it runs, after its end, and after its deletion; a standby knows the workflows and has done nothing."""
    server, other = Server(), Server()
    flags = ("--metrics-workflow-labels",)
    operators(flags=flags, environment=server.environment).wait_for_log('"event": "leading"')
    operators(flags=flags, environment=other.environment).wait_for_log("another replica leads")
    jobs.hold("*")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for_phases("etl", chain__job_0="running")

    def runs() -> bool:
        found = Scraped(server)
        assert found.value("managedjob_active_jobs", workflow="etl") == 1
        assert found.value("jobsmgr_workflows", namespace=site.namespace, phase="running") == 1
        assert found.value("managedjob_jobs_created_total", workflow="etl", group="chain") == 1
        assert found.value("jobsmgr_job_wait_seconds_count") == 1
        return True

    eventually(runs, "a job runs")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")

    def ended() -> bool:  # what the watch tells is known at once, what was done is counted when it has been done
        found = Scraped(server)
        assert found.value("jobsmgr_workflows", phase="succeeded") == 1
        assert found.value("managedjob_jobs_succeeded_total", workflow="etl") == 2
        return found.value("managedjob_reconciliation_duration_seconds_count", workflow="etl") >= 3

    eventually(ended, "it has ended")
    found = Scraped(server)
    assert found.value("jobsmgr_workflows") == found.value("jobsmgr_workflows", phase="succeeded")
    assert found.value("managedjob_active_jobs", workflow="etl") == 0
    assert found.value("managedjob_jobs_created_total", namespace=site.namespace, workflow="etl", group="chain") == 2
    assert found.value("managedjob_jobs_succeeded_total", workflow="etl") == 2
    assert found.value("managedjob_jobs_failed_total") == 0
    assert found.value("managedjob_reconciliation_duration_seconds_count", workflow="etl") >= 3
    assert found.value("jobsmgr_job_run_seconds_count", phase="succeeded") == 2
    assert found.value("jobsmgr_requests_total", verb="create", resource="jobs", code="201") == 2
    assert found.value("jobsmgr_requests_total", verb="patch", resource="managedjobs/status", code="200") >= 2
    assert found.value("jobsmgr_requests_total", verb="watch", resource="jobs", code="200") >= 1

    def renewed() -> bool:
        return Scraped(server).value("jobsmgr_requests_total", verb="update", resource="leases", code="200") >= 1

    eventually(renewed, "the lease has been renewed")
    assert found.value("jobsmgr_request_duration_seconds_count", verb="create", resource="jobs") == 2
    assert found.value("jobsmgr_queue_wait_seconds_count") >= 3
    assert found.value("jobsmgr_cache_objects", resource="jobs") == 2
    assert 0 <= found.value("jobsmgr_cache_age_seconds", resource="managedjobs") < 100
    assert found.value("jobsmgr_build_info") == found.value("jobsmgr_leader") == 1
    assert found.value("process_resident_memory_bytes") > 1e7
    eventually(lambda: Scraped(other).value("jobsmgr_workflows", phase="succeeded") == 1, "the standby has seen it too")
    standby = Scraped(other)
    assert standby.value("jobsmgr_leader") == 0
    assert standby.value("managedjob_jobs_created_total") == 0
    workflows.delete("etl")

    def gone() -> bool:
        return Scraped(server).workflows() == set()

    eventually(gone, "no series names it")


def test_a_port_that_another_replica_has(workflows: Workflows, jobs: JobFinisher, operators: Operators) -> None:
    """It is named in the log; the replica works without it, and serves it when the other has ended."""
    server = Server()
    first = operators(environment=server.environment)
    first.wait_for_log('"event": "leading"')
    second = operators(environment=server.environment)
    second.wait_for_log(f"port {server.port} of all addresses is in use by another process")
    second.wait_for_log("another replica leads")
    assert first.terminate() == 0
    second.wait_for_log('"event": "leading"')
    workflows.create_spec("etl", chain(1))
    workflows.wait_for("etl", "Complete")
    eventually(lambda: server.code("/readyz") == 200, "the port is served")
    found = Scraped(server)
    assert found.value("jobsmgr_leader") == 1
    assert found.value("managedjob_jobs_created_total") == 1
