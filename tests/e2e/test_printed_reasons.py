"""Why a workflow does not go on, or how it ended, is in one `kubectl get`, as the real kubectl prints it."""

import pytest

from tests.e2e.shapes import chain, fan, group, job
from tests.plane import rights
from tests.plane.admission import denied, set_quota
from tests.plane.columns import printed
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows


def shows(site: Site, name: str, reason: str, *words: str) -> None:
    """Wait until `kubectl get mjob -o wide` shows a workflow with this reason and these words in its message."""
    path = Workflows(*site).path

    def stored() -> bool:
        status = site.plane.call("GET", f"{path}/{name}").get("status", {})
        return any(one["reason"] == reason and one["status"] == "True" for one in status.get("conditions", ()))

    eventually(stored, f"{name} has a condition with {reason}")  # one request a look, where kubectl is a process each

    def ask() -> bool:
        row = printed(*site, "-o", "wide")[name]
        assert row["REASON"] == reason, f"{row}"
        assert all(word in row["MESSAGE"] for word in words), f"{row}"
        return True

    eventually(ask, f"{name} shows {reason}")


@pytest.mark.fast_plane
def test_titles_and_what_a_plain_get_shows(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """No title has a space; the reason is there without a flag, also of an invalid workflow."""
    jobs.script("failed/chain/job-0", FAILS)
    jobs.hold("running/chain/job-1")
    for name in ("done", "failed", "running"):
        workflows.create_spec(name, chain(2))
    workflows.create_spec("invalid", {"groups": [group("only", job("one", "nobody"), "two")]})
    for name in ("done", "failed", "invalid"):
        workflows.wait_for(name)
    workflows.wait_for_phases("running", chain__job_1="running")
    plain = printed(*site)
    assert [*plain["done"]] == ["NAME", "STATUS", "PROGRESS", "REASON", "AGE"]
    shown = {name: (row["STATUS"], row["PROGRESS"], row["REASON"]) for name, row in plain.items()}
    assert shown == {
        "done": ("succeeded", "2/2", "Succeeded"),
        "failed": ("failed", "0/2", "JobsFailed"),
        "running": ("running", "1/2", "Running"),
        "invalid": ("failed", "0/2", "InvalidSpec"),
    }
    wide = printed(*site, "-o", "wide")
    further = ["RUNNING", "FAILED", "DURATION", "AGE", "MESSAGE"]
    assert [*wide["done"]] == ["NAME", "STATUS", "PROGRESS", "REASON", *further]
    assert wide["done"]["DURATION"].endswith("s")
    assert wide["running"]["DURATION"] == ""
    assert wide["failed"]["MESSAGE"].startswith('job "chain/job-0" failed: BackoffLimitExceeded')
    assert wide["invalid"]["MESSAGE"].startswith("spec.groups[0].jobs[0].dependencies[0]")
    chosen = printed(*site, "--field-selector=status.phase=failed")
    assert chosen.keys() == {"failed", "invalid"}


@pytest.mark.fast_plane
def test_a_job_that_the_cluster_refuses_is_shown_with_its_words(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """A full quota and a policy pass by themselves: Reconciling, with the first job and how many more there are."""
    jobs.hold("*")
    set_quota(*site, 1)
    workflows.create_spec("wide", fan(3))
    shows(site, "wide", "QuotaExceeded", 'job "fan/job-', " and 1 more: ", "exceeded quota: jobs")
    assert workflows.condition("wide", "Reconciling")["status"] == "True"
    set_quota(*site, 10)
    with denied(*site, message="no Jobs on Tuesdays"):
        workflows.create_spec("refused", chain(2))
        shows(site, "refused", "AdmissionDenied", 'job "chain/job-0": ', "no Jobs on Tuesdays")
    jobs.release("*")
    for name in ("wide", "refused"):
        workflows.wait_for(name, "Complete")


@pytest.mark.fast_plane
def test_what_a_person_has_to_do_stalls_it(
    workflows: Workflows, jobs: JobFinisher, by_hand: JobsByHand, operator: OperatorProcess, site: Site
) -> None:
    """A name that is taken, a Job that is suspended beside one that goes on: kstatus reads Failed until it is done."""
    jobs.hold("*")
    by_hand.create("blocked-chain-job-0")
    workflows.create_spec("blocked", chain(2))
    workflows.create_spec("held", fan(2))
    shows(site, "blocked", "NameConflict", 'job "chain/job-0": Job blocked-chain-job-0 exists and has no controller')
    workflows.wait_for_phases("held", fan__job_0="running", fan__job_1="running")
    by_hand.edit("held-fan-job-1", {"spec": {"suspend": True}})
    shows(site, "held", "Suspended", 'job "fan/job-1": Job held-fan-job-1 is suspended')
    for name in ("blocked", "held"):
        assert workflows.condition(name, "Stalled")["status"] == "True"
        assert workflows.condition(name, "Reconciling")["status"] == "False"
    by_hand.delete("blocked-chain-job-0")
    by_hand.edit("held-fan-job-1", {"spec": {"suspend": False}})
    jobs.release("*")
    for name in ("blocked", "held"):
        workflows.wait_for(name, "Complete")


@pytest.mark.fast_plane
def test_an_edit_that_comes_too_late_is_answered(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """By observedGeneration, by the message of Finished, and by a Warning; what has ended stays."""
    workflows.create_spec("late", {**chain(1), "ttlSecondsAfterFinished": 600})
    before = workflows.wait_for("late")
    workflows.edit("late", {"spec": {"ttlSecondsAfterFinished": 700}})  # it counts after the end, so nothing is said
    eventually(lambda: workflows.status("late").get("observedGeneration") == 2, "the edit has been seen")
    assert workflows.condition("late", "Finished")["message"] == "1/1 jobs succeeded"
    workflows.edit("late", {"spec": chain(3)})
    eventually(lambda: workflows.status("late").get("observedGeneration") == 3, "the edit has been seen")
    message = workflows.condition("late", "Finished")["message"]
    assert message.startswith("1/1 jobs succeeded; the workflow had already ended (succeeded) before this edit, so")
    after = workflows.status("late")
    assert (after["groups"], after["completionTime"]) == (before["groups"], before["completionTime"])

    def warned() -> bool:
        found = site.plane.events(site.namespace, "EditWithoutEffect")
        assert [(one["type"], one["involvedObject"]["name"]) for one in found] == [("Warning", "late")]
        return True

    eventually(warned, "an event says so")


def restrict(site: Site) -> None:
    """Have a namespace enforce the *restricted* standard, and bound its cpu: Jobs are made, their pods are not."""
    path = f"/api/v1/namespaces/{site.namespace}"
    site.plane.call("PATCH", path, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    quota = {"metadata": {"name": "compute"}, "spec": {"hard": {"requests.cpu": "1"}}}
    site.plane.call("POST", f"{path}/resourcequotas", quota)
    eventually(lambda: site.plane.call("GET", f"{path}/resourcequotas/compute").get("status", {}).get("hard"))


SAFE = {
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    "podSecurityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
}
MUCH, LITTLE = ({"resources": {"requests": {"cpu": cpu}}} for cpu in ("2", "10m"))


def reads_of_pods(trace: Trace) -> list[str]:
    """What operators have listed of pods and events, in order."""
    found = [one for one in trace.recording().by_operators if one.verb == "list"]
    return [one.resource for one in found if one.resource in ("pods", "events")]


@pytest.mark.long
def test_a_job_whose_pods_cannot_be_made_says_what_refuses_them(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, site: Site, trace: Trace
) -> None:
    """The Job exists, its pods do not: pod security, a quota on cpu. A healthy job beside them is not asked about."""
    restrict(site)
    workflows.create_spec("insecure", {**chain(1), "params": LITTLE})
    workflows.create_spec("too-much", {**chain(1), "params": {**SAFE, **MUCH}})
    workflows.create_spec("healthy", {**chain(3), "params": {**SAFE, **LITTLE}})
    workflows.wait_for("healthy", "Complete")
    shows(site, "insecure", "FailedCreate", 'job "chain/job-0": ', 'violates PodSecurity "restricted:latest"')
    shows(site, "too-much", "FailedCreate", "exceeded quota: compute, requested: requests.cpu=2")
    assert {workflows.status(name)["phase"] for name in ("insecure", "too-much")} == {"running"}
    assert sorted(reads_of_pods(trace)) == ["events"] * 2 + ["pods"] * 2  # the two workflows are looked at side by side
    site.plane.call("DELETE", f"/api/v1/namespaces/{site.namespace}/resourcequotas/compute")
    site.plane.call(
        "PATCH",
        f"/api/v1/namespaces/{site.namespace}",
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}},
    )
    for name in ("insecure", "too-much"):
        workflows.wait_for(name, "Complete")


def test_a_pod_that_nobody_runs_says_so(
    workflows: Workflows, operator: OperatorProcess, site: Site, trace: Trace
) -> None:
    """There is no node: its pod waits without a word, and the Job says only that."""
    workflows.create_spec("alone", chain(1))
    shows(site, "alone", "NotReady", 'job "chain/job-0": Job alone-chain-job-0 has had no running pod for 20 seconds')


def test_without_the_right_to_look_at_pods_it_says_what_it_cannot_see(
    workflows: Workflows, operators: Operators, site: Site, trace: Trace
) -> None:
    """The Job's own status is what there is; the server is asked for the right, and never refuses a list."""
    rights.give(*site, rights.without("pods"))
    operators(user=rights.USER)
    restrict(site)
    workflows.create_spec("blind", {**chain(1), "params": LITTLE})
    shows(site, "blind", "NoPods", "Job blind-chain-job-0 has had no pod for 20 seconds", "not allowed to list pods")
    assert reads_of_pods(trace) == []


def test_a_failed_job_says_how_its_last_pod_ended(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, site: Site, trace: Trace
) -> None:
    """By one list of its pods before its end is stored."""
    pods.script("failing/chain/job-0", 3)
    workflows.create_spec("failing", {**chain(2), "retries": 1})
    workflows.wait_for("failing", "Failed")
    shows(site, "failing", "JobsFailed", "BackoffLimitExceeded (2 tries; the last ended with exit code 3); 1 job could")
    assert reads_of_pods(trace) == ["pods"]
