"""Defects of probes and metrics: who is started again for nothing, what is counted wrong, and who may read it."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "a workflow that comes after a long rest makes liveness fail at once",
        "engine/queue.py",
        "                self.last_progress = moment\n",
        "                pass\n",
        "operator/test_health.py::test_nothing_to_do_is_no_stall",
    ),
    Mutant(
        "liveness fails while the API server has asked for a pause",
        "operator/health.py",
        "self._parts.throttle.is_pausing or ",
        "",
        "operator/test_health.py::test_a_slow_api_server_is_none_either",
    ),
    Mutant(
        "the renewals of the lease count as progress of the workers",
        "operator/health.py",
        "        if exchange.role == WORKERS:\n",
        "        if exchange:\n",
        "operator/test_health.py::test_a_slow_api_server_is_none_either",
    ),
    Mutant(
        "events count as progress of the workers",
        "cluster/adapter.py",
        "Events(window.in_background(), ",
        "Events(window, ",
        "cluster/test_events.py::test_what_no_worker_waits_for_is_not_reported_as_the_workers_own",
    ),
    Mutant(
        "a replica is ready before it has listed anything",
        "cluster/watch.py",
        "        if self._refusal or self._have:",
        "        if self._refusal or not self._have:",
        "operator/test_health.py::test_ready_when_started_and_synced",
    ),
    Mutant(
        "what the server's block raises comes out as a group",
        "engine/supervision.py",
        "            failure = raised\n",
        "            raise\n",
        "operator/http/test_server.py::test_what_the_block_raises_comes_out_as_it_is",
    ),
    Mutant(
        "a job that failed counts as one that succeeded",
        "operator/metrics/counted.py",
        "Phase.FAILED: self._failed}",
        "Phase.FAILED: self._succeeded}",
        "operator/metrics/test_metrics.py::test_the_go_operators_metrics_have_its_types_and_labels",
    ),
    Mutant(
        "series of workflows that are gone stay",
        "operator/metrics/labels.py",
        "[key for key in self._series if key not in known]",
        "[key for key in self._series if key in ()]",
        "operator/metrics/test_metrics.py::test_series_of_a_workflow_end_with_it",
    ),
    Mutant(
        "series of workflows that are gone stay until somebody scrapes",
        "engine/loop.py",
        "            reconciler.meter.gone(key)\n",
        "            pass\n",
        "operator/metrics/test_metrics.py::test_series_of_a_workflow_end_when_it_is_deleted",
    ),
    Mutant(
        "a job's wait begins with its workflow, whatever it waits for",
        "core/waits.py",
        "yield key, max([ends[node] for node in waited], default=status.began)",
        "yield key, status.began",
        "core/test_waits.py::test_it_is_the_last_end_of_all_that_a_job_waits_for[row]",
    ),
    Mutant(
        "a token that is known may read the metrics, whatever its holder may do",
        "connection/reviews.py",
        'Verdict.ALLOWED if found.get("allowed") is True else Verdict.DENIED',
        "Verdict.ALLOWED if found is not None else Verdict.DENIED",
        "operator/http/test_guard.py::test_only_those_who_may_get_the_path",
    ),
)
