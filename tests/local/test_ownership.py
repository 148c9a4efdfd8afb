"""The kubelet's rule for a pod's `fsGroup`, on real files; it takes root to give files away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobsmgr.local import ownership
from jobsmgr.local.ownership import ON_ROOT_MISMATCH, Access, give, open_up

GROUP = 2000
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A folder with files of several modes, a link to one, and a folder in it."""
    place = tmp_path / "volume"
    (place / "folder").mkdir(parents=True)
    for name, mode in (("private", 0o400), ("script", 0o700), ("folder/open", 0o644)):
        (place / name).write_text("x")
        (place / name).chmod(mode)
    (place / "link").symlink_to("private")
    (place / "folder").chmod(0o700)
    place.chmod(0o755)
    return place


def shown(place: Path) -> dict[str, str]:
    """Mode and group of all."""
    paths = [place, *place.rglob("*")]
    found = {str(path.relative_to(place)): path.lstat() for path in paths if not path.is_symlink()}
    return {name: f"{stat.st_mode & 0o7777:o} {stat.st_gid}" for name, stat in found.items()}


@needs_root
def test_a_group_that_reads(volume: Path) -> None:
    """Of a Secret: what the owner alone could read the group reads too; nothing is taken away."""
    give(volume, GROUP, Access.READ)
    modes = {".": "2755", "folder": "2750", "private": "440", "script": "740", "folder/open": "644"}
    assert shown(volume) == {name: f"{mode} {GROUP}" for name, mode in modes.items()}
    assert (volume / "link").lstat().st_gid == GROUP


@needs_root
def test_a_group_that_writes(volume: Path) -> None:
    """Of an emptyDir or a disk: folders hand their group on to what is made in them."""
    give(volume, GROUP, Access.WRITE)
    modes = {".": "2775", "folder": "2770", "private": "660", "script": "760", "folder/open": "664"}
    assert shown(volume) == {name: f"{mode} {GROUP}" for name, mode in modes.items()}
    (volume / "folder" / "new").touch()
    assert (volume / "folder" / "new").stat().st_gid == GROUP


@needs_root
def test_a_volume_that_was_given_already(volume: Path) -> None:
    """`OnRootMismatch` looks at its root alone, and leaves the rest to those who wrote it."""
    give(volume, GROUP, Access.WRITE, ON_ROOT_MISMATCH)
    assert shown(volume)["private"] == f"660 {GROUP}"
    (volume / "private").chmod(0o600)
    give(volume, GROUP, Access.WRITE, ON_ROOT_MISMATCH)
    assert shown(volume)["private"] == f"600 {GROUP}"
    give(volume, GROUP, Access.WRITE, "Always")
    assert shown(volume)["private"] == f"660 {GROUP}"
    give(volume, GROUP + 1, Access.WRITE, ON_ROOT_MISMATCH)
    assert shown(volume)["private"] == f"660 {GROUP + 1}"


@needs_root
def test_as_a_program(volume: Path) -> None:
    """As a rootless podman is asked to run it in its user namespace."""
    words = [sys.executable, "-m", ownership.__name__, str(volume), str(GROUP), Access.READ.name, ""]
    subprocess.run(words, check=True, capture_output=True)
    assert shown(volume)["private"] == f"440 {GROUP}"


def test_who_may_not_give_files_away(volume: Path) -> None:
    """Whoever is in the container may do what the group should: a volume is this run's alone."""
    open_up(volume, Access.WRITE)
    modes = {name: mode.split()[0] for name, mode in shown(volume).items()}
    assert modes == {".": "757", "folder": "707", "private": "406", "script": "706", "folder/open": "646"}
    open_up(volume, Access.READ)
    assert shown(volume)["private"].split()[0] == "406"
