"""`suspend`, `resume`, `abort`, `retry` and `submit` beside a real operator and a real API server."""

import re
import shlex

import pytest

from tests.e2e.commands import Commands
from tests.e2e.shapes import group, job
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.pod_runner import PodRunner
from tests.plane.workflows import Workflows

IN_ORDER = {"retries": 0, "groups": [group("g", job("a"), job("b"))]}


@pytest.mark.fast_plane
def test_a_workflow_is_held_and_goes_on(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """What runs ends; nothing more starts until it is resumed. A dry run writes nothing."""
    jobs.hold("wf/g/a")
    workflows.create_spec("wf", IN_ORDER)
    workflows.wait_for_phases("wf", g__a="running")
    commands("suspend", "wf", "--dry-run", "client")
    commands("suspend", "wf", "--dry-run", "server")
    assert "suspend" not in workflows.get("wf")["spec"]
    assert commands("suspend", "wf").out.startswith("managedjob.jobsmanager.raczylo.com/wf suspended\n")
    jobs.release("wf/g/a")
    workflows.wait_for_phases("wf", g__a="succeeded")
    workflows.wait_for("wf", "Suspended")
    assert commands("status", "wf").out.splitlines()[0].startswith("◌ Suspended")
    assert workflows.phases("wf")["g/b"] == "pending"
    commands("resume", "wf")
    assert workflows.wait_for("wf")["phase"] == "succeeded"
    assert "has ended (succeeded), so there is nothing to suspend" in commands("suspend", "wf", code=1).err


@pytest.mark.fast_plane
def test_workflows_are_aborted_by_their_labels(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, commands: Commands
) -> None:
    """All of them, without a question where nobody sits at a terminal; `wait` says so by its exit code."""
    for name in ("one", "two"):
        jobs.hold(f"{name}/g/a")
        workflows.create({"metadata": {"name": name, "labels": {"team": "a"}}, "spec": IN_ORDER})
        workflows.wait_for_phases(name, g__a="running")
    assert commands("abort", "-l", "team=a").out.count(" is being aborted\n") == 2
    assert commands("wait", "-l", "team=a", code=4).out.count("aborted") >= 2


def test_what_failed_runs_again_by_the_plain_command(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, commands: Commands
) -> None:
    """The command that is printed does what the program does; what succeeded is kept."""
    pods.script("wf/g/b", 1)
    workflows.create_spec("wf", IN_ORDER)
    assert workflows.wait_for("wf")["phase"] == "failed"
    shown = commands("retry", "wf", "--dry-run", "client").out
    plain = re.search(r"the same with kubectl: kubectl (.*)", shown)
    assert plain is not None
    pods.script("wf/g/b", 0)
    commands.site.plane.kubectl(*shlex.split(plain[1]))
    commands("wait", "wf", "--for", "complete")
    assert sorted(each["metadata"]["name"] for each in workflows.jobs("wf")) == ["wf-g-a", "wf-g-b", "wf-g-b-2"]
    answer = commands("retry", "wf", "--from", "g/b")
    assert answer.out.startswith("managedjob.jobsmanager.raczylo.com/wf asked to run again\n")
    commands("wait", "wf")
    assert workflows.job("wf", "g/b")["attempt"] == 3
    refused = commands("retry", "wf", "--from", "g/nope", code=1)
    assert "nope" in refused.err


def test_a_file_is_run_as_often_as_wanted(
    workflows: Workflows, pods: PodRunner, operator: OperatorProcess, commands: Commands
) -> None:
    """Under the file's name once, under names of their own always, with values for its variables."""
    text = """
apiVersion: jobsmanager.raczylo.com/v1beta1
kind: ManagedJob
metadata: {name: daily}
spec:
  params: {env: [{name: DAY, value: today}]}
  groups: [{name: g, jobs: [{name: j, image: busybox}]}]
"""
    assert "✔ daily succeeded" in commands("submit", "-", "--wait", stdin=text).out
    assert "--generate-name gives each run a unique name" in commands("submit", "-", stdin=text, code=1).err
    made = commands("submit", "-", "--generate-name", "--env", "DAY=monday", "--watch", stdin=text).out
    name = made.split()[0].rpartition("/")[2]
    assert name.startswith("daily-")
    assert workflows.get(name)["spec"]["params"]["env"] == [{"name": "DAY", "value": "monday"}]
    assert (
        'no variable "DAYS"; did you mean "DAY"?' in commands("submit", "-", "--env", "DAYS=1", stdin=text, code=2).err
    )
