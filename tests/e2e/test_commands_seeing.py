"""`list`, `tree` and `wait` beside a real operator and a real API server."""

import json
import re
import signal
from pathlib import Path

import pytest
import yaml

from tests.e2e.commands import Commands
from tests.e2e.shapes import group, job
from tests.plane.control_plane import ControlPlane
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.workflows import Workflows

TWO = {"retries": 0, "groups": [group("g", job("a"), job("b"))]}


@pytest.fixture
def two(workflows: Workflows, pods: PodRunner, operator: OperatorProcess) -> Workflows:
    """One workflow that succeeded, and one that failed at its first job."""
    pods.script("bad/g/a", 1)
    for name in ("good", "bad"):
        workflows.create_spec(name, TWO)
        workflows.wait_for(name)
    return workflows


def test_a_list_has_a_line_for_each_workflow(two: Workflows, commands: Commands) -> None:
    """With kubectl's columns; options narrow and sort it, names that do not exist are named."""
    lines = commands("list").out.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "PROGRESS", "RUNNING", "FAILED", "REASON", "DURATION", "AGE"]
    assert [line.split()[:3] for line in lines[1:]] == [["bad", "failed", "0/2"], ["good", "succeeded", "2/2"]]
    assert commands("list", "--failed", "-o", "name").out == "managedjob.jobsmanager.raczylo.com/bad\n"
    assert commands("list", "--running").err.startswith("No workflows found in namespace")
    descending = commands("list", "--no-headers", "--sort-by", ".status.counts.succeeded", "-A", "-o", "wide").out
    assert [line.split()[1] for line in descending.splitlines() if f"{commands.site.namespace} " in line] == [
        "bad",
        "good",
    ]
    wrong = commands("list", "goood", code=1)
    assert wrong.err.endswith(' does not exist in namespace "' + commands.site.namespace + '"; did you mean "good"?\n')


def test_objects_are_printed_as_kubectl_prints_them(two: Workflows, commands: Commands, plane: ControlPlane) -> None:
    """JSON, YAML, names, and templates; kubectl is run beside it."""
    names = (
        "jsonpath={range .items[*]}{.metadata.name}{' '}{.status.conditions[?(@.type==\"Failed\")].status}{'\\n'}{end}"
    )
    for form in ("name", "json", "yaml", names, "jsonpath={.items[*].metadata.name}", "jsonpath={.kind}"):
        expected = plane.kubectl("get", "managedjobs", "-o", form, namespace=commands.site.namespace).stdout
        printed = commands("list", "-o", form).out
        # Its quotes are double, ours are single where both say the same.
        assert (yaml.safe_load(printed) == yaml.safe_load(expected)) if form == "yaml" else printed == expected
    one = json.loads(commands("list", "good", "-o", "json").out)
    assert (one["kind"], one["metadata"]["name"]) == ("ManagedJob", "good")


def test_a_tree_shows_each_job(two: Workflows, commands: Commands) -> None:
    """With its time, and why what did not run did not."""
    lines = commands("tree", "bad").out.splitlines()
    assert re.fullmatch(r"bad  failed  0/2 ─+  [\d.]+s", lines[0])
    assert re.fullmatch(r"└─ g +0s .*[\d.]+s", lines[1])
    assert re.match(r"   ├─ ✘ a  failed     +[\d.]+s  [·█]{28}  BackoffLimitExceeded: ", lines[2])
    assert re.match(r'   └─ ⊘ b  aborted         -  ·{28}  DependencyFailed: job "g/a" did not succeed', lines[3])
    assert commands("visualize", "bad", "--ascii").out.isascii()
    assert commands("tree", "good", "-w").out.count("succeeded") == 2
    assert commands("tree", "bad", "-w", code=3).out.count("failed") == 1


