"""The chart renders the objects that kustomize builds, and refuses values that make no sense."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from jobsmgr.installation import parts
from jobsmgr.installation.admission import admission_policy
from jobsmgr.installation.network import network_policy
from jobsmgr.installation.settings import Installation
from manifests.generate.files import CHART, chart_text
from manifests.generate.kustomize import CHOSEN, RELEASE
from release.versions import semver
from tests.cli.program import run
from tests.installation.support import Objects, by_name, helm, loaded, overlay, pod

HOOK = "helm.sh/hook"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
PLAIN = {
    "crds": {"enabled": False},
    "replicas": 1,
    "rbac": {"podReader": False},
    "priorityClass": {"create": False},
    "podDisruptionBudget": {"enabled": False},
    "topologySpread": {"enabled": False},
}
"""Values that leave out what the base of the kustomizations leaves out."""


def rendered(values: dict[str, Any] | None = None, name: str = "jobsmgr", namespace: str = "jobsmgr") -> Objects:
    """The objects of a release, without those of its tests."""
    done = helm("template", name, str(CHART), "-n", namespace, "--set-json", json.dumps(values or {}))
    assert (done.returncode, done.stderr) == (0, "")
    return {key: one for key, one in loaded(done.stdout).items() if HOOK not in one["metadata"].get("annotations", {})}


def test_it_renders_the_default_installation() -> None:
    """Helm makes the namespace itself; else all is the same, but for the annotation that keeps the CRD."""
    found = rendered()
    crd = found["CustomResourceDefinition", "managedjobs.jobsmanager.raczylo.com"]
    assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    expected = by_name((*parts.crd(), *parts.operator(CHOSEN)))
    assert found == expected


def test_without_its_options_it_renders_the_base() -> None:
    """And with one of them the objects of that component."""
    base = by_name(parts.base(CHOSEN))
    assert rendered(PLAIN) == base
    every = {
        **PLAIN,
        "rbac": {"podReader": True, "migration": True},
        "admissionPolicy": {"enabled": True},
        "networkPolicy": {"enabled": True},
        "metrics": {part: {"enabled": True} for part in ("serviceMonitor", "prometheusRule", "dashboard")},
    }
    added = (*parts.pod_reader(CHOSEN), *parts.migration(CHOSEN), *admission_policy(CHOSEN), network_policy(CHOSEN))
    metrics = (*parts.scraping(CHOSEN), *parts.alerts(CHOSEN), *parts.dashboards(CHOSEN))
    assert rendered(every) == base | by_name((*added, *metrics))


def test_protected_metrics_are_as_kustomize_builds_them(tmp_path: Path) -> None:
    """HTTPS, also for probes and Prometheus, with the rights to ask who reads them and the role for Prometheus."""
    components = ("servicemonitor", "metrics-tls", "metrics-auth")
    given = {
        "serviceMonitor": {"enabled": True},
        "tls": {"secretName": "jobsmgr-metrics-tls"},
        "auth": {"enabled": True},
    }
    found, built = rendered({**PLAIN, "metrics": given}), overlay(tmp_path, "base", components)
    for objects in found, built:
        pod(objects)["containers"][0]["env"].sort(key=lambda one: one["name"])
    assert found == built
    (endpoint,) = found["ServiceMonitor", "jobsmgr-metrics"]["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tlsConfig"]["serverName"]) == ("https", "jobsmgr-metrics")


def test_plugins_and_protected_metrics_have_a_volume_each() -> None:
    """One of them alone is in the tests of the others."""
    given = {"plugins": {"image": "plugins:1"}, "metrics": {"tls": {"secretName": "cert"}}}
    spec = pod(rendered({**PLAIN, **given}))
    (container,) = spec["containers"]
    assert [one["name"] for one in spec["volumes"]] == ["plugins", "metrics-tls"]
    assert [one["mountPath"] for one in container["volumeMounts"]] == ["/plugins", "/tls"]
    names = [one["name"] for one in container["env"]]
    assert names == ["JOBSMGR_HTTP_TLS_CERT", "JOBSMGR_HTTP_TLS_KEY", "PYTHONPATH"]


def test_a_second_release_shares_no_object_with_the_first() -> None:
    """All names, and what pods are found by, follow from the release's."""
    found = rendered(PLAIN, "second", "team-b")
    assert found == by_name(parts.base(Installation(image=CHOSEN.image, name="second-jobsmgr", namespace="team-b")))
    assert not found.keys() & rendered(PLAIN).keys()


def test_for_some_namespaces_there_are_roles_alone() -> None:
    """One in each, bound to the account in the release's namespace; the operator serves these."""
    served = {"namespaces": ["1e3", "team-b"], "rbac": {"people": False, "podReader": True}}
    done = helm("template", "jobsmgr", str(CHART), "-n", "jobsmgr", "--set-json", json.dumps({**PLAIN, **served}))
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    ours = by_name((*parts.namespaced(CHOSEN),))
    for namespace in served["namespaces"]:
        for name in ("jobsmgr", "jobsmgr-pods"):
            role, binding = (
                one for one in objects if one["metadata"] == ours["Role", name]["metadata"] | {"namespace": namespace}
            )
            assert role["rules"] == ours["Role", name]["rules"]
            assert binding["subjects"] == ours["RoleBinding", name]["subjects"]
    assert "ClusterRole" not in done.stdout
    (container,) = pod(by_name(one for one in objects if one["kind"] == "Deployment"))["containers"]
    assert container["env"] == [{"name": "JOBSMGR_NAMESPACES", "value": "1e3 team-b"}]


