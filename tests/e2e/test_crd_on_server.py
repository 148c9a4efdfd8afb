"""The CRD on a real API server: what it takes, what it refuses in which words, how it is shown and taken over to."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobsmgr.api.crd import custom_resource_definition, schema
from jobsmgr.api.workflow import API_VERSION, GROUP, KIND
from manifests import kubernetes_types
from manifests.generate.files import CRD
from tests.api.forms import AVAILABLE_PARAMS, JOB, LEVELS, PARAMS, REFUSED, SHAPES, TAKEN, put, workflow
from tests.plane.access import CRDS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import KUBECTL_DEADLINE, eventually

TAKEOVER = Path(__file__).parents[1] / "data" / "takeover"


class Server:
    """Creates and refuses ManagedJobs in one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.path = f"/apis/{API_VERSION}/namespaces/{namespace}/managedjobs"

    def try_out(self, manifest: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer of a create as kubectl sends it, of which nothing is stored."""
        response = self.plane.request("POST", f"{self.path}?dryRun=All&fieldValidation=Strict", manifest)
        return response.status_code, response.json()


@pytest.fixture(scope="module")
def server(plane: ControlPlane) -> Server:
    """One namespace does for all: nothing is stored in it."""
    return Server(plane, plane.namespace())


def _case(row: tuple[str, Any, str, str]) -> str:
    text = f"{row[0]}={json.dumps(row[1])}"
    return text if len(text) < 100 else f"{text[:97]}..."


@pytest.mark.parametrize(("path", "value", "named", "words"), REFUSED, ids=map(_case, REFUSED))
def test_a_wrong_manifest_is_refused_with_its_path(
    server: Server, path: str, value: object, named: str, words: str
) -> None:
    """One cause names the field, in words that say what is wrong."""
    status, answer = server.try_out(put(workflow(), path, value))
    causes = answer.get("details", {}).get("causes", [])
    assert status == 422, answer
    assert [cause for cause in causes if cause["field"] == (named or path) and words in cause["message"]], causes


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{PARAMS}.imagePullSecrets[0]", True),
        (f"{PARAMS}.env[0]", {"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
    ],
)
def test_what_only_a_negation_can_say_names_its_path_in_the_message(server: Server, path: str, value: object) -> None:
    """The server leaves the cause's field empty there."""
    status, answer = server.try_out(put(workflow(), path, value))
    assert status == 422
    assert f'"{path}" must not validate the schema (not)' in answer["message"]


@pytest.mark.parametrize(
    "path",
    [
        "spec.retry",
        "spec.groups[0].parallell",
        "spec.groups[0].jobs[0].imagee",
        "spec.groups[0].jobs[0].dependencies[0].nme",
        *(f"{level}.volumeMountss" for level in LEVELS),
        f"{PARAMS}.env[0].valueFrom.secretKeyRef.nmae",
        f"{PARAMS}.fromEnv[0].configMap",
        f"{PARAMS}.volumes[0].emptyDir.size",
        f"{PARAMS}.volumes[0].ephemeral.volumeClaimTemplate.metadata.name",
        f"{PARAMS}.resources.limit",
        f"{PARAMS}.securityContext.capabilities.remove",
        f"{PARAMS}.affinity.nodeAffinity.required",
    ],
)
def test_an_unknown_field_is_refused_with_its_path(server: Server, path: str) -> None:
    """As kubectl asks for it: strict field validation."""
    status, answer = server.try_out(put(workflow(), path, "x"))
    assert status == 400
    assert f'unknown field "{path}"' in answer["message"]


def test_kubectl_apply_shows_path_and_reason(plane: ControlPlane, namespace: str) -> None:
    """What a user sees, several errors at once."""
    wrong = put(put(workflow(), "spec.groups[0].jobs[0].image", ""), "spec.groups[1].name", "My_Group!")
    run = plane.kubectl("apply", "-f", "-", stdin=json.dumps(wrong), namespace=namespace, check=False)
    assert run.returncode == 1
    assert 'spec.groups[0].jobs[0].image: Invalid value: ""' in run.stderr
    assert 'spec.groups[1].name: Invalid value: "My_Group!"' in run.stderr
    unknown = put(workflow(), f"{PARAMS}.volumeMountss", [])
    run = plane.kubectl("apply", "-f", "-", stdin=json.dumps(unknown), namespace=namespace, check=False)
    assert run.returncode == 1
    assert f'unknown field "{PARAMS}.volumeMountss"' in run.stderr


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("params", TAKEN, ids=lambda params: json.dumps(params)[:60])
def test_every_good_form_is_taken_as_it_is(server: Server, params: dict[str, Any], level: str) -> None:
    """At each level; nothing is pruned, nothing defaulted."""
    manifest = put(workflow(), level, params)
    status, answer = server.try_out(manifest)
    assert status == 201, answer
    assert answer["spec"] == manifest["spec"]
    assert answer["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("name", SHAPES)
def test_every_good_shape_is_taken_as_it_is(server: Server, name: str) -> None:
    """Up to the limits: the rules' cost stays within the server's budget there."""
    status, answer = server.try_out(SHAPES[name])
    assert status == 201, answer
    assert answer["spec"] == SHAPES[name]["spec"]


def test_a_null_pull_secret_is_the_one_thing_that_slips_through(server: Server) -> None:
    """No structural schema can refuse it, so the operator leaves it out."""
    status, answer = server.try_out(put(workflow(), f"{PARAMS}.imagePullSecrets", ["a", None]))
    assert (status, answer["spec"]["groups"][0]["jobs"][0]["params"]) == (201, {"imagePullSecrets": ["a", None]})


@pytest.mark.parametrize("name", ["workflow-running", "workflow-finished"])
def test_a_spec_with_the_go_operators_state_is_taken_as_it_is(server: Server, name: str) -> None:
    """A string in `status` is ignored on create; the state in `spec` stays, opaque."""
    stored = yaml.safe_load((TAKEOVER / f"{name}.yaml").read_text())
    manifest = {**workflow(stored["spec"]), "status": stored["status"]}
    status, answer = server.try_out(manifest)
    assert status == 201, answer
    assert answer["spec"] == stored["spec"]


# Shown


def _explained(text: str) -> set[str]:
    """The paths of `kubectl explain --recursive`: two spaces a level, then name and type."""
    paths: set[str] = set()
    way: list[str] = []
    for line in text.partition("FIELDS:\n")[2].splitlines():
        if found := re.match(r"( +)(\S+)\t<", line):
            way[len(found[1]) // 2 - 1 :] = [found[2]]
            paths.add(".".join(way))
    return paths


def _fields(part: dict[str, Any]) -> set[str]:
    inner = part.get("items", part)
    paths = set()
    for key, field in inner.get("properties", {}).items():
        paths |= {key, *(f"{key}.{path}" for path in _fields(field))}
    return paths


def test_kubectl_explains_every_typed_field(plane: ControlPlane) -> None:
    """Of spec and status, Kubernetes' own types included."""
    version = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for name, part in version.items():
        explained = _explained(plane.kubectl("explain", f"managedjob.{name}", "--recursive").stdout)
        assert explained == _fields(part)
        assert len(explained) > 20


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("spec.groups.jobs.params.env.valueFrom.secretKeyRef", "key\t<string> -required-"),
        ("spec.groups.jobs.params.fromEnv.key", "Import only this key"),
        ("spec.groups.jobs.params.volumeMounts", "Alias of volumeMount"),
        ("spec.params.restartPolicy", "ENUM:\n    Never\n    OnFailure"),
        ("spec.groups.dependencies", "Groups that must succeed first"),
        ("status.groups.jobs.reason", "Why the job is waiting or has failed"),
    ],
)
def test_kubectl_explains_in_words(plane: ControlPlane, path: str, words: str) -> None:
    """A few of the deepest."""
    assert words in plane.kubectl("explain", f"managedjob.{path}").stdout


def test_columns_and_short_names(plane: ControlPlane, namespace: str) -> None:
    """`kubectl get mjob` shows status, progress, the reason and age; wide also counts and the message."""
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(workflow()), namespace=namespace)
    conditions = [
        {"type": "Complete", "status": "False", "reason": "JobsFailed"},
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"},
        {"type": "Finished", "status": "True", "reason": "Later"},
    ]
    now = "2026-01-01T00:00:00Z"
    status = {
        "phase": "failed",
        "progress": "3/6",
        "counts": {"running": 2, "failed": 1},
        "conditions": [{**condition, "lastTransitionTime": now, "message": ""} for condition in conditions],
    }
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/managedjobs/wf"
    plane.call("PATCH", f"{path}/status", {"status": status})
    for name in ("mjob", "mjobs", "managedjobs", "managedjob", "jobsmgr"):
        head, row = plane.kubectl("get", name, namespace=namespace).stdout.splitlines()
        assert head.split() == ["NAME", "STATUS", "PROGRESS", "REASON", "AGE"]
        assert row.split()[:4] == [row.split()[0], "failed", "3/6", "BackoffLimitExceeded"]
    head, row = plane.kubectl("get", "mjob", "-o", "wide", namespace=namespace).stdout.splitlines()
    assert head.split() == ["NAME", "STATUS", "PROGRESS", "REASON", "RUNNING", "FAILED", "DURATION", "AGE", "MESSAGE"]
    assert row.split()[:6] == ["wf", "failed", "3/6", "BackoffLimitExceeded", "2", "1"]


