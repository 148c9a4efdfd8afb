"""Completion in bash, zsh and fish, and under the real kubectl."""

import os
import shutil
import socketserver
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobsmgr.cli import main
from jobsmgr.cli.completion import answer_kubectl
from jobsmgr.cli.shared.completing import SECONDS_VARIABLE
from tests.cli.program import HEAD, PROGRAM, ROOT, run
from tests.plane.build import binary, kubectl_folder

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "jobsmgr.bash"
    path.write_text(run("completion", "bash").out)
    return path


def _environment(folder: Path | None = None) -> dict[str, str]:
    """Of a shell that finds the program, with as much time as a busy machine needs; `folder` has the kubeconfig."""
    env = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", SECONDS_VARIABLE: "60"}
    return env if folder is None else {**env, "KUBECONFIG": str(folder / "config"), "HOME": str(folder)}


def _in_bash(script: Path, *words: str, folder: Path | None = None) -> list[str]:
    """What bash offers for the last of the words, after the script has been read."""
    code = (
        f'source {script}; COMP_WORDS=(jobsmgr "$@"); COMP_CWORD=$#; _jobsmgr_completion jobsmgr;'
        " printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", code, "bash", *words],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(folder),
        cwd=folder,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ren",), ["render"]),
        (("",), list(main.COMMANDS)),
        (("graph", "--na"), ["--name", "--namespace"]),
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
    env = {**os.environ, **words, "_JOBSMGR_COMPLETE": f"{shell}_complete", SECONDS_VARIABLE: "60"}
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
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path), SECONDS_VARIABLE: "60"}

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
    words: list[str], expected: list[str] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Directive 4: no files; 0: as the shell does."""
    answer_kubectl(words or [""])
    lines = capsys.readouterr().out.splitlines()
    assert lines == (expected or [*(f"{name}\t{entry.help}" for name, entry in main.COMMANDS.items()), ":4"])


# What files and kubeconfigs have

WORKFLOWS = (
    f"{HEAD}metadata: {{name: one}}\nspec:\n  groups:\n"
    "    - {name: extract, jobs: [{name: users, image: a}, {name: orders, image: a}]}\n"
    "    - {name: load, jobs: [{name: users, image: a}]}\n"
    f"---\n{HEAD}metadata: {{name: two}}\nspec: {{groups: [{{name: g, jobs: [{{name: j, image: a}}]}}]}}\n"
)
KUBECONFIG = """\
contexts: [{name: dev, context: {cluster: c}}, {name: prod, context: {cluster: c}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
current-context: dev
"""
ALL_JOBS = ["extract/users", "extract/orders", "load/users", "g/j"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of two workflows and a kubeconfig of two contexts, whose server does not answer."""
    (tmp_path / "wf.yaml").write_text(WORKFLOWS)
    (tmp_path / "config").write_text(KUBECONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "wf.yaml", "--only", ""), ALL_JOBS),
        (("run", "wf.yaml", "--name", "two", "--from", ""), ["g/j"]),
        (
            ("run", "--name=one", "wf.yaml", "--only", "load/users", "--only", "extract/"),
            ["extract/users", "extract/orders"],
        ),
        (("render", "wf.yaml", "--job", "=", "lo"), ["load/users"]),
        (("explain", "wf.yaml", "--job", "or"), ["orders"]),
        (("explain", "wf.yaml", "--job", "us"), []),
        (("graph", "wf.yaml", "--name", ""), ["one", "two"]),
        (("tree", "--context", ""), ["dev", "prod"]),
        (("--context", "p"), ["prod"]),
        (("-n", "team", "--context", "=", ""), ["dev", "prod"]),
        (("logs", "wf", "--kubeconfig", "other", "--context", ""), []),
        (("-o", "j"), ["json", "jsonpath="]),
    ],
)
def test_words_are_completed_from_files(
    bash_script: Path, folder: Path, words: tuple[str, ...], expected: list[str]
) -> None:
    """Jobs and workflows of FILE, contexts of the kubeconfig; before the command too."""
    assert _in_bash(bash_script, *words, folder=folder) == expected


def test_fish_offers_jobs_and_descriptions(folder: Path) -> None:
    """In a real fish, as its own completion asks."""
    if (program := shutil.which("fish")) is None:
        pytest.skip("fish is not installed")
    (folder / "script").write_text(run("completion", "fish").out)
    code = "source script; complete -C 'jobsmgr run wf.yaml --only e'; complete -C 'jobsmgr ren'"
    done = subprocess.run(
        [program, "-c", code], capture_output=True, text=True, check=True, env=_environment(folder), cwd=folder
    )
    offered = [line.split("\t") for line in done.stdout.splitlines()]
    assert sorted(words[0] for words in offered) == ["extract/orders", "extract/users", "render"]
    assert offered[-1][1:] == [main.COMMANDS["render"].help]


