"""Plugins of other distributions are found, and most users, who have none, do not pay for the search."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jobsmgr.loading.installed import installed_plugins

ENTRY = "[console_scripts]\nteam = team:main\n\n[jobsmgr]\nteam = team.plugin\n"


def _distribution(folder: Path, info: str, text: str | None = ENTRY) -> Path:
    (folder / info).mkdir(parents=True)
    (folder / info / "METADATA").write_text("Metadata-Version: 2.1\nName: team\nVersion: 1.0\n")
    (folder / info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: team\nVersion: 1.0\n")
    if text is not None:
        (folder / info / "entry_points.txt").write_text(text)
    return folder


@pytest.mark.parametrize("info", ["team-1.0.dist-info", "team.egg-info"])
def test_an_installed_plugin_is_found(info: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the group's heading in what its distribution says of itself."""
    monkeypatch.syspath_prepend(_distribution(tmp_path, info))
    assert [(point.name, point.value) for point in installed_plugins()] == [("team", "team.plugin")]


def test_a_plugin_in_an_archive_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder cannot be listed there, so `importlib.metadata` is asked."""
    with zipfile.ZipFile(tmp_path / "team.zip", "w") as archive:
        archive.writestr("team-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: team\nVersion: 1.0\n")
        archive.writestr("team-1.0.dist-info/entry_points.txt", ENTRY)
    monkeypatch.syspath_prepend(tmp_path / "team.zip")
    assert [point.name for point in installed_plugins()] == ["team"]


@pytest.mark.parametrize("text", [None, "", "[console_scripts]\njobsmgr = a:b\n", "jobsmgr\n"])
def test_what_only_looks_alike_is_none(text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script of that name, or nothing at all."""
    monkeypatch.syspath_prepend(_distribution(tmp_path, "team-1.0.dist-info", text))
    assert installed_plugins() == []


def test_without_a_plugin_importlib_metadata_is_not_even_imported() -> None:
    """It costs more than all built-in plugins; a process without site-packages of others shows it."""
    code = (
        "import sys, site\n"
        "from jobsmgr.loading.plugins import load_hooks\n"
        "assert load_hooks().origins\n"
        "print('importlib.metadata' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
