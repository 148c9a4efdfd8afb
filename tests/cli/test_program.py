"""The program around its commands: help, options anywhere, colours, exit codes, errors."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jobsmgr.cli import main
from jobsmgr.cli.shared.group import VALUE_OPTIONS
from tests.cli.program import EXAMPLES, ONE_JOB, PROGRAM, run, run_process
from tests.plane.build import binary, kubectl_folder

SEED = str(EXAMPLES / "seed.yaml")
WARNED = ONE_JOB.replace("name: g,", "name: g, parallel: y,")


# Help


def test_help_lists_every_command() -> None:
    """With a line each, and the exit codes."""
    done = run("--help")
    assert done.code == 0
    assert [
        line.split()[0] for line in done.out.splitlines() if line.startswith("  ") and line.split()[0] in main.COMMANDS
    ] == list(main.COMMANDS)
    assert "3 workflow failed, 4 aborted, 124 timeout, 130 interrupted" in " ".join(done.out.split())


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_a_help_of_its_own(command: str) -> None:
    """Its first sentence says what the list says; `-v` and `--color` are there; every option is explained."""
    done = run(command, "--help")
    assert done.code == 0
    assert f"Usage: jobsmgr {command}" in done.out
    assert "--verbose" in done.out
    assert "--color" in done.out
    loaded = main.cli.get_command(click.Context(main.cli), command)
    assert loaded is not None
    assert [param.name for param in loaded.params if isinstance(param, click.Option) and not param.help] == []


def test_without_arguments_it_shows_its_help() -> None:
    """On standard error, as a mistake."""
    done = run()
    assert (done.code, done.out) == (2, "")
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rendre"], "Error: No such command 'rendre'. Did you mean 'render'?"),
        (["nothing-like-it"], "Error: No such command 'nothing-like-it'. Try"),
        (["-v", "-o", "json"], "Error: Missing command."),
        (["--"], "Error: Missing command."),
        (["completion"], "Error: Missing argument 'SHELL'. Choose from: bash, zsh, fish. Try"),
        (["graph"], "Error: Missing argument 'FILE|NAME'."),
        (["lint"], "Error: Missing argument 'FILE...'."),
        (["graph", SEED, "--nmae", "a"], "Error: No such option '--nmae'."),
        (["graph", SEED, "-o", "png"], "Error: Invalid value for '-o' / '--output': \"png\" is not one of"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_where_to_look(arguments: list[str], sentence: str) -> None:
    """Exit code 2."""
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    *traceback, said = done.err.splitlines()
    assert said.startswith(sentence)
    assert said.endswith("--help'.")
    assert bool(traceback) == ("-v" in arguments)


# Options before and after the command


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "-n", "team", "-o", "json", SEED],
        ["-n", "team", "render", "-o", "json", SEED],
        ["-n", "team", "-o", "json", "render", SEED],
        ["--namespace=team", "-o=json", "render", SEED],
        ["render", SEED, "-o=json", "-n=team"],
        ["-nteam", "render", SEED, "-ojson"],
        ["-v", "--output", "json", "--namespace", "team", "render", SEED],
        ["--color", "never", "-n", "team", "-o", "json", "render", SEED],
        ["render", SEED, "-o", "json", "-n", "team", "-v"],
    ],
)
def test_options_work_before_and_after_the_command(arguments: list[str]) -> None:
    """kubectl refuses flags before a plugin's name, so people put them anywhere."""
    done = run(*arguments)
    assert (done.code, done.err) == (0, "")
    assert {item["metadata"]["namespace"] for item in json.loads(done.out)["items"]} == {"team"}


def test_a_value_that_is_a_commands_name_is_a_value() -> None:
    """A namespace may be called `graph`."""
    done = run("-n", "graph", "render", "-o", "json", SEED)
    assert {item["metadata"]["namespace"] for item in json.loads(done.out)["items"]} == {"graph"}


def test_options_with_a_value_are_known_before_the_command() -> None:
    """Whatever a command takes in short form with a value, it takes before its name; else the value is the command."""
    common = {"-n", "--namespace", "-o", "--output", "--color"}
    taken = set()
    for name in main.COMMANDS:
        command = main.cli.get_command(click.Context(main.cli), name)
        assert command is not None
        for param in command.params:
            if isinstance(param, click.Option) and not param.is_flag and common & set(param.opts):
                taken |= set(param.opts)
    assert taken <= VALUE_OPTIONS


def test_an_option_before_the_command_that_it_does_not_take_is_refused() -> None:
    """Not passed over."""
    done = run("-n", "team", "explain", SEED)
    assert (done.code, done.err.split(".")[0]) == (2, "Error: No such option '-n'")


