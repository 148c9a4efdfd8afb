"""Words of a command line completed from a real API server, under kubectl's protocol; shells are in tests/cli."""

import subprocess

import attrs
import pytest

from jobsmgr.cli.shared.completing import SECONDS_VARIABLE
from tests.cli.program import PROGRAM
from tests.e2e.commands import Commands
from tests.e2e.shapes import group, job
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows


def _offered(commands: Commands, *words: str) -> list[str]:
    """What kubectl is told, without the directive, which says that no files fit."""
    done = subprocess.run(
        [PROGRAM.with_name("kubectl_complete-managedjob"), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**commands.environment, SECONDS_VARIABLE: "120"},
    )
    assert done.stderr == ""
    *found, directive = done.stdout.splitlines()
    assert directive == ":4"
    return found


@pytest.mark.long
@pytest.mark.fast_plane
def test_words_are_completed_from_the_cluster(
    workflows: Workflows, operator: OperatorProcess, commands: Commands
) -> None:
    """Names of workflows, jobs with their phases, namespaces, by the options before the word and the user's rights."""
    for name in ("etl", "nightly"):
        workflows.create_spec(name, {"groups": [group("g", job("a"), job("b"))]})
    workflows.wait_for_phases("etl", g__a="running")
    assert _offered(commands, "tree", "") == ["etl", "nightly"]
    assert _offered(commands, "graph", "n") == ["nightly"]
    assert _offered(commands, "wait", "etl", "") == ["nightly"]
    assert _offered(commands, "status", "-n", "no-such-namespace", "") == []
    assert {"etl", "nightly"} <= {*_offered(commands, "list", "-A", "")}
    assert _offered(commands, "logs", "etl", "-j", "") == ["g/a\trunning", "g/b\tpending"]
    assert _offered(commands, "retry", "etl", "nightly", "--from", "g/b") == ["g/b\tpending"]
    assert _offered(commands, "logs", "nope", "-j", "") == []
    namespace = commands.site.namespace
    assert _offered(commands, "tree", "-n", namespace[:-1]) == [namespace]
    assert namespace in _offered(commands, "-n", "")
    stranger = attrs.evolve(commands, account="nobody")
    for words in (("tree", ""), ("-n", ""), ("logs", "etl", "-j", "")):
        assert _offered(stranger, *words) == []