def test_nothing_of_the_status_is_pruned(plane: ControlPlane, namespace: str) -> None:
    """Every status field, compiledParams with whatever is in it."""
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(workflow()), namespace=namespace)
    now = "2026-01-01T00:00:00Z"
    times = {"startTime": now, "completionTime": now}
    job = {
        "name": "load",
        "phase": "failed",
        "jobName": "wf-first-load",
        "uid": "u",
        "reason": "JobLost",
        "message": "m",
    }
    status = {
        "observedGeneration": 1,
        "phase": "failed",
        "progress": "0/1",
        **times,
        "counts": {"total": 1, "pending": 0, "running": 0, "succeeded": 0, "failed": 1, "aborted": 0},
        "conditions": [
            {
                "type": "Failed",
                "status": "True",
                "reason": "JobLost",
                "message": "",
                "observedGeneration": 1,
                "lastTransitionTime": now,
            }
        ],
        "groups": [
            {
                "name": "first",
                "phase": "failed",
                "jobs": [{**job, **times, "compiledParams": {**AVAILABLE_PARAMS, "x": 1}}],
            }
        ],
    }
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/managedjobs/wf"
    answer = plane.call("PATCH", f"{path}/status?fieldValidation=Strict", {"status": status})
    assert answer["status"] == status


