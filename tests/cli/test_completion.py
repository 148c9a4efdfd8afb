"""Completion in bash, zsh and fish, and under the real kubectl."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jobsmgr.cli import main
from jobsmgr.cli.completion import kubectl_complete
from tests.cli.program import PROGRAM, ROOT, run
from tests.plane.build import binary, kubectl_folder

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "jobsmgr.bash"
    path.write_text(run("completion", "bash").out)
    return path


def _in_bash(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words, after the script has been read."""
    code = (
        f'source {script}; COMP_WORDS=(jobsmgr "$@"); COMP_CWORD=$#; _jobsmgr_completion jobsmgr;'
        " printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    env = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", code, "bash", *words], capture_output=True, text=True, check=True, env=env)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ren",), ["render"]),
        (("",), list(main.COMMANDS)),
        (("graph", "--na"), ["--name"]),
        (("lint", "-o", ""), ["text", "json", "sarif", "github"]),
        (("lint", "-o", "s"), ["sarif"]),
        (("-o", "json", "exp"), ["explain"]),
    ],
)
def test_bash_completes_commands_options_and_choices(
    bash_script: Path, words: tuple[str, ...], expected: list[str]
) -> None:
    """In a real bash, with the script that the command prints; options may stand before the command."""
    assert _in_bash(bash_script, *words) == expected


def test_bash_is_told_of_the_completion(bash_script: Path) -> None:
    """`complete` names the function for the program; files are left to bash."""
    done = subprocess.run(
        ["bash", "-c", f"source {bash_script}; complete -p jobsmgr"], capture_output=True, text=True, check=True
    )
    assert "_jobsmgr_completion jobsmgr" in done.stdout


@pytest.mark.parametrize(
    ("shell", "words"),
    [("zsh", {"COMP_WORDS": "jobsmgr ren", "COMP_CWORD": "1"}), ("fish", {"COMP_WORDS": "ren", "COMP_CWORD": "ren"})],
)
def test_zsh_and_fish_ask_as_their_scripts_do(shell: str, words: dict[str, str]) -> None:
    """The script asks the program itself; the answer has the command and its line of the help."""
    script = run("completion", shell).out
    assert f"_JOBSMGR_COMPLETE={shell}_complete" in script
    env = {**os.environ, **words, "_JOBSMGR_COMPLETE": f"{shell}_complete"}
    done = subprocess.run([PROGRAM], capture_output=True, text=True, check=False, env=env)
    assert done.stderr == ""
    assert "render" in done.stdout
    assert main.COMMANDS["render"].help in done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_scripts_of_zsh_and_fish_are_taken_by_them(shell: str, tmp_path: Path) -> None:
    """Where the shell is installed: it reads the script without a complaint."""
    if (program := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    done = subprocess.run([program, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_kubectl_completes_the_plugin(tmp_path: Path) -> None:
    """The real kubectl finds `kubectl_complete-managedjob` on the PATH and takes its answer."""
    folder = kubectl_folder(binary(), tmp_path / "bin")
    for name in ("kubectl-managedjob", "kubectl_complete-managedjob"):
        module, _, function = SCRIPTS[name].partition(":")
        script = folder / name
        script.write_text(f"#!{sys.executable}\nfrom {module} import {function}\n{function}()\n")
        script.chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def answer(*words: str) -> list[str]:
        command: list[str | Path] = [folder / "kubectl", "__complete", "managedjob", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        return done.stdout.splitlines()

    assert answer("ren") == [f"render\t{main.COMMANDS['render'].help}", ":4"]
    assert answer("graph", "-o", "") == ["text", "mermaid", "dot", "svg", ":4"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["plug"], [f"plugins\t{main.COMMANDS['plugins'].help}", ":4"]),
        (["render", "-o", "j"], ["json", ":4"]),
        (["render", "some"], [":0"]),
        (["nothing-like-it"], [":4"]),
        ([], None),
    ],
)
def test_the_answer_for_kubectl_says_whether_files_fit(
    words: list[str], expected: list[str] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Directive 4: no files; 0: as the shell does."""
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-managedjob", *words])
    kubectl_complete()
    lines = capsys.readouterr().out.splitlines()
    assert lines == (expected or [*(f"{name}\t{entry.help}" for name, entry in main.COMMANDS.items()), ":4"])