# Errors


def test_verbose_shows_where_an_error_came_from() -> None:
    """Without it there is no traceback."""
    assert "Traceback" in run("-v", "graph", "missing.yaml").err
    assert "Traceback" in run("graph", "missing.yaml", "--verbose").err
    assert run("graph", "missing.yaml").err.count("\n") == 1


def test_what_nobody_foresaw_is_one_sentence_too() -> None:
    """A bug says that it is one; `-v` shows where."""
    code = "import jobsmgr.cli.graph as g, jobsmgr.cli.main as m\ndef f(*_): 1/0\ng.load_documents = f\nm.main({})"
    done = subprocess.run(
        [sys.executable, "-c", code.format(["graph", "a.yaml"])], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "Error: ZeroDivisionError: division by zero; this is a bug in jobsmgr, -v shows where\n",
    )
    verbose = subprocess.run(
        [sys.executable, "-c", code.format(["graph", "a", "-v"])], capture_output=True, text=True, check=False
    )
    assert "Traceback" in verbose.stderr


def test_a_reader_that_has_enough_is_no_error() -> None:
    """`jobsmgr render ... | head -1`."""
    script = f"'{PROGRAM}' render '{SEED}' -o json; echo code $? >&2"
    done = subprocess.run(["bash", "-c", f"({script}) | true"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("command", ["render", "explain", "graph", "lint", "run --executor simulate -q"])
def test_output_that_cannot_be_written_is_said(command: str) -> None:
    """A full disk is no bug."""
    done = _in_shell(f"{command} - >/dev/full", WARNED)
    words = "Error: the operating system reports: No space left on device; -v shows where\n"
    assert (done.returncode, done.stderr.splitlines(keepends=True)[-1]) == (1, words)


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2> >(:)"], ids=["full", "nobody reads"])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (f"lint '{SEED}'", 0),
        (f"render '{SEED}'", 0),
        ("lint missing.yaml", 2),
        ("lint --no-such-option", 2),
        ("-v graph missing.yaml", 2),
        (f"run --executor simulate '{SEED}'", 0),
    ],
)
def test_what_cannot_be_said_on_stderr_changes_no_exit_code(command: str, code: int, redirection: str) -> None:
    """The result is another matter: scripts go by the code and by standard output."""
    usual, other = _in_shell(command), _in_shell(f"{command} {redirection}")
    assert (usual.returncode, other.returncode) == (code, code)
    if not command.startswith("run"):
        assert other.stdout == usual.stdout


@pytest.mark.parametrize(
    ("redirection", "file", "code"),
    [
        (">&-", SEED, 0),
        ("<&-", SEED, 0),
        ("<&-", "-", 2),
        (">&- 2>&-", SEED, 0),
        (">&- 2>&- <&-", "missing.yaml", 2),
    ],
)
@pytest.mark.parametrize("command", ["lint", "render", "graph", "explain", "run --executor simulate"])
def test_a_stream_that_is_closed_is_an_empty_one(command: str, redirection: str, file: str, code: int) -> None:
    """As cron and old daemons start programs; no other file gets its number."""
    done = _in_shell(f"{command} '{file}' {redirection}")
    assert done.returncode == code
    assert not done.stdout or ">" not in redirection
    assert "bug" not in done.stderr


@pytest.mark.parametrize("command", ["render", "graph -o mermaid", "graph -o svg", "lint -o github", "lint -o sarif"])
def test_what_programs_read_is_utf_8(command: str) -> None:
    """Whatever the terminal can show: a manifest with other characters would be another one."""
    text = WARNED.replace("busybox", "b, 你好: 1" if "lint" in command else "b, command: [你好]")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    outputs = [
        subprocess.run([PROGRAM, *command.split(), "-"], input=text.encode(), capture_output=True, check=False, env=env)
        for env in (environment, dict(os.environ))
    ]
    assert outputs[0].stdout == outputs[1].stdout
    assert outputs[0].stdout.decode()
    assert "bug" not in outputs[0].stderr.decode()


def test_what_people_read_is_escaped_where_it_cannot_be_shown() -> None:
    """And nothing fails."""
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    for command, code in (("explain", 0), ("lint", 1), ("run --executor simulate", 0)):
        text = ONE_JOB.replace("busybox", "b, params: {env: [{name: A, value: 你}]}")
        if command == "lint":
            text = text.replace("value: 你", "你: a")
        done = subprocess.run(
            [PROGRAM, *command.split(), "-"], input=text.encode(), capture_output=True, check=False, env=environment
        )
        assert (done.returncode, b"bug" in done.stderr) == (code, False)
        assert b"\\u4f60" in done.stdout or command.startswith("run")


