"""What no command can use: one clear sentence, the right exit code, no traceback, and no long wait."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobsmgr.files.reading import MAX_BYTES
from tests.cli.program import HEAD, ONE_JOB, run

OFFLINE = ["render", "graph", "explain"]
ALL = ["lint", *OFFLINE]


def _write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def _sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(2**30)
    return path


def _bomb(path: Path) -> Path:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 15))
    return _write(path, f"l0: &l0 [a]\n{levels}")


UNUSABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda path: path, "does not exist; name a file, a folder, or - for standard input"),
    "empty": (lambda path: _write(path, ""), "is empty; expected a ManagedJob"),
    "only comments": (lambda path: _write(path, "# nothing\n---\n"), "is empty; expected a ManagedJob"),
    "binary": (lambda path: _write(path, b"\x7fELF\0\0\1\2"), "is a binary file; a YAML file is expected"),
    "no text": (
        lambda path: _write(path, b"a: \xff\xfa\n"),
        "is not a text file (neither UTF-8 nor UTF-16); a YAML file is",
    ),
    "a gigabyte": (_sparse, "is larger than 32 MiB; split it"),
    "deeply nested": (lambda path: _write(path, "[" * 200_000), "was skipped: it is nested more than 100 levels deep"),
    "deep in block style": (
        lambda path: _write(path, "".join(f"{' ' * n}a:\n" for n in range(500))),
        "was skipped: it is nested more than 100 levels deep",
    ),
    "alias bomb": (_bomb, "was skipped: its aliases expand to more than 2,000,000 values"),
    "no ManagedJob": (lambda path: _write(path, "kind: Pod\n"), "has no ManagedJob (found: Pod); name a file with one"),
    "a list": (lambda path: _write(path, "- a\n"), "has no ManagedJob (found: no kind); name a file with one"),
    "a scalar": (lambda path: _write(path, "hello\n"), "has no ManagedJob (found: no kind); name a file with one"),
    "a folder without YAML": (lambda path: path.mkdir() or path, "has no .yaml, .yml or .json file"),  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_cannot_be_used_is_one_sentence(kind: str, command: str, tmp_path: Path) -> None:
    """On standard error, with the file's name and what to do; exit code 2; nothing on standard output."""
    make, words = UNUSABLE[kind]
    path = make(tmp_path / "file.yaml")
    done = run(command, str(path))
    *rest, sentence = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert sentence.startswith(f"Error: {path} ")
    assert words in sentence
    assert rest == []


@pytest.mark.parametrize("command", OFFLINE)
def test_what_is_no_yaml_is_one_sentence(command: str, tmp_path: Path) -> None:
    """With its position; for lint it is a finding."""
    path = _write(tmp_path / "file.yaml", "a: [\nb")
    done = run(command, str(path))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {path}:")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", OFFLINE)
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("image: busybox", "imag: busybox", '<stdin>:4:44: job "g/j" imag: no such field; did you mean'),
        (
            "name: wf",
            "name: My Workflow",
            '<stdin>:3:18: metadata.name: "My Workflow" is not a valid name; use at most 253',
        ),
        ("metadata: {name: wf}", "metadata: wf", '<stdin>:3:11: metadata: expected an object, found "wf"'),
        ("v1beta1", "v1", '<stdin>:1:13: apiVersion: expected "jobsmanager.raczylo.com/v1beta1", found'),
        ("kind: ManagedJob", "kind: managedjob", '<stdin>:2:7: kind: expected "ManagedJob", found "managedjob"'),
        ("spec:", "spec: 1 #", "<stdin>:4:7: spec: expected an object, found 1"),
        ("spec:", "sepc:", '<stdin>:4:1: sepc: no such field; did you mean "spec"? (and 1 more: lint shows all)'),
        (
            "image: busybox",
            "image: b, dependencies: [{name: k}]",
            '<stdin>:4:76: job "g/j" dependencies[0]: "k" does not exist',
        ),
    ],
)
def test_an_invalid_workflow_is_one_sentence(old: str, new: str, words: str, command: str) -> None:
    """With the place of its first mistake; exit code 1."""
    done = run(command, "-", stdin=ONE_JOB.replace(old, new))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {words}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("command", OFFLINE)
def test_of_two_workflows_both_are_shown(command: str) -> None:
    """In their order; `--name` chooses one."""
    second = ONE_JOB.replace("name: wf", "name: second")
    both = run(command, "-", stdin=f"{ONE_JOB}---\n{second}")
    one = run(command, "-", "--name", "second", stdin=f"{ONE_JOB}---\n{second}")
    assert (both.code, one.code) == (0, 0)
    assert both.out.index("wf-g-j" if command != "graph" else "wf") < both.out.index("second")
    assert "second" in one.out
    assert "wf" not in one.out


@pytest.mark.parametrize("command", OFFLINE)
def test_a_name_that_is_not_there_is_said_with_those_that_are(command: str) -> None:
    """As one sentence, exit code 2."""
    done = run(command, "-", "--name", "other", stdin=ONE_JOB)
    assert (done.code, done.err) == (2, 'Error: <stdin> has no ManagedJob "other"; there is "wf"\n')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_text_may_be_marked_utf_8_or_utf_16(encoding: str) -> None:
    """As editors of other systems write it, and kubectl reads it."""
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    done = run("lint", "-", stdin=mark + ONE_JOB.encode(encoding))
    assert (done.code, done.out) == (0, "")


def test_a_file_of_the_limit_is_read(tmp_path: Path) -> None:
    """One byte more is not: standard input and files alike."""
    text = ONE_JOB + "#" * (MAX_BYTES - len(ONE_JOB) - 1) + "\n"
    assert run("graph", str(_write(tmp_path / "a.yaml", text))).code == 0
    done = run("graph", "-", stdin=text + "\n")
    assert (done.code, done.err) == (2, "Error: <stdin> is larger than 32 MiB; split it\n")


def test_a_file_that_may_not_be_read_says_why(tmp_path: Path) -> None:
    """In the system's words."""
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    done = run("lint", str(tmp_path / "loop.yaml"))
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"Error: {tmp_path}/loop.yaml cannot be read: ")


def test_control_characters_of_a_file_reach_no_terminal() -> None:
    """Neither names nor values of a file, nor the file's own name."""
    text = f'{HEAD}metadata: {{name: "a\\e[31mb"}}\nspec: {{}}\n'
    for command in ALL:
        done = run(command, "-", stdin=text)
        assert "\x1b" not in done.out + done.err
    assert run("lint", "no\x1b[31m\nsuch").err.splitlines()[-1].startswith("Error: no\\x1b[31m\\nsuch does not exist")