def test_a_graph_shows_where_each_job_stands(two: Workflows, commands: Commands) -> None:
    """In each form, without a file; a name that does not exist is no file either."""
    assert commands("graph", "bad").out.splitlines() == [
        "bad",
        "└── g",
        "    ├── ✘ a failed",
        "    └── ⊘ b aborted",
        "        └── Depends on: bad-g-a",
    ]
    assert commands("graph", "bad", "--ascii").out.isascii()
    for output, text in (
        ("mermaid", '["✔ a succeeded"]'),
        ("dot", '[label="✔ a succeeded"]'),
        ("svg", ">✔ a succeeded<"),
    ):
        assert text in commands("graph", "good", "-o", output).out
    wrong = commands("graph", "goood", code=1).err
    assert wrong.startswith('Error: there is no file "goood", and ManagedJob "goood" does not exist in namespace ')
    assert wrong.endswith('; did you mean "good"?\n')


@pytest.mark.fast_plane
def test_a_pending_job_says_what_it_waits_for(
    workflows: Workflows, operator: OperatorProcess, commands: Commands
) -> None:
    """A job of its own group, or a group. There are no bars before the Job controller has written when a job began."""
    workflows.create_spec("wf", {"groups": [group("one", job("a"), job("b")), group("two", job("c"))]})
    workflows.wait_for_phases("wf", one__a="running")
    tree = commands("tree", "wf").out
    assert re.search(r"b  pending         -  (·+  )?waits for a$", tree, re.MULTILINE)
    assert re.search(r"c  pending         -  (·+  )?waits for group one$", tree, re.MULTILINE)


def test_waiting_ends_with_the_workflow(two: Workflows, commands: Commands) -> None:
    """Either way, with the cause and an exit code; what can no longer come is not waited for."""
    assert re.fullmatch(r"✔ good succeeded  2/2 jobs in [\d.]+s\n", commands("wait", "good").out)
    both = commands("wait", "good", "bad", code=3)
    assert re.search(r'✘ bad failed  0/2 jobs in [\d.]+s: .*"g/a"', both.out)
    assert commands("wait", "bad", "--for", "failed").code == 0
    commands("wait", "good", "--for", "failed", code=1)
    commands("wait", "bad", "--for", "complete", "-q", code=3)
    commands("wait", "nope", code=1)
    commands("wait", code=2)


@pytest.mark.fast_plane
def test_waiting_has_a_limit_and_sees_a_deletion(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """124, as of timeout(1)."""
    jobs.hold("wf/g/a")
    workflows.create_spec("wf", TWO)
    workflows.wait_for_phases("wf", g__a="running")
    assert commands("wait", "wf", "--timeout", "1s", code=124).err == "timed out; still waiting for wf\n"
    workflows.create_spec("other", TWO)
    with commands.started("wait", "wf", "other") as waiting:
        assert waiting.stdout is not None
        assert waiting.stderr is not None
        assert waiting.stdout.readline().startswith("✔ other succeeded")
        workflows.delete("wf")
        assert waiting.wait(60) == 1
        assert waiting.stderr.read() == 'workflow "wf" was deleted\n'


@pytest.mark.fast_plane
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_that_watches(
    workflows: Workflows, operator: OperatorProcess, commands: Commands, number: int, code: int
) -> None:
    """At once, without a word."""
    workflows.create_spec("wf", TWO)
    workflows.wait_for_phases("wf", g__a="running")
    with commands.started("tree", "wf", "-w") as watching:
        assert watching.stdout is not None
        assert "g/a running" in watching.stdout.readline()
        watching.send_signal(number)
        assert watching.wait(60) == code


@pytest.mark.fast_plane
def test_what_cannot_be_reached_is_one_sentence(commands: Commands, tmp_path: Path) -> None:
    """No such context, no kubeconfig, nobody there, no rights."""
    assert commands("list", "--context", "x", code=1).err.startswith('Error: the context "x" does not exist')
    assert "does not exist" in commands("tree", "wf", "--kubeconfig", str(tmp_path / "none"), code=1).err
    nobody = Commands(commands.site, url="http://127.0.0.1:9")
    assert nobody("wait", "wf", code=1).err.startswith("Error: the API server did not answer: ")
    stranger = Commands(commands.site, account="nobody")
    assert stranger("list", code=1).err.startswith(
        "Error: you are not allowed to do this: managedjobs.jobsmanager.raczylo.com is"
    )
