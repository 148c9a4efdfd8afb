"""The commands on a cluster that is not as they need it: an unknown token, no CRD, an older CRD, a server that goes."""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from jobsmgr.api.crd import custom_resource_definition
from tests.cli.program import ONE_JOB, Done, run
from tests.e2e.commands import Commands
from tests.e2e.crash_workloads import RETRY
from tests.e2e.shapes import group, job
from tests.e2e.test_control_plane_faults import remove_crd
from tests.plane import components
from tests.plane.components import API_SERVER
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.job_finisher import FAILS, JobFinisher, Outcome
from tests.plane.operator_process import OperatorProcess
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.module_plane

READING = ("list", "tree", "status", "logs", "graph", "wait")
STEERING = ("suspend", "resume", "abort", "retry")
WATCHING = (("list", "-w"), ("tree", "-w"), ("wait",), ("logs", "-f"))
EACH = (
    *((name, "wf") for name in (*READING, *STEERING)),
    *((*words, "wf") for words in WATCHING),
    *(("submit", "-", f"--{then}") for then in ("wait", "watch", "logs")),
)
UPDATE = "so nothing was changed; update the CRD: jobsmgr manifests --only crd | kubectl apply -f -\n"


def ask(kubeconfig: Path, *arguments: str, stdin: str = ONE_JOB) -> Done:
    """A command of somebody with that kubeconfig."""
    return run(*arguments, "--kubeconfig", str(kubeconfig), stdin=stdin)


