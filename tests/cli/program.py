"""The program as a user runs it: in this process (quick), or as a process of its own. Nothing is tested here."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import attrs

from jobsmgr.cli import main
from tests.plane.eventually import DEADLINE

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "jobsmgr"
EXAMPLES = ROOT / "examples"
HEAD = "apiVersion: jobsmanager.raczylo.com/v1beta1\nkind: ManagedJob\n"
METADATA = "metadata: {name: wf}\n"
ONE_JOB = f"{HEAD}{METADATA}spec: {{groups: [{{name: g, jobs: [{{name: j, image: busybox}}]}}]}}\n"


@attrs.frozen
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: str | bytes = b"") -> Done:
    """Run a command in this process, with all of the program but its last step, the exit."""
    out, err = _stream(), _stream()
    data = stdin.encode() if isinstance(stdin, str) else stdin
    with redirect_stdout(out), redirect_stderr(err), _standard_input(data):
        code = main.run(list(arguments), bool({"-v", "--verbose"} & set(arguments)))
    return Done(int(code), _text(out), _text(err))


def run_process(*arguments: str, stdin: str = "", check: bool = True) -> Done:
    """Run the program as a process of its own."""
    done = subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, text=True, check=False, cwd=ROOT, timeout=DEADLINE
    )
    assert not check or done.returncode == 0, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


@contextmanager
def _standard_input(data: bytes) -> Iterator[None]:
    with patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")):
        yield
