"""The other files for tools around a cluster: what they name exists, and their commands are ours."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.program import PROGRAM
from tests.integrations.argocd import FILE, settings
from tests.plane.access import CRD, ROOT
from tests.plane.build import binary

FOLDER = ROOT / "manifests" / "integrations"
PAGE = (ROOT / "docs" / "gitops.md").read_text()
PLUGINS: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "k9s-plugins.yaml").read_text())["plugins"]


def test_the_page_names_every_file() -> None:
    """And none that is not there."""
    assert set(re.findall(r"manifests/integrations/([\w.-]+)", PAGE)) == {path.name for path in FOLDER.iterdir()}


def test_argo_cd_is_told_of_our_kind() -> None:
    """Its keys are of the group and kind that the CRD defines."""
    crd = yaml.safe_load(CRD.read_text())["spec"]
    ours = f"{crd['group']}_{crd['names']['kind']}"
    assert settings().keys() == {f"resource.customizations.{what}.{ours}" for what in ("health", "actions")}
    assert FILE.parent == FOLDER


def test_argo_cd_keeps_its_other_settings(tmp_path: Path) -> None:
    """The command of the page patches: what stands in the ConfigMap besides stays."""
    there = tmp_path / "there.yaml"
    there.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: argocd-cm}, data: {url: 'https://a.example'}}")
    patch = ("patch", "--local", "--filename", str(there), "--patch-file", str(FILE), "--output", "yaml")
    done = subprocess.run([str(binary()), "kubectl", *patch], capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout)["data"] == {"url": "https://a.example", **settings()}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_of_k9s_runs_a_command_of_ours(name: str) -> None:
    """With arguments that it takes: all are read before the help is shown."""
    plugin = PLUGINS[name]
    words = plugin["args"]
    if plugin["command"] == "sh":
        words = re.sub(r'"(\$\w+)"', r"\1", words[1].partition(" | ")[0]).split()[1:]
    else:
        assert plugin["command"] == "kubectl-managedjob"
    arguments = [word.replace("$NAME", "etl").replace("$", "x-") for word in words]
    done = subprocess.run([PROGRAM, *arguments, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: jobsmgr {words[0]}")


def test_plugins_of_k9s_have_keys_of_their_own() -> None:
    """On our kind alone; what ends something asks first."""
    keys = [plugin["shortCut"] for plugin in PLUGINS.values()]
    assert len(keys) == len(set(keys))
    assert {tuple(plugin["scopes"]) for plugin in PLUGINS.values()} == {("managedjobs",)}
    asking = {name for name, plugin in PLUGINS.items() if plugin.get("confirm")}
    assert asking == {"managedjob-retry", "managedjob-abort"}
    assert {key.split("-")[1] for key in keys} <= set(re.findall(r"`Shift-(\w)`", PAGE))


def test_the_example_for_flux_is_of_one_piece() -> None:
    """It waits for what it applies, and its source is the one beside it."""
    source, kustomization = yaml.safe_load_all((FOLDER / "flux.yaml").read_text())
    assert kustomization["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
    assert kustomization["spec"]["wait"] is True