# Installed


@pytest.fixture
def renamed(plane: ControlPlane, namespace: str) -> Iterator[dict[str, Any]]:
    """The CRD under a name of the test's own, so that installing it disturbs nobody; taken away at the end."""
    crd = copy.deepcopy(custom_resource_definition())
    word = namespace.replace("-", "")
    spec = crd["spec"]
    spec["group"] = f"{word}.example.com"
    spec["names"] = {"plural": f"{word}s", "singular": word, "kind": word.title(), "listKind": f"{word.title()}List"}
    crd["metadata"] = {"name": f"{word}s.{spec['group']}"}
    yield crd
    plane.kubectl("delete", "crd", crd["metadata"]["name"], "--ignore-not-found", "--wait=false")


def _api(crd: dict[str, Any], namespace: str) -> str:
    return f"/apis/{crd['spec']['group']}/v1beta1/namespaces/{namespace}/{crd['spec']['names']['plural']}"


def _as(crd: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    kind = {"apiVersion": f"{crd['spec']['group']}/v1beta1", "kind": crd["spec"]["names"]["kind"]}
    return {**copy.deepcopy(manifest), **kind}


def _is_in_force(plane: ControlPlane, crd: dict[str, Any], namespace: str) -> Callable[[], bool]:
    """Whether the server checks objects against our schema, not one before it."""
    wrong = _as(crd, put(workflow(), "spec.groups", []))
    return lambda: plane.request("POST", f"{_api(crd, namespace)}?dryRun=All", wrong).status_code == 422


def test_plain_kubectl_apply_installs_it(plane: ControlPlane, namespace: str, renamed: dict[str, Any]) -> None:
    """Client-side, twice: the annotation of the last applied state fits."""
    for word in ("created", "unchanged"):
        assert word in plane.kubectl("apply", "-f", "-", stdin=json.dumps(renamed)).stdout
    plane.kubectl("wait", "--for=condition=Established", f"crd/{renamed['metadata']['name']}", KUBECTL_DEADLINE)
    eventually(_is_in_force(plane, renamed, namespace))
    path = f"{CRDS}/{renamed['metadata']['name']}"
    conditions = plane.call("GET", path)
    problems = [c for c in conditions["status"]["conditions"] if c["type"] == "NonStructuralSchema"]
    assert problems == []


def test_the_committed_file_is_what_the_server_takes(plane: ControlPlane) -> None:
    """The file itself, as a user applies it."""
    run = plane.kubectl("apply", "--dry-run=server", "-f", str(CRD))
    assert f"managedjobs.{GROUP} configured" in run.stdout or f"managedjobs.{GROUP} unchanged" in run.stdout


def test_the_types_of_kubernetes_are_the_servers(plane: ControlPlane) -> None:
    """The committed data is cut from what the tests' API server publishes; else run `manifests.kubernetes_types`."""
    published = plane.call("GET", "/openapi/v3/api/v1")
    assert kubernetes_types.text_of(kubernetes_types.prune(published)) == kubernetes_types.TARGET.read_text()


# Taken over


def _open(crd: dict[str, Any]) -> dict[str, Any]:
    """The CRD as the Go operator's is: an open spec, a string status."""
    crd = copy.deepcopy(crd)
    phases = ["pending", "running", "succeeded", "failed", "aborted"]
    properties = {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "status": {"type": "string", "enum": phases, "default": "pending"},
    }
    version = crd["spec"]["versions"][0]
    version["schema"] = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    version["additionalPrinterColumns"], version["selectableFields"] = [], []
    return crd


def test_stored_objects_of_the_go_operator_live_on(
    plane: ControlPlane, namespace: str, renamed: dict[str, Any]
) -> None:
    """Applied over a CRD with a string status: read as stored, labelled, given an object status, deleted."""
    collection = _api(renamed, namespace)
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(_open(renamed)))
    eventually(lambda: plane.request("GET", collection).is_success)
    stored = {}
    for name in ("workflow-running", "workflow-finished"):
        dumped = yaml.safe_load((TAKEOVER / f"{name}.yaml").read_text())
        stored[name] = _as(renamed, dumped) | {"metadata": {"name": name}}
    bad = [{"name": "My_Group!", "jobs": [dict(JOB), dict(JOB)]}, {"name": "My_Group!", "jobs": [dict(JOB)]}]
    stored["broken"] = _as(renamed, workflow({"groups": bad})) | {"metadata": {"name": "broken"}, "status": "failed"}
    for name, manifest in stored.items():
        plane.call("POST", collection, manifest)
        plane.call("PATCH", f"{collection}/{name}/status", {"status": manifest["status"]})

    plane.kubectl("apply", "-f", "-", stdin=json.dumps(renamed))
    eventually(_is_in_force(plane, renamed, namespace))

    for name, manifest in stored.items():
        found = plane.call("GET", f"{collection}/{name}")
        assert (found["spec"], found["status"]) == (manifest["spec"], manifest["status"])
        plane.call("PATCH", f"{collection}/{name}", {"metadata": {"labels": {"a": "b"}}})
        status = {"observedGeneration": 1, "phase": manifest["status"], "progress": "6/6"}
        answer = plane.call("PATCH", f"{collection}/{name}/status", {"status": status})
        assert (answer["spec"], answer["status"]) == (manifest["spec"], status)
        plane.call("DELETE", f"{collection}/{name}")


def test_the_offline_schema_knows_the_same_fields(plane: ControlPlane) -> None:
    """What a linter takes for known is what the server keeps."""
    published = plane.call("GET", f"/openapi/v3/apis/{API_VERSION}")["components"]["schemas"]
    spec = next(part for name, part in published.items() if name.endswith(f".{KIND}"))["properties"]["spec"]
    assert _fields(spec) == _fields(schema())
