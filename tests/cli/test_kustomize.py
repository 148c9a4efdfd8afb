"""The shipped configuration for kustomize, named as docs/workflow.md says, used by the real one: a part of kubectl."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.program import EXAMPLES, HEAD, ROOT, run
from tests.plane.build import binary

PARAMS = """{
  fromEnv: [{configMapRef: {name: settings}}, {secretRef: {name: database}}],
  env: [
    {name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}},
    {name: B, valueFrom: {secretKeyRef: {name: database, key: b}}},
  ],
  volumes: [
    {name: c, configMap: {name: settings}}, {name: s, secret: {secretName: database}},
    {name: p, persistentVolumeClaim: {claimName: data}},
    {name: m, projected: {sources: [{configMap: {name: settings}}, {secret: {name: database}}]}},
  ],
  imagePullSecrets: [{name: database}], serviceAccount: batch,
}""".replace("\n", " ")
WORKFLOW = f"""{HEAD}metadata: {{name: wf}}
spec:
  params: {PARAMS}
  groups:
    - name: g
      params: {PARAMS}
      jobs:
        - {{name: j, image: busybox, params: {PARAMS}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: batch}}
"""
KUSTOMIZATION = """
resources: [workflow.yaml]
namePrefix: dev-
images: [{name: busybox, newTag: "9"}]
configMapGenerator: [{name: settings, literals: [a=1]}]
secretGenerator: [{name: database, literals: [b=2]}]
"""


CONFIGURATION = ROOT / "manifests" / "integrations" / "kustomize.yaml"


def _configured(folder: Path) -> str:
    """The line of a kustomization in the page's section; the file that it names is put into a folder."""
    section = (ROOT / "docs" / "workflow.md").read_text().partition("## Kustomize\n")[2]
    (line,) = re.findall(r"```yaml\n# (?:\S+)\n(.*?)```", section, re.DOTALL)
    (name,) = yaml.safe_load(line)["configurations"]
    (folder / name).write_text(CONFIGURATION.read_text())
    return str(line)


@pytest.fixture
def built(tmp_path: Path) -> str:
    """What kustomize makes of a workflow that refers to everything at every level."""
    line = _configured(tmp_path)
    (tmp_path / "kustomization.yaml").write_text(KUSTOMIZATION + line)
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    done = subprocess.run([str(binary()), "kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_strings, value.values()), [])
    if isinstance(value, list):
        return set().union(*map(_strings, value), [])
    return {value} if isinstance(value, str) else set()


def test_every_name_is_changed_at_every_level(built: str) -> None:
    """None is left as it was written."""
    objects = {each["kind"]: each for each in yaml.safe_load_all(built)}
    spec = objects["ManagedJob"]["spec"]
    levels = [spec, spec["groups"][0], spec["groups"][0]["jobs"][0]]
    for level in levels:
        said = _strings(level["params"])
        assert not said & {"settings", "database", "data", "batch"}
        assert {objects[kind]["metadata"]["name"] for kind in ("ConfigMap", "Secret")} <= said
        assert {"dev-data", "dev-batch"} <= said
    assert spec["groups"][0]["jobs"][0]["image"] == "busybox:9"


def test_what_comes_out_is_linted_with_what_it_refers_to(built: str) -> None:
    """The keys that it wants are there; a key of a generator that is not is found."""
    done = run("lint", "-", stdin=built)
    assert "MJ027" not in done.out
    assert (done.code, "MJ027" in run("lint", "-", stdin=built.replace("key: a", "key: z")).out) == (0, True)


def test_the_example_is_built_and_run(tmp_path: Path) -> None:
    """`kustomize build . | jobsmgr run -`: names are other ones, the workflow is the same."""
    line = _configured(tmp_path)
    (tmp_path / "kustomization.yaml").write_text(f"resources: [config.yaml]\nnamePrefix: dev-\n{line}")
    (tmp_path / "config.yaml").write_text((EXAMPLES / "config.yaml").read_text())
    built = subprocess.run([str(binary()), "kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True)
    assert "dev-greeting" in built.stdout
    done = run("run", "--executor", "simulate", "-q", "-", stdin=built.stdout)
    assert (done.code, done.out.startswith("✔ dev-config succeeded")) == (0, True)
