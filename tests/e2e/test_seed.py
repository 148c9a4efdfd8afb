"""The workflow of the founding README, from `kubectl apply` to Finished, on a real API server."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import yaml

from tests.core.golden import FOLDER
from tests.e2e.shapes import SEED, expanded
from tests.plane.eventually import KUBECTL_DEADLINE, eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.site import Site
from tests.plane.workflows import Workflows

NAME = "managedjob-sample"


def test_the_seed_workflow_runs_to_its_end_as_kubectl_shows_it(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, site: Site
) -> None:
    """The README's lines: apply, wait, `succeeded 6/6`; the trace checks order and parameters."""
    site.plane.kubectl("apply", "-f", str(SEED), namespace=site.namespace)
    site.plane.kubectl("wait", "--for=condition=Finished", KUBECTL_DEADLINE, f"mjob/{NAME}", namespace=site.namespace)
    shown = site.plane.kubectl("get", "mjob", namespace=site.namespace).stdout.splitlines()
    assert [line.split()[:3] for line in shown] == [["NAME", "STATUS", "PROGRESS"], [NAME, "succeeded", "6/6"]]
    status = workflows.status(NAME)
    assert status["counts"] == {"total": 6, "pending": 0, "running": 0, "succeeded": 6, "failed": 0, "aborted": 0}
    assert set(workflows.phases(NAME).values()) == {"succeeded"}


def test_each_job_starts_when_those_before_it_have_succeeded(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess
) -> None:
    """Both parallel groups run side by side, the third after both; a job without `parallel` after those before it."""
    pods.hold("*")
    workflows.create(SEED)

    def starts(*jobs: str) -> None:
        title = {f"{NAME}/{job}" for job in jobs}
        eventually(lambda: set(pods.started) == title, f"{jobs} have started: {pods.started}")

    began = ["first-group/first-job", "second-group/third-job"]
    starts(*began)
    for done, follows in (
        ("first-group/first-job", ["first-group/second-job"]),
        ("second-group/third-job", ["second-group/fourth-job"]),
        ("second-group/fourth-job", []),
        ("first-group/second-job", ["first-group/second-half-job"]),
        ("first-group/second-half-job", ["third-group/fifth-job"]),
    ):
        pods.release(done)
        workflows.wait_for_phases(NAME, {done: "succeeded"})
        starts(*(began := began + follows))
    pods.release("*")
    assert workflows.wait_for(NAME, "Complete")["progress"] == "6/6"


@pytest.mark.fast_plane
def test_every_job_is_created_as_stored(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, site: Site
) -> None:
    """Each Job is, whole, what the server makes of the golden manifest: nothing is lacking, added or pruned."""
    path = f"/apis/batch/v1/namespaces/{site.namespace}/jobs?dryRun=All&fieldValidation=Strict"
    manifests = yaml.safe_load((FOLDER / "seed.yaml").read_text())
    for manifest in manifests:
        manifest["metadata"]["namespace"] = site.namespace
    tried = [site.plane.call("POST", path, manifest) for manifest in manifests]
    workflows.create(SEED)
    workflows.wait_for(NAME, "Complete")
    assert _by_name(workflows.jobs(NAME)) == _by_name(tried)


def _by_name(stored: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Jobs without what differs from one create to the next: versions, times and uids."""
    return {one["metadata"]["name"]: _lasting(one) for one in stored}


def _lasting(job: Mapping[str, Any]) -> dict[str, Any]:
    (owner,) = job["metadata"]["ownerReferences"]
    text = json.dumps({"metadata": job["metadata"], "spec": job["spec"]})
    lasting: dict[str, Any] = json.loads(text.replace(job["metadata"]["uid"], "JOB").replace(owner["uid"], "OWNER"))
    for field in ("managedFields", "creationTimestamp", "resourceVersion"):
        lasting["metadata"].pop(field, None)
    return lasting


@pytest.mark.fast_plane
def test_compiled_params_are_shown_innermost_level_first(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """`POO FEE FOO QUE` for the first job, as the founding README has it; jobs without own params have fewer."""
    workflows.create(SEED)
    workflows.wait_for(NAME, "Complete")
    first = workflows.job(NAME, "first-group/first-job")["compiledParams"]
    assert first == {
        "env": [
            {"name": "POO", "value": "paz"},
            {"name": "FEE", "value": "bee"},
            {"name": "FOO", "value": "bar"},
            {"name": "QUE", "value": "pasa"},
        ]
    }
    fifth = workflows.job(NAME, "third-group/fifth-job")["compiledParams"]
    assert [entry["name"] for entry in fifth["env"]] == ["FOO", "QUE"]


@pytest.mark.fast_plane
def test_an_inner_value_can_name_an_outer_variable(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """The container's env has the outermost level first, and Kubernetes expands what stands before."""
    spec = yaml.safe_load(SEED.read_text())["spec"]
    group = spec["groups"][0]
    group["params"]["env"].append({"name": "PLACE", "value": "$(FOO)/$(QUE)"})
    group["jobs"][0]["params"]["env"].append({"name": "FILE", "value": "$(PLACE)/$(FEE).txt"})
    workflows.create_spec("nested", spec)
    workflows.wait_for("nested", "Complete")
    job = next(job for job in workflows.jobs("nested") if job["metadata"]["name"] == "nested-first-group-first-job")
    env = job["spec"]["template"]["spec"]["containers"][0]["env"]
    assert expanded(env)["PLACE"] == "bar/pasa"
    assert expanded(env)["FILE"] == "bar/pasa/bee.txt"
