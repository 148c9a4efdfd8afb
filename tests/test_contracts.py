"""The arrows between the rooms hold, and an import that breaks one is found: no contract is kept by finding nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def broken(directory: Path) -> set[str]:
    """The names of the contracts that the package in a directory breaks."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, cwd=directory)
    found = {line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")}
    assert (done.returncode, done.stderr) == (int(bool(found)), "")
    assert "Contracts: " in done.stdout
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the package and its contracts."""
    root = tmp_path_factory.mktemp("contracts")
    shutil.copytree(ROOT / "jobsmgr", root / "jobsmgr", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_every_contract_is_kept() -> None:
    """As the package is."""
    assert broken(ROOT) == set()


LAYERS = "A module imports only what is below it"
NO_SERVER = "What runs on this machine, and lint, need no API server"
CONNECTION = "Inside connection/ a module imports only what is below it"
CLUSTER = "Inside cluster/ a module imports only what is below it"
PLUGINS = "No room imports a plugin: loading/ names them, as strings"
PURE = "What a ManagedJob means or teaches needs no I/O and no clock"
ENGINE = "In engine/ the loop is on top and memory below all that uses it"
TESTING = "No room imports jobsmgr.testing: it is for the tests of plugins"
BY_NAME = "Below the shells only loading/ imports by name"


@pytest.mark.parametrize(
    ("file", "line", "contracts"),
    [
        ("core/plan.py", "from jobsmgr.plugins.params import RULES", {LAYERS, PLUGINS}),
        ("loading/plugins.py", "from jobsmgr.plugins import params", {PLUGINS}),
        ("cli/plugins.py", "from jobsmgr.plugins import params", {PLUGINS}),
        ("lint/metadata.py", "from jobsmgr.plugins import labels", {PLUGINS}),
        ("api/names.py", "from pathlib import Path", {PURE}),
        ("core/plan.py", "import importlib", {PURE}),
        ("engine/memory/pace.py", "import anyio", {PURE}),
        ("engine/memory/refusals.py", "from jobsmgr.engine.performer import Performer", {ENGINE}),
        ("engine/status_writer.py", "from jobsmgr.engine.performer import Performer", {ENGINE}),
        ("core/plan.py", "from jobsmgr.loading.plugins import load_hooks", {LAYERS}),
        ("views/run_view.py", "import importlib.metadata", {BY_NAME}),
        ("files/reading.py", "from jobsmgr.views.escape import printable", {LAYERS}),
        ("views/run_view.py", "from jobsmgr.local.executor import Exit", {LAYERS}),
        ("lint/linter.py", "from jobsmgr.cli.shared.exits import ExitCode", {LAYERS}),
        ("local/adapter.py", "from jobsmgr.connection.clock import now", {NO_SERVER}),
        ("cluster/adapter.py", "from jobsmgr.leadership.record import Timing", {LAYERS}),
        ("cluster/store.py", "from jobsmgr.cluster.errors import refusal", {CLUSTER}),
        ("cluster/kinds.py", "from jobsmgr.cluster.trim import JOB", {CLUSTER}),
        ("connection/access.py", "from jobsmgr.connection.session import Session", {CONNECTION}),
        ("connection/session.py", "from jobsmgr.cluster.errors import refusal", {LAYERS}),
        ("cluster/watch.py", "import httpx", {"Only connection/ speaks to Kubernetes"}),
        ("cli/operator/command.py", "import uvicorn", {"Only operator/ serves HTTP and counts for Prometheus"}),
        ("engine/loop.py", "import prometheus_client", {"Only operator/ serves HTTP and counts for Prometheus"}),
        ("leadership/lease.py", "import kr8s", {"Only connection/ speaks to Kubernetes"}),
        ("operator/settings.py", "from jobsmgr.installation.settings import Installation", {LAYERS}),
        ("installation/parts.py", "import yaml", {PURE}),
        ("cluster/needs.py", "from jobsmgr.cluster.rights import StatusGate", {CLUSTER}),
        ("operator/settings.py", "import kr8s", {"Only connection/ speaks to Kubernetes"}),
        ("plugins/params.py", "from jobsmgr.plugins import env", {"Each built-in plugin stands alone"}),
        (
            "plugins/params.py",
            "from jobsmgr.api.names import ID_LABEL",
            {"Plugins import only jobsmgr, as third parties do, and jobsmgr.builtin"},
        ),
        ("core/plan.py", "from jobsmgr.builtin import cut", {PLUGINS}),
        ("lint/warnings.py", "from jobsmgr.builtin import cut", {PLUGINS}),
        ("cli/render.py", "from jobsmgr.testing import render_jobs", {TESTING}),
        ("testing/workflows.py", "from jobsmgr.local.adapter import LocalCluster", {LAYERS}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_import_is_found(copy: Path, file: str, line: str, contracts: set[str]) -> None:
    """By the contracts that forbid it, and by no other."""
    module = copy / "jobsmgr" / file
    text = module.read_text()
    module.write_text(f"{text}\n\n{line}\n")
    try:
        assert broken(copy) == contracts
    finally:
        module.write_text(text)
