"""`python -m release.chart HELM DIST IMAGE`: pack the chart for the version in DIST. No cluster is asked."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.notes import ROOT
from release.versions import semver, version_of

CHART = ROOT / "manifests" / "chart"
_REPOSITORY = "  repository: jobsmgr\n"


def pack(helm: str, dist: Path, image: str) -> None:
    """Package a copy of the chart that runs that image; its version is SemVer, its appVersion the image's tag."""
    version = version_of(dist)
    with tempfile.TemporaryDirectory() as scratch:
        chart = shutil.copytree(CHART, Path(scratch) / "jobsmgr")
        values = chart / "values.yaml"
        before, line, after = values.read_text().partition(_REPOSITORY)
        assert line, f"{values} does not say which image runs"
        values.write_text(f"{before}  repository: {image}\n{after}")
        numbers = ("--version", semver(version), "--app-version", version)
        subprocess.run([helm, "package", str(chart), *numbers, "--destination", str(dist)], check=True)


if __name__ == "__main__":
    pack(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