def test_a_cluster_that_is_not_as_needed_is_one_sentence(
    site: Site, workflows: Workflows, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """From each command: what is missing, and what to do. With an older CRD nothing is claimed that it cannot keep."""
    past, kubeconfig = tmp_path / "past", control_plane.kubeconfig("admin", namespace=site.namespace)
    past.write_text(components.kubeconfig(control_plane.url, control_plane.authority, "past", site.namespace))
    assert refused(past) == {"the API server did not accept your credentials: log in again, or choose another context"}
    remove_crd(control_plane)
    assert refused(kubeconfig) == {
        "this cluster does not know managedjobs.jobsmanager.raczylo.com: "
        "install jobsmgr there, or choose another cluster"
    }
    path = tmp_path / "crd.yaml"
    path.write_text(json.dumps(older_crd()))
    control_plane.install_crd(path)
    workflows.create_spec("wf", {"groups": [group("g", job("a"))]})
    for name in READING[:-1]:
        assert (ask(kubeconfig, name, "wf").code, ask(kubeconfig, name, "wf").err) == (0, "")
    assert ask(kubeconfig, "wait", "wf", "--timeout", "0.1").code == 124
    missing = {"suspend": "spec.suspend", "resume": "spec.suspend", "abort": "spec.abort", "retry": "status.retry"}
    before = workflows.get("wf")
    for name, field in missing.items():
        for words in ((), ("--dry-run", "server")):
            expected = Done(1, "", f"Error: this cluster's ManagedJob has no {field}, {UPDATE}")
            assert ask(kubeconfig, name, "wf", *words) == expected
    assert workflows.get("wf") == before
    held = ONE_JOB.replace("spec: {", "spec: {suspend: true, abort: false, ")
    answer = ask(kubeconfig, "submit", "-", "--generate-name", stdin=held)
    assert answer == Done(1, "", f"Error: this cluster's ManagedJob has no spec.suspend, spec.abort, {UPDATE}")
    assert ask(kubeconfig, "submit", "-", "--generate-name").code == 0
    remove_crd(control_plane)
    control_plane.install_crd()


@pytest.mark.breaks("S2", reason="the recording's watch keeps the older schema, in which there is no claim")
@pytest.mark.breaks("S4", reason="so what has ended seems to begin again without one")
def test_jobs_are_not_run_again_without_a_claim(
    workflows: Workflows, control_plane: ControlPlane, jobs: JobFinisher, operator: OperatorProcess
) -> None:
    """An older CRD cannot store the claim, so there is no second Job; once it is updated the request is answered."""
    replace_crd(control_plane, older_crd())
    jobs.script("a", FAILS)
    workflows.create_spec("again", {"groups": [group("g", job("a"))]})
    ended = workflows.wait_for("again", "Finished")
    jobs.script("a", Outcome())
    workflows.edit("again", {"metadata": {"annotations": {RETRY: "1"}}})
    operator.wait_for_log("jobs cannot be run again, because this cluster's ManagedJob lacks the fields for it")
    assert workflows.get("again")["status"] == ended
    assert len(workflows.jobs()) == 1
    replace_crd(control_plane, custom_resource_definition())
    workflows.wait_for("again", "Complete")
    assert len(workflows.jobs()) == 2


def refused(kubeconfig: Path) -> set[str]:
    """What the commands say, all of which say one sentence and have nothing to show; where to look is the same."""
    answers = [ask(kubeconfig, *words) for words in EACH]
    assert {(answer.code, answer.out) for answer in answers} == {(1, "")}
    sentences = [re.fullmatch(r'Error: (there is no file "wf", and )?(.*) with --context\n', a.err) for a in answers]
    assert None not in sentences, answers
    return {found[2] for found in sentences if found}


def replace_crd(plane: ControlPlane, crd: dict[str, Any]) -> None:
    """Another version of the CRD in place of the one that is there: an older one does not know `abort`."""
    steered = {"groups": [group("g", job("a"))], "abort": False}
    code = 201 if crd == custom_resource_definition() else 400
    plane.change_crd(crd["spec"], lambda: plane.answer_to_trial(steered) == code)


def older_crd() -> dict[str, Any]:
    """A CRD of before workflows could be steered."""
    crd = copy.deepcopy(custom_resource_definition())
    known = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    del known["spec"]["properties"]["suspend"], known["spec"]["properties"]["abort"]
    del known["status"]["properties"]["retry"]
    for field in ("attempt", "history"):
        del known["status"]["properties"]["groups"]["items"]["properties"]["jobs"]["items"]["properties"][field]
    return crd


def test_a_server_that_goes_and_comes_back_is_waited_for(
    commands: Commands, workflows: Workflows, control_plane: ControlPlane
) -> None:
    """Each command that watches says once why nothing comes, sees what happened, and ends as it would have."""
    workflows.create_spec("wf", {"groups": [group("g", job("a"))]})
    with watching(commands, control_plane) as processes:
        control_plane.kill_component(API_SERVER)
        said = {process: heard(process) for process in processes}
        control_plane.start_component(API_SERVER)
        finish(control_plane, f"{workflows.path}/wf")
        listing, *others = processes
        assert [process.wait(120) for process in others] == [0, 0, 0]
        rest = {process: process.communicate()[1] for process in others}
        assert listing.stdout is not None
        assert any("succeeded" in line for line in listing.stdout)
        listing.terminate()
        rest[listing] = listing.communicate()[1]
    assert {text.partition("answer: ")[0] for text in said.values()} == {"waiting: the API server did not "}
    assert set(rest.values()) == {""}


@contextmanager
def watching(commands: Commands, plane: ControlPlane) -> Iterator[list[Popen[str]]]:
    """The commands, each of which has opened its watches."""
    with ExitStack() as stack:
        processes = [stack.enter_context(commands.started(*words, "wf")) for words in WATCHING]
        eventually(lambda: watches(plane, "managedjobs") == len(WATCHING) and watches(plane, "pods") >= 1, "all watch")
        yield processes


def watches(plane: ControlPlane, resource: str) -> int:
    """How many the API server has open, but for those of all namespaces: controllers have them too."""
    text = plane.request("GET", "/metrics").text
    counts = re.findall(rf'^apiserver_longrunning_requests{{(.*resource="{resource}",.*)}} (\d+)$', text, re.MULTILINE)
    return sum(int(count) for labels, count in counts if 'scope="cluster"' not in labels and 'verb="WATCH"' in labels)


def heard(process: Popen[str]) -> str:
    """The next line that a command says beside its output."""
    assert process.stderr is not None
    return process.stderr.readline()


def finish(plane: ControlPlane, path: str) -> None:
    """What an operator writes at the end."""
    when = "2026-11-01T00:00:00Z"
    ended = [
        {"type": kind, "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": when}
        for kind in ("Complete", "Finished")
    ]
    plane.call("PATCH", f"{path}/status", {"status": {"phase": "succeeded", "conditions": ended}})
