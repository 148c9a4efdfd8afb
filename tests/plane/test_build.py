"""The binary is found, named and refused as documented."""

import subprocess
from pathlib import Path

import pytest

from tests.plane import build


def test_a_named_binary_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOBSMGR_PLANE wins over the cache."""
    ready = tmp_path / "plane"
    ready.write_text("#!/bin/sh\n")
    ready.chmod(0o755)
    monkeypatch.setenv(build.VARIABLE, str(ready))
    assert build.binary() == ready


def test_a_wrong_name_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: the variable, what it names, and what to do."""
    monkeypatch.setenv(build.VARIABLE, str(tmp_path / "missing"))
    assert build.main() == 1
    assert capsys.readouterr().err == (
        f'plane: JOBSMGR_PLANE names "{tmp_path / "missing"}", which is no executable file: '
        "unset it or build the binary there.\n"
    )


def test_kubectl_needs_no_installation(tmp_path: Path) -> None:
    """The wrapper in the folder is a kubectl of the version that the plane has."""
    folder = build.kubectl_folder(build.binary(), tmp_path / "bin")
    answer = subprocess.run([folder / "kubectl", "version", "--client"], capture_output=True, text=True, check=True)
    assert f"Client Version: v{build.KUBERNETES}" in answer.stdout


def test_a_failed_build_says_why(tmp_path: Path) -> None:
    """The compiler's words are in the error."""
    (tmp_path / "main.go").write_text("package main\nfunc main() { nonsense }\n")
    (tmp_path / "go.mod").write_text("module broken\n")
    with pytest.raises(build.BuildError, match="undefined: nonsense"):
        build._compile(build._toolchain(), tmp_path)