def test_zsh_offers_jobs_and_descriptions(folder: Path) -> None:
    """In a real zsh, whose script is run with what zsh sets; only the builtins of its line editor are stood in for."""
    if (program := shutil.which("zsh")) is None:
        pytest.skip("zsh is not installed")
    (folder / "script").write_text(run("completion", "zsh").out)
    code = """
        compdef() { :; }; compadd() { print -l -- ${(P)@[-1]}; }; _describe() { print -l -- ${(P)3}; }
        source ./script
        words=(jobsmgr run wf.yaml --only e); CURRENT=5; _jobsmgr_completion
        words=(jobsmgr ren); CURRENT=2; _jobsmgr_completion
    """
    done = subprocess.run(
        [program, "-f", "-c", code], capture_output=True, text=True, check=True, env=_environment(folder), cwd=folder
    )
    assert done.stdout.splitlines() == ["extract/users", "extract/orders", f"render:{main.COMMANDS['render'].help}"]


# What cannot be found out


class _Silent(socketserver.BaseRequestHandler):
    """A server that takes a request and never answers."""

    def handle(self) -> None:
        """Wait for the client to go away."""
        while self.request.recv(4096):
            pass


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Its address."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield "http://{}:{}".format(*server.server_address)
        server.shutdown()
        thread.join()


def _kubectls_answer(folder: Path, *words: str, seconds: str | None = None) -> tuple[int, str, str]:
    """Of the program that kubectl asks, as a process of its own; without `seconds` it has the usual time."""
    env = {name: value for name, value in _environment(folder).items() if name != SECONDS_VARIABLE}
    code = "from jobsmgr.cli.completion import kubectl_complete; kubectl_complete()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        env=env if seconds is None else {**env, SECONDS_VARIABLE: seconds},
        cwd=folder,
    )
    return done.returncode, done.stdout, done.stderr


def test_what_fails_offers_nothing_and_says_nothing(folder: Path, silent_server: str) -> None:
    """No server, a silent one, a broken or missing kubeconfig, a credential plugin that complains, bad files."""
    nothing = (0, ":4\n", "")
    assert _kubectls_answer(folder, "tree", "", seconds="60") == nothing
    config = folder / "config"
    (folder / "plugin").write_text("#!/bin/sh\ntouch called\necho trouble >&2\nexit 1\n")
    (folder / "plugin").chmod(0o755)
    plugin = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: IfAvailable}"
    for text in ("contexts: [", "clusters: 3", "", f"{KUBECONFIG}users: [{{name: '', user: {{{plugin}}}}}]\n"):
        config.write_text(text.replace("http:", "https:"))
        assert _kubectls_answer(folder, "logs", "wf", "-j", "", seconds="60") == nothing, text
    assert (folder / "called").exists()
    config.write_text(KUBECONFIG.replace("http://127.0.0.1:9", silent_server))
    for words in (("tree", ""), ("tree", "-n", ""), ("retry", "wf", "--from", ""), ("graph", "-n", "")):
        assert _kubectls_answer(folder, *words) == nothing, words
    config.unlink()
    assert _kubectls_answer(folder, "status", "", seconds="60") == nothing
    for text in ("a: [", "kind: Pod\n", f"{HEAD}metadata: {{name: x}}\nspec: 3\n", "- \n\0"):
        (folder / "wf.yaml").write_text(text)
        assert _kubectls_answer(folder, "run", "wf.yaml", "--only", "", seconds="60") == nothing, text
    assert _kubectls_answer(folder, "run", "absent.yaml", "--only", "", seconds="60") == nothing
    assert _kubectls_answer(folder, "run", "-", "--only", "", seconds="60") == nothing


def test_an_answer_that_takes_too_long_is_not_waited_for(folder: Path) -> None:
    """However it comes about: here there is no time at all."""
    assert _kubectls_answer(folder, "run", "wf.yaml", "--only", "e", seconds="0") == (0, ":4\n", "")
    found = (0, "extract/users\nextract/orders\n:4\n", "")
    assert _kubectls_answer(folder, "run", "wf.yaml", "--only", "e", seconds="60") == found
