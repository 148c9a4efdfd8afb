"""What lint takes, kubectl and the API server take, and the other way round; both are asked, the real ones."""

import json
from typing import Any

import pytest

from jobsmgr.api.codes import Severity
from jobsmgr.files.composer import compose
from jobsmgr.lint.linter import lint
from jobsmgr.lint.pruning import as_stored
from tests.cli.program import HEAD, ONE_JOB, run
from tests.lint.test_any_document import HOOKS, PATHS, changed, document
from tests.plane.control_plane import ControlPlane

ITEM = ONE_JOB.replace("\n", "\n  ").rstrip()
JSON = json.dumps(next(compose(ONE_JOB)).value)
JOBS = "  groups: [{name: g, jobs: [{name: j, image: busybox}]}]\n"


def _metadata(text: str) -> str:
    return ONE_JOB.replace("{name: wf}", text)


def _params(text: str) -> str:
    return f"{HEAD}metadata: {{name: wf}}\nspec:\n  params: {text}\n{JOBS}"


TAKEN = {
    "as it is": ONE_JOB,
    "a byte order mark": "\ufeff" + ONE_JOB,
    "line ends of other systems": ONE_JOB.replace("\n", "\r\n"),
    "empty documents": f"---\n---\n{ONE_JOB}---\n# nothing\n---\nnull\n",
    "a comment beside the mark": f"--- # first\n{ONE_JOB}",
    "an end mark": f"{ONE_JOB}...\n",
    "JSON": JSON,
    "JSON values in a row": f"{JSON}\n{JSON.replace('wf', 'wg')} {JSON.replace('wf', 'wh')}",
    "JSON in ASCII": json.dumps({**json.loads(JSON), "metadata": {"name": "wf", "annotations": {"a": "😀"}}}),
    "JSON with tabs": json.dumps(json.loads(JSON), indent="\t"),
    "a List": f"apiVersion: v1\nkind: List\nitems:\n- {ITEM}\n",
    "a ManagedJobList": f"apiVersion: jobsmanager.raczylo.com/v1beta1\nkind: ManagedJobList\nitems:\n- {ITEM}\n",
    "an empty namespace": _metadata('{name: wf, namespace: ""}'),
    "labels of nothing": _metadata("{name: wf, labels: , annotations: }"),
    "an annotation of capitals": _metadata('{name: wf, annotations: {Example.COM/Name: "a b"}}'),
    "a status of the other operator": f"{ONE_JOB}status: pending\n",
    "a variable without value": _params("{env: [{name: A, value: }, {name: B, valueFrom: }]}"),
    "nulls in maps": _params("{labels: {a: }, annotations: {a: }, nodeSelector: {a: }, resources: {limits: {cpu: }}}"),
    "nulls for lists": _params("{env: , volumes: , fromEnv: [{configMapRef: {name: a}, secretRef: }]}"),
    "a number that is whole": ONE_JOB.replace("spec: {", "spec: {retries: 1.0, activeDeadlineSeconds: 1e3, "),
}
REFUSED = {
    "a word beside it": (f"{ONE_JOB}---\nhello\n", "MJ030"),
    "a list beside it": (f"- a\n---\n{ONE_JOB}", "MJ030"),
    "an object of no kind beside it": (f"{ONE_JOB}---\na: b\n", "MJ030"),
    "an object of an empty kind beside it": (f'{ONE_JOB}---\napiVersion: v1\nkind: ""\n', "MJ030"),
    "an item that is nothing": (f"apiVersion: v1\nkind: List\nitems:\n- null\n- {ITEM}\n", "MJ030"),
    "text beside the mark": (f"--- {JSON}\n", "MJ024"),
    "a directive": (f"%YAML 1.2\n---\n{ONE_JOB}", "MJ024"),
    "a tab": (f"{HEAD}\tmetadata: {{name: wf}}\n", "MJ024"),
    "a kind in small letters": (ONE_JOB.replace("ManagedJob", "managedjob"), "MJ025"),
    "another version": (ONE_JOB.replace("v1beta1", "v1"), "MJ025"),
    "a label with a space": (_metadata("{name: wf, labels: {a: b c}}"), "MJ001"),
    "a label that is too long": (_metadata(f"{{name: wf, labels: {{a: {'b' * 64}}}}}"), "MJ001"),
    "a key of a label with a space": (_metadata("{name: wf, labels: {a b: c}}"), "MJ012"),
    "a key of an annotation with a space": (_metadata("{name: wf, annotations: {a b: c}}"), "MJ012"),
    "an owner with an unknown field": (_metadata("{name: wf, ownerReferences: [{foo: a}]}"), "MJ002"),
    "an owner that is a word": (_metadata("{name: wf, ownerReferences: [a]}"), "MJ001"),
    "an unknown field at the root": (f"{ONE_JOB}foo: bar\n", "MJ002"),
    "a name with a slash": (_metadata("{name: a/b}"), "MJ001"),
    "a list of nothing": (_params("{env: [null]}"), "MJ001"),
    "an argument of nothing": (ONE_JOB.replace("busybox", "busybox, args: [null]"), "MJ001"),
}


