"""Workflows that are wrong, or at the limits: refused with a path, or a condition says what to fix; none disturbs."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from jobsmgr.api.crd import schema
from tests.api.forms import put, workflow
from tests.e2e.shapes import group, job
from tests.plane.access import CRD_PATH
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import KUBECTL_DEADLINE, eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import OperatorProcess, Operators
from tests.plane.pod_runner import PodRunner
from tests.plane.recording import path, shown
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows


def groups(*items: dict[str, Any]) -> dict[str, Any]:
    """A spec of these groups."""
    return {"groups": [*items]}


def params(**fields: Any) -> dict[str, Any]:
    """A spec with one job that has these params."""
    return groups(group("g", job("a", params=fields)))


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (
        groups(group("g", "transform"), group("h", job("load", "g/tranform"))),
        'spec.groups[1].jobs[0].dependencies[0]: "g/tranform" does not exist; did you mean "g/transform"?',
    ),
    "itself": (
        groups(group("g", "a", job("b", "b"))),
        'spec.groups[0].jobs[1].dependencies[0]: "b" depends on itself',
    ),
    "itself-by-full-name": (
        groups(group("g", job("a", "itself-by-full-name-g-a"))),
        'spec.groups[0].jobs[0].dependencies[0]: "itself-by-full-name-g-a" depends on itself',
    ),
    "twice": (
        groups(group("g", "a", job("b", "a", "a"))),
        'spec.groups[0].jobs[1].dependencies[1]: "a" appears twice',
    ),
    "cycle": (
        groups(group("g", job("a", "b", parallel=True), job("b", "a", parallel=True))),
        "spec.groups[0].jobs[0].dependencies: cycle: a -> b -> a",
    ),
    "cycle-with-order": (
        groups(group("g", job("a", "c"), "b", "c")),
        "spec.groups[0].jobs[0].dependencies: cycle: a -> c -> b (in order) -> a (in order)",
    ),
    "cycle-of-groups": (
        groups(group("g", "a", dependencies=[{"name": "h"}]), group("h", "b")),
        "spec.groups[0].dependencies: cycle: group g -> group h -> group g (in order)",
    ),
    "ambiguous": (
        groups(group("a-b", "c"), group("a", "b-c"), group("z", job("y", "ambiguous-a-b-c"))),
        'spec.groups[2].jobs[0].dependencies[0]: "ambiguous-a-b-c" matches "a-b/c" and "a/b-c"',
    ),
    "annotation-key": (params(annotations={"this/works/aswell": "true"}), "this/works/aswell"),
    "label-key": (params(labels={"-bad-": "x"}), "spec.groups[0].jobs[0].params.labels"),
    "mount-without-volume": (
        params(volumeMount=[{"name": "data", "mountPath": "/data"}]),
        "spec.groups[0].jobs[0].params.volumeMount[0]",
    ),
    "request-above-limit": (
        groups(
            group(
                "g",
                job("a", params={"resources": {"requests": {"cpu": "2"}}}),
                params={"resources": {"limits": {"cpu": "1"}}},
            )
        ),
        "spec.groups[0].params.resources.limits",
    ),
}
"""Specs that the schema lets through, by the workflow's name, and words that the condition says."""


