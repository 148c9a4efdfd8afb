"""The commands that look at containers, where containers really run, fail to start, run out of memory and crash."""

import pytest

from tests.e2e.commands import Commands
from tests.node.test_reasons import BUSYBOX, sh, spec
from tests.plane import rights
from tests.plane.eventually import eventually
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.real_node


@pytest.fixture
def commands(site: Site) -> Commands:
    """The commands for a cluster, with the rights of its administrator."""
    return Commands(site)


def lines(text: str, job: str) -> list[str]:
    """What a job printed."""
    parts = [line.partition("│ ") for line in text.splitlines()]
    return [rest for head, _, rest in parts if head.strip() == job]


def test_logs_are_followed_to_the_end(workflows: Workflows, operator: OperatorProcess, commands: Commands) -> None:
    """Also of a job that starts later, each line once, the last one without a line break too, whatever a job prints."""
    first = sh("echo one; sleep 1; printf '\\033[2Jtwo'")
    after = {"name": "after", **sh("echo three; printf 'a\\rb\\n'")}
    workflows.create_spec("wf", {"groups": [{"name": "g", "jobs": [{"name": "first", **first}, after]}]})
    text = commands("logs", "wf", "-f").out
    assert lines(text, "g/first") == ["one", "\\x1b[2Jtwo"]
    assert lines(text, "g/after") == ["three", "b"]
    assert commands("logs", "wf").out.splitlines() == text.splitlines()
    assert commands("logs", "wf", "-j", "after", "--tail", "1").out == "g/after │ b\n"
    stamped = commands("logs", "wf", "-j", "g/first", "--timestamps").out
    assert stamped.splitlines()[0].endswith("Z one")


def test_logs_of_what_failed_and_of_what_never_ran(
    workflows: Workflows, operator: OperatorProcess, commands: Commands
) -> None:
    """Each try of a failed job is shown; why another one has no log stands beside."""
    jobs = {"bad": sh("echo try; exit 3"), "good": sh("echo fine"), "stuck": {"image": "localhost:1/none:1"}}
    workflows.create_spec("wf", spec(jobs, retries=1))
    workflows.wait_for_phases("wf", g__bad="failed", g__good="succeeded", g__stuck="running")
    failed = commands("logs", "wf", "--failed")
    assert failed.out == "g/bad   │ try\ng/bad   │ try\n"
    everything = commands("logs", "wf")
    assert lines(everything.out, "g/good") == ["fine"]
    assert "g/stuck: pod wf-g-stuck-" in everything.err
    assert "has not started: " in everything.err
    commands.site.plane.kubectl("delete", "pod", "--all", namespace=commands.site.namespace)
    assert "g/bad: its pods are gone, and their logs with them\n" in commands("logs", "wf").err


def test_the_log_before_a_crash(workflows: Workflows, operator: OperatorProcess, commands: Commands) -> None:
    """Of the container's start before the last one, while the kubelet still has it."""
    script = "test -e /v/ran && { echo second; sleep 600; }; touch /v/ran; echo first; exit 1"
    job = sh(
        script,
        restartPolicy="OnFailure",
        volumes=[{"name": "v", "emptyDir": {}}],
        volumeMount=[{"name": "v", "mountPath": "/v"}],
    )
    workflows.create_spec("wf", spec({"a": job}, retries=2))
    eventually(lambda: lines(commands("logs", "wf").out, "g/a") == ["second"], "the second start prints")
    assert lines(commands("logs", "wf", "--previous").out, "g/a") == ["first"]


def test_status_names_what_blocks_and_why(workflows: Workflows, operator: OperatorProcess, commands: Commands) -> None:
    """A failed pod with its exit code and last lines; out of memory with the limit; an image; a user without rights."""
    eater = sh("echo eating; sleep 1; x=a; while :; do x=$x$x; done", resources={"limits": {"memory": "64Mi"}})
    after = {"name": "z", "image": BUSYBOX}
    for name, first in (
        ("exit", sh("echo lost the plot; sleep 1; exit 3")),  # a runtime writes the log on its own time
        ("oom", eater),
        ("image", {"image": "localhost:1/none:1"}),
    ):
        workflows.create_spec(name, {"retries": 0, "groups": [{"name": "g", "jobs": [{"name": "a", **first}, after]}]})
    workflows.wait_for("exit")
    failed = commands("status", "exit").out.splitlines()
    assert failed[0].startswith("✘ Failed after ")
    assert failed[0].endswith(': job g/a failed: the only try ended with exit code 3: "lost the plot"')
    assert failed[1:3] == ["  last log   lost the plot", "  blocked    1 job: g/z"]
    assert failed[3] == f"  try        jobsmgr retry exit -n {commands.site.namespace}"
    workflows.wait_for("oom")
    # With cgroup v1, containerd misses some of the kernel's notices.
    ends = ("was OOMKilled: it needed more than its memory limit of 64Mi", "ended with exit code 137 (SIGKILL)")
    assert any(end in commands("status", "oom").out for end in ends)
    eventually(lambda: "localhost:1/none:1" in commands("status", "image").out, "the image is named")
    stranger = Commands(commands.site, account="viewer")
    rights.give(*commands.site, rights.viewing(), "viewer")
    shown = stranger("status", "exit")
    assert "job g/a failed" in shown.out
    assert (
        shown.err
        == f"you are not allowed to list pods in {commands.site.namespace}, so what they report is not shown\n"
    )