def _applied(plane: ControlPlane, text: str) -> Any:
    return plane.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text, check=False)


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_both_take_it(text: str, plane: ControlPlane) -> None:
    """Warnings may be given."""
    done = _applied(plane, text)
    assert (done.returncode, done.stderr) == (0, "")
    answer = run("lint", "-", stdin=text)
    assert answer.code == 0, answer.out


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_both_refuse_it(text: str, code: str, plane: ControlPlane) -> None:
    """With an error of that code, and no other."""
    assert _applied(plane, text).returncode == 1
    answer = run("lint", "-", "-o", "json", stdin=text)
    findings = json.loads(answer.out)
    assert {each["code"] for each in findings if each["severity"] == "error"} == {code}, answer.out


NULLS = """{
    env: [{name: A, value: }, {name: B, valueFrom: }],
    volumes: [{name: v, emptyDir: }, {name: w, configMap: {name: a, items: }}, {name: x, flocker: {datasetName: }}],
    volumeMount: [{name: v, mountPath: /a, readOnly: , subPath: }, {name: w, mountPath: /b}],
    fromEnv: [{configMapRef: {name: a, optional: }, secretRef: , prefix: , key: }],
    affinity: {nodeAffinity: , podAffinity: {}},
    securityContext: {runAsUser: , capabilities: {drop: }},
    tolerations: [{key: a, operator: Exists, value: }],
    labels: {a: , b: c}, annotations: {a: , b: c}, nodeSelector: {a: , b: c},
    resources: {limits: , requests: {cpu: 1, memory: }},
    imagePullPolicy: , imagePullSecrets: [null, {name: x}, z], serviceAccount: ,
}"""


def test_nulls_are_dropped_as_the_server_drops_them(plane: ControlPlane) -> None:
    """Of fields that the schema knows and of values of maps; what is opaque keeps its own."""
    text = _params(NULLS.replace("\n", " ")).replace("image: busybox", "image: b, args: , status: {a: }, params: ")
    done = plane.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=text)
    (mine,) = compose(text)
    assert as_stored(mine.value)["spec"] == json.loads(done.stdout)["spec"]


BY_MEANING = {"MJ004", "MJ005", "MJ009", "MJ010", "MJ011", "MJ012", "MJ014", "MJ016", "MJ017", "MJ019", "MJ022"}
"""What only the operator refuses, or a Job's creation: a schema cannot say it."""


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2000,
        0.5,
        "",
        "a",
        "A b",
        "/a",
        "x" * 70,
        [],
        ["a"],
        [None],
        [{}],
        {},
        {"a": "b"},
        {"a": None},
    ],
    ids=json.dumps,
)
def test_one_value_at_each_place_of_a_rich_workflow(value: Any, plane: ControlPlane) -> None:
    """Whatever the value is, both accept it or both refuse it."""
    path = "/apis/jobsmanager.raczylo.com/v1beta1/namespaces/default/managedjobs?dryRun=All&fieldValidation=Strict"
    differing = []
    for place in PATHS:
        manifest = changed(place, value)
        if manifest.get("kind") != "ManagedJob" or place[0] == "apiVersion":
            continue  # then it is no ManagedJob to the server
        errors = {each.code for each in lint([document(manifest)], HOOKS) if each.severity is Severity.ERROR}
        answer = plane.request("POST", path, manifest)
        if (answer.is_success and errors - BY_MEANING) or not (answer.is_success or errors):
            differing.append((place, errors, answer.text[:300]))
    assert differing == []
