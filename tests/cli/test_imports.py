"""What a command imports: nothing that it does not need, so that it starts at once."""

import json
import subprocess
import sys

import pytest

from tests.cli.program import EXAMPLES, ROOT

SERVER = ("starlette", "uvicorn", "prometheus_client")
HEAVY = (
    *("kr8s", "httpx", "httpx_aiohttp", "aiohttp", "structlog", "rich", "jsonschema", "anyio", "asyncio", "ssl"),
    *SERVER,
)
SEED = str(EXAMPLES / "seed.yaml")
BAD = "apiVersion: jobsmanager.raczylo.com/v1beta1\nkind: ManagedJob\nsepc: y\n"

CODE = """
import contextlib, io, json, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(sys.argv.pop(1).encode()))
from jobsmgr.cli.main import run
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(io.StringIO()):
    run(sys.argv[1:])
print(json.dumps(sorted(sys.modules)))
"""


def _modules(*arguments: str, stdin: str = "") -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, stdin, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["lint", SEED],
        ["lint", "-"],
        ["lint", "-o", "sarif", "-"],
        ["render", SEED],
        ["graph", SEED],
        ["explain", SEED],
        ["plugins"],
        ["version"],
        ["completion", "bash"],
    ],
    ids=" ".join,
)
def test_an_offline_command_imports_no_client_no_loop_and_no_library_for_show(arguments: list[str]) -> None:
    """Whether it succeeds or not."""
    loaded = {name.partition(".")[0] for name in _modules(*arguments, stdin=BAD)}
    assert loaded.intersection(HEAVY) == set()


def test_the_operator_imports_its_server_when_it_serves() -> None:
    """Its help and its assembly do without: who serves nothing need not wait for it."""
    assert not {name.partition(".")[0] for name in _modules("operator", "--help")} & set(HEAVY)
    code = f"import sys, jobsmgr.operator.assembly; print(sorted(set({SERVER}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_help_imports_no_command_and_no_yaml() -> None:
    """Its lines stand beside the names."""
    loaded = _modules("--help")
    commands = {name for name in loaded if name.startswith("jobsmgr.cli.")}
    assert commands == {
        f"jobsmgr.cli.{name}"
        for name in ("main", "shared", *(f"shared.{part}" for part in ("exits", "group", "signals", "streams", "utf8")))
    }
    assert not loaded & {"yaml", "jobsmgr.core.hooks", "jobsmgr.api.crd"}


def test_a_command_imports_no_other_command() -> None:
    """Each costs only what it needs."""
    loaded = _modules("lint", SEED)
    assert not loaded & {
        f"jobsmgr.cli.{name}" for name in ("run", "render", "graph", "explain", "operator", "plugins", "version")
    }
    assert not any(
        name.startswith(("jobsmgr.engine", "jobsmgr.local", "jobsmgr.cluster", "jobsmgr.connection")) for name in loaded
    )
