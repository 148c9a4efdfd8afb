"""Every generated file by its path, with its text. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from jobsmgr.api.fields import Manifest
from jobsmgr.installation import parts
from jobsmgr.views.manifests import manifest_yaml
from manifests.generate.chart import Chart
from manifests.generate.kustomize import CHOSEN, RELEASE, folders
from release.versions import semver

ROOT = Path(__file__).parents[1]
CRD = ROOT / "crd" / "managedjobs.yaml"
INSTALL = ROOT / "install.yaml"
CHART = ROOT / "chart"
GENERATED = ("crd", "base", "namespaced", "components", "overlays")
"""Folders in which every file is generated."""

_HEADER = "# Written by `python -m manifests.generate` from {source}: change {those}, not this file.\n"
_MODELS = _HEADER.format(source="the models in jobsmgr/api", those="those")
_OVERLAY = "# A start for your own overlay, written by `python -m manifests.generate`: components/ has more to add.\n"
_TEMPLATE = (
    "{{- /* Written by `python -m manifests.generate` from manifests/generate/chart.py and jobsmgr/installation:"
    " change those. */ -}}\n"
)
_OBJECTS = _HEADER.format(source="jobsmgr/installation", those="that")


def files() -> dict[Path, str]:
    """The text of each file that is generated."""
    return {
        CRD: _MODELS + _yaml(parts.crd()),
        INSTALL: _OBJECTS + _yaml(parts.everything(CHOSEN)),
        **{ROOT / path: _header(path) + _yaml(manifests) for path, manifests in folders().items()},
        CHART / "Chart.yaml": chart_text(RELEASE),
        **{CHART / "templates" / f"{name}.yaml": _TEMPLATE + text for name, text in Chart().files().items()},
    }


def chart_text(version: str) -> str:
    """The chart's description, which is written by hand, with its version and that of the program."""
    text = (CHART / "Chart.yaml").read_text()
    for key, value in (("version", semver(version)), ("appVersion", version)):
        text = re.sub(rf"^{key}: .*$", f"{key}: {value}", text, flags=re.MULTILINE)
    return text


def _header(path: str) -> str:
    return _OVERLAY if path.startswith("overlays/") else _OBJECTS


def strays() -> list[Path]:
    """Files in the generated folders that are not generated, or no longer."""
    found = [path for folder in GENERATED for path in (ROOT / folder).rglob("*") if path.is_file()]
    found += (CHART / "templates").rglob("*.yaml")
    return sorted({*found} - files().keys())


def _yaml(manifests: Iterable[Manifest]) -> str:
    return manifest_yaml(manifests).removeprefix("---\n")