def test_values_of_the_pod_are_where_they_belong() -> None:
    """Each in its field; a label of one's own never takes the place of ours."""
    given: dict[str, Any] = {
        "image": {"repository": "r.example/j", "digest": "sha256:" + "a" * 64, "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "logLevel": "debug",
        "metrics": {"workflowLabels": True},
        "extraArgs": ["--workers", "16"],
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "plugins": {"image": "plugins:1"},
        "serviceAccount": {"name": "mine", "annotations": {"example.com/role": "x"}},
        "priorityClass": {"create": False, "name": "high"},
        "nodeSelector": {"disk": "ssd"},
        "affinity": {"nodeAffinity": {}},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "podAnnotations": {"example.com/number": "1"},
        "podLabels": {"team": "a", "app.kubernetes.io/name": "stolen"},
    }
    found = rendered({**PLAIN, **given})
    spec, metadata = pod(found), found["Deployment", "jobsmgr"]["spec"]["template"]["metadata"]
    (container,), (loader,) = spec["containers"], spec["initContainers"]
    assert container["image"] == "r.example/j@sha256:" + "a" * 64
    assert container["imagePullPolicy"] == "Always"
    assert container["args"] == ["operator", "--log-level", "debug", "--metrics-workflow-labels", "--workers", "16"]
    assert container["env"] == [{"name": "PYTHONPATH", "value": "/plugins"}, *given["env"]]
    assert loader["image"] == "plugins:1"
    assert (metadata["labels"], metadata["annotations"]) == (
        {"app.kubernetes.io/name": "jobsmgr", "team": "a"},
        given["podAnnotations"],
    )
    assert (spec["serviceAccountName"], spec["priorityClassName"]) == ("mine", "high")
    for field in ("imagePullSecrets", "nodeSelector", "affinity", "tolerations"):
        assert spec[field] == given[field]
    assert found["ServiceAccount", "mine"]["metadata"]["annotations"] == {"example.com/role": "x"}
    assert found["ClusterRoleBinding", "jobsmgr"]["subjects"][0]["name"] == "mine"


def test_helm_finds_nothing_to_complain_about() -> None:
    """`helm lint`, with warnings as errors."""
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


def leaves(values: dict[str, Any], path: str = "") -> list[str]:
    """The paths of values that have a default."""
    found = []
    for key, value in values.items():
        inner = (
            leaves(value, f"{path}{key}.")
            if isinstance(value, dict) and value and key not in ("requests", "limits")
            else []
        )
        found += inner or [f"{path}{key}"]
    return found


def wrong(path: str) -> dict[str, Any]:
    """Values with one of a wrong type."""
    right: Any = VALUES
    for key in path.split("."):
        right = right[key]
    *above, last = path.split(".")
    given: dict[str, Any] = {last: "text" if isinstance(right, list) else [{}]}
    for key in reversed(above):
        given = {key: given}
    return given


def test_no_value_of_a_wrong_type_fits_the_schema() -> None:
    """Of all that are documented; the defaults fit."""
    schema = jsonschema.Draft202012Validator(SCHEMA)
    assert [*schema.iter_errors(VALUES)] == []
    assert [path for path in leaves(VALUES) if schema.is_valid(wrong(path))] == []


@pytest.mark.parametrize(
    ("given", "at"),
    [
        (wrong("crds.keep"), "at '/crds/keep': got array, want boolean"),
        ({"replica": 3}, "'replica' not allowed"),
        ({"image": {"tags": "1"}, "replicas": -1}, "'tags' not allowed"),
        ({"metrics": {"auth": {"enabled": True}}}, "at '/metrics/tls/secretName'"),
        ({"metrics": {"tls": {"secretName": "My Cert"}}}, "at '/metrics/tls/secretName'"),
        ({"namespaces": ["Team_A"], "fullnameOverride": "x" * 48}, "at '/namespaces/0'"),
    ],
)
def test_a_value_that_cannot_be_is_refused(given: dict[str, Any], at: str) -> None:
    """A wrong type, a name that is misspelt, a number out of bounds, no name: nothing is rendered."""
    done = helm("template", "x", str(CHART), "--set-json", json.dumps(given))
    assert (done.returncode, done.stdout) == (1, "")
    assert [f"at '/{key}" for key in given if f"at '/{key}" not in done.stderr and key != "replica"] == []
    assert at in done.stderr


def test_every_value_is_described_and_used() -> None:
    """In values.yaml with its default, in the schema, in a template."""
    templates = "".join(path.read_text() for path in (CHART / "templates").rglob("*") if path.is_file())
    for path in leaves(VALUES):
        top = path if not path.startswith("resources.") else "resources"
        assert re.search(rf"\.Values\.{re.escape(top)}\b", templates), path
    assert SCHEMA["properties"].keys() - {"global"} == VALUES.keys()


def test_the_versions_are_those_of_the_other_files() -> None:
    """Of the chart, and of the program that it installs."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (semver(RELEASE), RELEASE)
    changed = yaml.safe_load(chart_text("1.2.0rc1"))
    assert changed == {**chart, "version": "1.2.0-rc.1", "appVersion": "1.2.0rc1"}


def test_the_first_workflow_of_the_notes_is_a_good_one() -> None:
    """As lint sees it."""
    notes = (CHART / "templates" / "NOTES.txt").read_text()
    text = re.search(r"<<EOF\n(.*?)^EOF$", notes, re.MULTILINE | re.DOTALL)
    assert text
    done = run("lint", "-", stdin=text[1])
    assert (done.code, done.out, done.err) == (0, "", "1 workflow: no problems found\n")
