"""Objects as tests compare them, and Helm. Nothing is tested here."""

import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.plane.access import MANIFESTS
from tests.plane.build import binary
from tests.programs.helm import HELM

Objects = dict[tuple[str, str], dict[str, Any]]


def by_name(manifests: Iterable[Any]) -> Objects:
    """Objects by kind and name; none is there twice."""
    listed = [*manifests]
    found = {(one["kind"], one["metadata"]["name"]): one for one in listed}
    assert len(found) == len(listed)
    return found


def loaded(text: str) -> Objects:
    """The objects of a YAML stream."""
    documents = yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return by_name(one for one in documents if one)


def pod(objects: Objects) -> Any:
    """The spec of the operator's pods."""
    return objects["Deployment", "jobsmgr"]["spec"]["template"]["spec"]


@cache
def built(folder: Path) -> str:
    """What kustomize makes of a folder."""
    done = subprocess.run([binary(), "kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def kustomization(folder: Path, resource: str, components: Sequence[str] = (), **more: Any) -> Path:
    """A user's own kustomization over the shipped folders, beside a link to them; its folder."""
    (folder / "manifests").symlink_to(MANIFESTS)
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    paths = {
        "resources": [f"../manifests/{resource}"],
        "components": [f"../manifests/components/{name}" for name in components],
    }
    mine = folder / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(yaml.safe_dump({**head, **paths, **more}))
    return mine


def overlay(folder: Path, resource: str, components: Sequence[str] = (), **more: Any) -> Objects:
    """What kustomize makes of such a kustomization."""
    return loaded(built(kustomization(folder, resource, components, **more)))


def helm(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Helm, with no cluster but the one that `environment` names."""
    return subprocess.run(
        [HELM.binary(), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
