"""What `nox -s release` has put into dist/: whole, of one version, and working where nothing else is installed."""

import json
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from manifests.generate.kustomize import RELEASE
from release.versions import semver
from tests.installation.support import helm, loaded, pod
from tests.plane.access import ROOT
from tests.test_dependencies import locked, normal

DIST = ROOT / "dist"
FRESH = Path(os.environ.get("JOBSMGR_FRESH", "")) / "bin"
"""The environment that the wheel was installed into, without the source beside it."""

CRD_NAME = "managedjobs.jobsmanager.raczylo.com"

pytestmark = pytest.mark.skipif("JOBSMGR_FRESH" not in os.environ, reason="nox -s release builds what this looks at")

SAYS_NO_LICENCE = {"httpx-aiohttp"}
"""A library whose metadata name none, though its files do."""


def jobsmgr(*arguments: str, folder: Path) -> str:
    """What the installed program prints, run far from the source."""
    environment = {"PATH": f"{FRESH}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    command = [str(FRESH / "jobsmgr"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def only(pattern: str) -> Path:
    """The one file of dist/ with such a name."""
    (found,) = DIST.glob(pattern)
    return found


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the installed program says of itself."""
    said = json.loads(jobsmgr("version", "-o", "json", folder=tmp_path_factory.mktemp("version")))
    return str(said["jobsmgr"])


def test_the_version_is_that_of_the_history(version: str) -> None:
    """The newest tag, or what comes after it; never with a local part, which no tag of an image may have."""
    asked = ["git", "-C", str(ROOT), "describe", "--tags", "--long", "--match", "v[0-9]*", "HEAD"]
    described = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    tag, distance = (described.rsplit("-", 2) if described else ("v0.0", "some", ""))[:2]
    assert re.fullmatch(r"\d+(\.\d+)+((a|b|rc)\d+)?(\.dev\d+)?", version)
    if distance == "0":
        assert version == tag.removeprefix("v")
    else:
        assert ".dev" in version


def test_wheel_and_source_are_of_that_version(version: str) -> None:
    """The source can build the image, run the tests, and be built again without a history."""
    assert only("*.whl").name == f"jobsmgr-{version}-py3-none-any.whl"
    archive = only("*.tar.gz")
    assert archive.name == f"jobsmgr-{version}.tar.gz"
    with tarfile.open(archive) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    needed = {".containerignore", "Containerfile", "noxfile.py", "CHANGELOG.md", "changes/README.md", "PKG-INFO"}
    locks = {path.name for path in ROOT.glob("requirements*.lock")}
    assert needed | locks | {"tests/conftest.py", "docs/operator.md", "examples/seed.yaml"} <= names
    assert not {name for name in names if name.endswith(".pyc") or ".egg-info" in name}


def test_the_wheel_is_the_package_and_nothing_else() -> None:
    """Typed, and with its licence."""
    with zipfile.ZipFile(only("*.whl")) as wheel:
        names = set(wheel.namelist())
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"jobsmgr"}
    assert "jobsmgr/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_program_runs_a_workflow(tmp_path: Path) -> None:
    """From the wheel alone, in an environment with what is locked and nothing else."""
    example = tmp_path / "quickstart.yaml"
    example.write_text((ROOT / "examples" / "quickstart.yaml").read_text())
    jobsmgr("lint", example.name, folder=tmp_path)
    last = jobsmgr("run", "--executor", "process", example.name, folder=tmp_path).splitlines()[-1]
    assert last.split()[1:4] == ["quickstart", "succeeded", "4/4"]


def test_the_bill_of_materials_names_what_is_installed(version: str) -> None:
    """Each library at its locked version, with a licence and an address by which scanners know it."""
    bill = json.loads((DIST / "sbom.cdx.json").read_text())
    found = {one["name"]: one for one in bill["components"]}
    subject = bill["metadata"]["component"]
    assert (subject["name"], subject["version"], subject["purl"]) == ("jobsmgr", version, f"pkg:pypi/jobsmgr@{version}")
    pinned = locked("requirements.operator.lock")
    versions = {normal(name): one["version"] for name, one in found.items()}
    assert {name: number for name, number in versions.items() if pinned.get(name) != number} == {}
    assert {"kr8s", "pluggy", "attrs"} <= found.keys()
    assert {name for name, one in found.items() if not one.get("licenses")} <= SAYS_NO_LICENCE
    assert [name for name, one in found.items() if not one["purl"].startswith("pkg:pypi/")] == []


def test_what_installs_the_operator_names_its_image(version: str) -> None:
    """CRD and operator in one file, with this version's tag; at a release the committed files name it as well."""
    found = loaded((DIST / "install.yaml").read_text())
    (container,) = pod(found)["containers"]
    assert container["image"].rpartition(":")[2] == version
    assert found["CustomResourceDefinition", CRD_NAME]["spec"]["names"]["kind"] == "ManagedJob"
    assert "dev" in version or version == RELEASE


def test_the_chart_installs_the_same(version: str) -> None:
    """Under a version that Helm takes; its Deployment runs the image of install.yaml."""
    archive = only("jobsmgr-*.tgz")
    assert archive.name == f"jobsmgr-{semver(version)}.tgz"
    done = helm("template", "jobsmgr", str(archive), "--namespace", "jobsmgr")
    assert done.returncode == 0, done.stderr
    ours, theirs = (pod(loaded(text))["containers"] for text in (done.stdout, (DIST / "install.yaml").read_text()))
    assert [one["image"] for one in ours] == [one["image"] for one in theirs]


def test_the_checksums_are_of_all_that_is_published() -> None:
    """As `sha256sum --check` reads them."""
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=DIST, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} | {"SHA256SUMS"} == set(os.listdir(DIST))


def test_its_notes_are_what_has_changed() -> None:
    """What the files in changes/ say, or at a release what CHANGELOG.md says of it."""
    notes = " ".join((DIST / "notes.md").read_text().split())
    assert notes
    fragments = [" ".join(path.read_text().split()) for path in (ROOT / "changes").glob("+*.md")]
    assert [text for text in fragments if text not in notes] == []
