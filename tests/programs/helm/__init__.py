"""Helm, which installs the chart. The chart is not known here."""

from pathlib import Path

from tests.programs.building import Program

VERSION = "4.3.1"
"""The version that the binary reports; go.mod pins the same one."""
HELM = Program(
    "helm",
    Path(__file__).parent,
    says=f"Helm {VERSION}",
    packages=900,
    stamps=(f"helm.sh/helm/v4/internal/version.version=v{VERSION}",),
)
