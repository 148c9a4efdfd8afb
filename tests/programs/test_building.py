"""A program is found, named, built and refused as documented."""

import subprocess
from pathlib import Path

import pytest

from tests.plane.build import KUBERNETES, PLANE, kubectl_folder
from tests.programs.__main__ import PROGRAMS, main
from tests.programs.building import BuildError, toolchain
from tests.programs.helm import HELM, VERSION


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_named_binary_is_used(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's variable wins over the cache."""
    ready = tmp_path / name
    ready.write_text("#!/bin/sh\n")
    ready.chmod(0o755)
    monkeypatch.setenv(f"JOBSMGR_{name.upper()}", str(ready))
    assert PROGRAMS[name].binary() == ready


def test_a_wrong_name_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: the variable, what it names, and what to do."""
    monkeypatch.setenv(PLANE.variable, str(tmp_path / "missing"))
    assert main(["plane"]) == 1
    assert capsys.readouterr().err == (
        f'plane: JOBSMGR_PLANE names "{tmp_path / "missing"}", which is not an executable file: '
        "unset it or build the binary there.\n"
    )
    assert main(["nothing"]) == 1
    assert capsys.readouterr().err.startswith('nothing: there is no program "nothing": use plane, ')


def test_kubectl_needs_no_installation(tmp_path: Path) -> None:
    """The wrapper in the folder is a kubectl of the version that the plane has."""
    folder = kubectl_folder(PLANE.binary(), tmp_path / "bin")
    answer = subprocess.run([folder / "kubectl", "version", "--client"], capture_output=True, text=True, check=True)
    assert f"Client Version: v{KUBERNETES}" in answer.stdout


def test_helm_is_of_the_version_that_its_module_pins() -> None:
    """It runs, and ends with an error's exit code."""
    helm = HELM.binary()
    answer = subprocess.run([helm, "version", "--template", "{{.Version}}"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"v{VERSION}"
    wrong = subprocess.run([helm, "template", "/none"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (1, 'Error: path "/none" not found\n')


def test_a_failed_build_says_why(tmp_path: Path) -> None:
    """The compiler's words are in the error."""
    (tmp_path / "main.go").write_text("package main\nfunc main() { nonsense }\n")
    (tmp_path / "go.mod").write_text("module broken\n")
    with pytest.raises(BuildError, match="undefined: nonsense"):
        PLANE.compile(toolchain((1, 26)), tmp_path)
