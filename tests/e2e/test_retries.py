"""Tries of a job's pod with Kubernetes' own Job controller: `retries: n` means n usable further tries, always."""

import pytest

from tests.e2e.shapes import group, job
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner, Try
from tests.plane.workflows import Workflows

POLICIES = ("Never", "OnFailure")
RETRIES = (0, 1, 3)
ENDLESS = Try(1, seconds=600)
"""A run that ends only by being killed: one too many is not counted as used."""

CASES = {f"{policy.lower()}-{retries}": (policy, retries) for policy in POLICIES for retries in RETRIES}


def create_all(workflows: Workflows) -> None:
    """One workflow for each restart policy and number of retries, of one job each."""
    for name, (policy, retries) in CASES.items():
        only = job("tried", params={"restartPolicy": policy})
        workflows.create_spec(name, {"retries": retries, "groups": [group("only", only)]})


def runs(pods: PodRunner) -> dict[str, int]:
    """How often each workflow's container ran to its own end."""
    ended = [title for title, _ in pods.ended]
    return {name: ended.count(f"{name}/only/tried") for name in CASES}


def test_a_job_fails_after_one_try_more_than_its_retries(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess
) -> None:
    """With both restart policies and 0, 1 and 3 retries; all the while before, the job is running."""
    for name, (_, retries) in CASES.items():
        pods.script(f"{name}/only/tried", *[1] * (retries + 1), ENDLESS)
    create_all(workflows)
    for name in CASES:
        assert workflows.wait_for(name, "Finished")["phase"] == "failed"
        assert workflows.job(name, "only/tried")["reason"] == "BackoffLimitExceeded"
    assert runs(pods) == {name: retries + 1 for name, (_, retries) in CASES.items()}


def test_the_last_retry_can_still_succeed(workflows: Workflows, pods: PodRunner, operator: OperatorProcess) -> None:
    """Each try but the last one fails; the Job's limit is the retries, and one more where restarts are counted."""
    for name, (_, retries) in CASES.items():
        pods.script(f"{name}/only/tried", *[1] * retries, 0)
    create_all(workflows)
    for name in CASES:
        assert workflows.wait_for(name, "Finished")["phase"] == "succeeded"
    assert runs(pods) == {name: retries + 1 for name, (_, retries) in CASES.items()}
    limits = {name: workflows.jobs(name)[0]["spec"]["backoffLimit"] for name in CASES}
    assert limits == {"never-0": 0, "never-1": 1, "never-3": 3, "onfailure-0": 0, "onfailure-1": 2, "onfailure-3": 4}


@pytest.mark.fast_plane
def test_the_innermost_level_says_how_often(workflows: Workflows, operator: OperatorProcess) -> None:
    """Of workflow, group and job; without any it is once."""
    parallel = {"parallel": True}
    own = group("own", job("outer", **parallel), job("inner", retries=0, **parallel), **parallel)
    of_group = group("set", job("group", **parallel), job("job", retries=5, **parallel), retries=2, **parallel)
    levels = {"retries": 3, "groups": [own, of_group]}
    workflows.create_spec("levels", levels)
    workflows.create_spec("silent", {"groups": [group("only", "one")]})
    workflows.wait_for_phases(
        "levels", own__outer="running", own__inner="running", set__group="running", set__job="running"
    )
    workflows.wait_for_phases("silent", only__one="running")
    limits = {one["metadata"]["name"]: one["spec"]["backoffLimit"] for one in workflows.jobs()}
    assert limits == {
        "levels-own-outer": 3,
        "levels-own-inner": 0,
        "levels-set-group": 2,
        "levels-set-job": 5,
        "silent-only-one": 1,
    }