@pytest.mark.fast_plane
def test_an_invalid_workflow_says_which_field_is_wrong_and_starts_nothing_until_it_is_mended(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """Condition and Event name the path; a valid workflow beside them runs; each runs once it is fixed."""
    for name, (spec, _) in INVALID.items():
        workflows.create_spec(name, spec)
    workflows.create_spec("healthy", groups(group("g", "a", "b")))
    for name, (_, words) in INVALID.items():
        status = workflows.wait_for(name, "Failed")
        for kind in ("Failed", "Finished", "Stalled"):
            condition = workflows.condition(name, kind)
            assert (condition["status"], condition["reason"]) == ("True", "InvalidSpec"), f"{name}: {condition}"
            assert words in condition["message"], f"{name}: {condition['message']}"
        assert status["phase"] == "failed"
    workflows.wait_for("healthy", "Complete")
    assert {creation.name for creation in trace.recording().creations} == {"healthy-g-a", "healthy-g-b"}
    eventually(lambda: told(*site) >= set(INVALID), "an Event says it of each")
    for name in INVALID:
        workflows.edit(name, {"spec": {**groups(group("mended", "a", job("b", "a"))), "params": None}})
    for name in INVALID:
        assert workflows.wait_for(name, "Complete")["progress"] == "2/2", name
        assert workflows.condition(name, "Stalled")["status"] == "False"


def told(plane: ControlPlane, namespace: str) -> set[str]:
    """The names of the workflows of which a warning Event says that their spec is invalid."""
    return {event["involvedObject"]["name"] for event in plane.events(namespace, "InvalidSpec")}


# Every field


HUGE = "x" * (1024 * 1024)
VALUES: dict[str, Any] = {
    "empty": "",
    "null": None,
    "minus-one": -1,
    "two-to-31": 2**31,
    "list": [],
    "object": {},
    "huge": HUGE,
}


def fields() -> Iterator[str]:
    """The path of each field of our own models in a workflow of one group and one job; params of the job only."""

    def walk(at: str, part: dict[str, Any]) -> Iterator[str]:
        for name, inner in part.get("properties", {}).items():
            yield f"{at}.{name}"
            if name in ("groups", "jobs"):
                yield from walk(f"{at}.{name}[0]", inner["items"])
            elif name == "params" and at.endswith("jobs[0]"):
                yield from walk(f"{at}.{name}", inner)

    yield from walk("spec", schema())


@pytest.mark.fast_plane
def test_whatever_stands_in_a_field_it_is_refused_or_runs_or_a_condition_says_why_not(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, trace: Trace, site: Site
) -> None:
    """Each field empty, null, -1, 2^31, a list, an object, 1 MB: all that the server takes comes to an end."""
    collection = f"/apis/jobsmanager.raczylo.com/v1beta1/namespaces/{site.namespace}/managedjobs"
    taken: list[tuple[str, str]] = []
    refused = 0
    for at in fields():
        for kind, value in VALUES.items():
            name = f"f{len(taken)}"
            manifest = put(workflow(groups(group("g", "a"))), at, copy.deepcopy(value))
            manifest["metadata"]["name"] = name
            answer = site.plane.request("POST", collection, manifest)
            if answer.is_success:
                taken.append((name, f"{at}={kind}"))
            else:
                refused += 1
                assert answer.status_code in (400, 413, 422), f"{at}={kind}: {answer.text[:500]}"
    assert refused > len(taken) > 20
    for name, what in taken:
        status = workflows.wait_for(name, "Finished")
        assert status["phase"] == "succeeded" or workflows.condition(name, "Stalled")["message"], what
    workflows.create_spec("afterwards", groups(group("g", "a")))
    workflows.wait_for("afterwards", "Complete")
    assert "processing a workflow failed" not in operator.output()


@pytest.mark.own_plane(controllers=FAST_CONTROLLERS)
def test_what_was_stored_under_a_looser_crd_concerns_its_workflow_alone(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, control_plane: ControlPlane, site: Site
) -> None:
    """The CRD of today refuses all of these, even a status of some: a condition or an Event says what is wrong."""
    strict = control_plane.call("GET", CRD_PATH)["spec"]
    loosen_crd(control_plane)
    stored: dict[str, str] = {}
    for at in fields():
        for kind, value in VALUES.items():
            manifest = put(workflow(groups(group("g", "a"))), at, copy.deepcopy(value))
            workflows.create(manifest, name=f"f{len(stored)}")
            stored[f"f{len(stored)}"] = f"{at}={kind}"
    control_plane.change_crd(strict, lambda: control_plane.answer_to_trial(NO_GROUPS) == 422)
    operator = operators()
    workflows.create_spec("afterwards", groups(group("g", "a")))
    workflows.wait_for("afterwards", "Complete")
    eventually(lambda: stored.keys() <= told_in_status(workflows) | told(*site), "it is said of each")
    refused = [what for name, what in stored.items() if not workflows.status(name)]
    assert 0 < len(refused) < len(stored) / 4, "the server refuses a status of these"
    assert operator.running
    assert "processing a workflow failed" not in operator.output()


def told_in_status(workflows: Workflows) -> set[str]:
    """The names of the workflows whose status says that they have succeeded, or what is wrong."""
    found = [shown(item) for item in workflows.items()]
    return {one.name for one in found if one.condition("Stalled") or one.status.get("phase") == "succeeded"}


NO_GROUPS = {"groups": "text"}
"""A spec that only a looser CRD than ours takes."""


def loosen_crd(plane: ControlPlane) -> None:
    """Let any spec be stored."""
    loose = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    (version,) = plane.call("GET", CRD_PATH)["spec"]["versions"]
    properties = {**version["schema"]["openAPIV3Schema"]["properties"], "spec": loose}
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    plane.change_crd({"versions": [version]}, lambda: plane.answer_to_trial(NO_GROUPS) == 201)


# Depth


def nested(name: str, levels: int) -> str:
    """A valid manifest in which a field of a kind that the schema leaves open goes down so many levels."""
    manifest = workflow(params(volumes=[{"name": "v", "quobyte": "DEEP"}]))
    manifest["metadata"]["name"] = name
    return json.dumps(manifest).replace('"DEEP"', '{"a":' * levels + "{}" + "}" * levels)


@pytest.mark.fast_plane
def test_a_workflow_nested_deeper_than_python_reads_ends_in_a_condition_and_stops_nobody(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, control_plane: ControlPlane
) -> None:
    """The API server stores up to 10,000 levels; known at the start or told of later, the same process goes on."""
    elsewhere = control_plane.namespace("deep")  # what records this test's own namespace cannot read them either
    control_plane.kubectl("create", "-f", "-", stdin=nested("early", 5000), namespace=elsewhere)
    operator = operators(flags=("--namespace", elsewhere))
    workflows.create_spec("first", groups(group("g", "a")))
    workflows.wait_for("first", "Complete")
    control_plane.kubectl("create", "-f", "-", stdin=nested("late", 5000), namespace=elsewhere)
    for name in ("early", "late"):
        control_plane.kubectl(
            "wait", "--for=condition=Failed", f"mjob/{name}", KUBECTL_DEADLINE, namespace=elsewhere
        )  # its Job is refused: the field that is nested is no field of a Job
    workflows.create_spec("second", groups(group("g", "a")))
    workflows.wait_for("second", "Complete")
    assert operator.running


# Names


@pytest.mark.fast_plane
def test_names_that_are_too_long_or_join_alike_are_told_apart(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operator: OperatorProcess, trace: Trace
) -> None:
    """Joins over 63 characters, and two that are one, get a hash of the path; whole names stand in annotations."""
    long = "x" * 39
    workflows.create_spec("long", groups(group(f"{long}a", f"{long}1", f"{long}2"), group(f"{long}b", f"{long}1")))
    workflows.create_spec("alike", groups(group("a-b", "c"), group("a", "b-c"), group("a-b-c", "d")))
    for name, count in (("long", 3), ("alike", 3)):
        assert workflows.wait_for(name, "Complete")["progress"] == f"{count}/{count}"
    made = {creation.path: creation.name for creation in trace.recording().creations if "long" in creation.name}
    assert len(set(made.values())) == len(made) == 3
    assert all(len(name) <= 63 and name.startswith(f"long-{long}"[:40]) for name in made.values())
    for place, name in made.items():
        assert workflows.job("long", "/".join(place))["jobName"] == name
        assert path(by_hand.get(name)) == place
        assert all(len(value) <= 63 for value in by_hand.get(name)["metadata"]["labels"].values())
    alike = {creation.path: creation.name for creation in trace.recording().creations if "alike" in creation.name}
    assert alike[("a-b-c", "d")] == "alike-a-b-c-d"
    assert len({alike[("a-b", "c")], alike[("a", "b-c")], "alike-a-b-c"}) == 3


# What only the cluster knows


def test_a_job_waits_for_its_configmap_and_secret_and_goes_on_when_they_are_there(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, site: Site
) -> None:
    """The Pod cannot start, so the job runs, without an end, until they are created; nothing is tried twice.

    Pods are held back by the pod runner as a kubelet does it: Pending, with CreateContainerConfigError, until every
    ConfigMap and Secret that is not optional exists.
    """
    pods.needs_configuration = True
    sources = {
        "fromEnv": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "extra", "optional": True}}],
        "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}}],
        "volumes": [{"name": "files", "configMap": {"name": "files"}}],
        "volumeMount": [{"name": "files", "mountPath": "/files"}],
    }
    workflows.create_spec("needs", groups(group("g", job("a", params=sources), "b")))
    workflows.create_spec("other", groups(group("g", "a", "b")))
    workflows.wait_for("other", "Complete")
    base = f"/api/v1/namespaces/{site.namespace}"
    for kind, name in (("configmaps", "settings"), ("secrets", "token"), ("configmaps", "files")):
        eventually(lambda name=name: name in pods.missing.values(), f"the Pod waits for {name}")  # type: ignore[misc]
        workflows.wait_for_phases("needs", g__a="running")
        site.plane.call("POST", f"{base}/{kind}", {"metadata": {"name": name}})
    assert workflows.wait_for("needs", "Complete")["progress"] == "2/2"
    assert pods.started.count("needs/g/a") == 1