def _in_shell(command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    line = f"'{PROGRAM}' {command}"
    return subprocess.run(["bash", "-c", line], input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--help", 0, "Usage: kubectl managedjob [OPTIONS] COMMAND"),
        ("lint -", 0, "1 workflow: 1 warning"),
        ("lint - --strict", 1, "1 workflow: 1 warning"),
        ("-o json lint -", 0, '"code": "MJ021"'),
        ("graph -", 0, "wf\n└── g\n    └── j\n"),
        ("render -n=team -", 0, "namespace: team"),
        ("explain -", 0, 'job "g/j" of wf, Job wf-g-j (<stdin>)'),
        ("run --executor simulate -q --exit-code 1 -", 3, "wf failed"),
        ("graf -", 2, "Did you mean 'graph'? Try 'kubectl managedjob --help'."),
        ("graph", 2, "Missing argument 'FILE|NAME'. Try 'kubectl managedjob graph --help'."),
    ],
)
def test_kubectl_runs_the_plugin(words: str, code: int, said: str, tmp_path: Path) -> None:
    """The real kubectl finds `kubectl-managedjob` on the PATH; input, output and exit codes pass through it."""
    folder = kubectl_folder(binary(), tmp_path / "bin")
    done = subprocess.run(
        [folder / "kubectl", "managedjob", *words.split()],
        input=WARNED,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


# Colours


def _on_a_terminal(*arguments: str, **env: str) -> str:
    """What a command writes to a terminal."""
    main_end, child_end = pty.openpty()
    base = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    process = subprocess.run(
        [PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=child_end,
        stderr=subprocess.DEVNULL,
        env={**base, "TERM": "xterm", **env},
        check=False,
    )
    os.close(child_end)
    text = os.read(main_end, 100_000).decode()
    os.close(main_end)
    assert process.returncode == 0
    return text


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("colours") / "warned.yaml"
    path.write_text(WARNED)
    return str(path)


def test_colour_is_for_terminals(warned: str) -> None:
    """Not for pipes."""
    assert "\x1b[33m warning MJ021 \x1b[0m" in _on_a_terminal("lint", warned)
    assert "\x1b" not in run("lint", warned).out


@pytest.mark.parametrize(("option", "coloured"), [("always", True), ("never", False)])
def test_the_flag_decides(option: str, coloured: bool, warned: str) -> None:
    """Wherever it goes."""
    assert ("\x1b" in run_process("lint", warned, "--color", option).out) == coloured
    assert ("\x1b" in _on_a_terminal("--color", option, "lint", warned)) == coloured


def test_environment_variables_decide_without_the_flag(warned: str) -> None:
    """NO_COLOR and FORCE_COLOR, as other programs read them."""
    assert "\x1b" not in _on_a_terminal("lint", warned, NO_COLOR="1")
    assert "\x1b" not in _on_a_terminal("lint", warned, TERM="dumb")
    for value, coloured in (("1", True), ("0", False), ("", False)):
        env = {**os.environ, "FORCE_COLOR": value}
        for command in ("lint", "run --executor simulate"):
            forced = subprocess.run(
                [PROGRAM, *command.split(), warned], capture_output=True, text=True, check=False, env=env
            )
            assert ("\x1b" in forced.stdout) == coloured, (command, value)


# What it is made of


def test_version_names_what_it_stands_on() -> None:
    """As text and JSON; `--version` is a line."""
    versions = json.loads(run("version", "-o", "json").out)
    assert list(versions) == ["jobsmgr", "python", "attrs", "cattrs", "click", "kr8s", "pluggy", "PyYAML"]
    assert run("version").out.splitlines()[0] == f"jobsmgr {versions['jobsmgr']}"
    assert run("--version").out == f"jobsmgr {versions['jobsmgr']}\n"


def test_plugins_are_listed_with_origin_and_hooks() -> None:
    """In the order of registration."""
    rows = json.loads(run("plugins", "-o", "json").out)
    names = [row["name"] for row in rows]
    assert names[:2] == ["params", "container"]
    assert {row["from"] for row in rows if row["name"] in ("params", "conditions")} == {"jobsmgr"}
    by_name = {row["name"]: row["hooks"] for row in rows}
    assert by_name["volumes"] == ["jobsmgr_pod_fragment", "jobsmgr_validate"]
    text = run("plugins").out.splitlines()
    assert text[0].split() == ["NAME", "FROM", "HOOKS"]
    assert [line.split()[0] for line in text[1:]] == names
