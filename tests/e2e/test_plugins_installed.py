"""Plugins of third parties, installed as real packages, in a real operator: good ones, broken ones, failing ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.shapes import chain, group
from tests.plane.distribution import install
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.jobs_by_hand import JobsByHand
from tests.plane.operator_process import Operators
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


def jobsmgr(*arguments: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end."""
    program = str(Path(sys.executable).with_name("jobsmgr"))
    return subprocess.run(
        [program, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


TEAM = '''
"""Give every job its team's name and nodes, and take notes of what happens."""

import contextlib
import os

from jobsmgr import Fragment, JobContext, Settings, Transition, hookimpl


def note(text: str) -> None:
    with open(os.environ["TEAM_NOTES"], "a") as notes:
        notes.write(f"{text}\\n")


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    team = job.workflow.labels.get("team", "nobody")
    return Fragment(labels={"team": team}, annotations={"team/job": str(job.key)}, pod={"nodeName": "of-the-team"})


@hookimpl(wrapper=True)
def jobsmgr_job_manifest(job: JobContext):
    manifest = yield
    return {**manifest, "spec": {**manifest["spec"], "completions": 1}}


@hookimpl
async def jobsmgr_transitioned(transition: Transition) -> None:
    note(f"{transition.workflow.name} {transition.key or 'workflow'} {transition.after}")


@hookimpl
def jobsmgr_lifespan(settings: Settings):
    @contextlib.asynccontextmanager
    async def lifespan():
        note(f"{settings.command} starts")
        yield
        note(f"{settings.command} ends")

    return lifespan()
'''


def test_an_installed_plugin_takes_part(
    workflows: Workflows, by_hand: JobsByHand, jobs: JobFinisher, operators: Operators, tmp_path: Path
) -> None:
    """Its fragment is on each Job and Pod, its wrapper's change in the Job; it is told what happened, in order."""
    notes = tmp_path / "notes"
    notes.touch()
    found = install(tmp_path, "jobsmgr_team", "1.2.3", {"jobsmgr_team.py": TEAM}, {"team": "jobsmgr_team"})
    operator = operators(environment={**found, "TEAM_NOTES": str(notes)})
    jobs.hold("theirs/g/a")  # a Job that ends in the moment it starts is never seen running
    workflows.create(
        {"metadata": {"name": "theirs", "labels": {"team": "blue"}}, "spec": {"groups": [group("g", "a")]}}
    )
    eventually(lambda: "theirs g/a running" in notes.read_text())
    jobs.release("theirs/g/a")
    workflows.wait_for("theirs", "Complete")
    stored = by_hand.get("theirs-g-a")
    template = stored["spec"]["template"]
    for part in (stored, template):
        assert part["metadata"]["labels"]["team"] == "blue"
        assert part["metadata"]["annotations"]["team/job"] == "g/a"
    assert template["spec"]["nodeName"] == "of-the-team"
    assert stored["spec"]["completions"] == 1
    eventually(lambda: "theirs workflow succeeded" in notes.read_text())
    assert operator.terminate() == 0
    lines = notes.read_text().splitlines()
    assert lines[0] == "operator starts"
    assert lines[-1] == "operator ends"
    assert [line for line in lines if " g/a " in line] == ["theirs g/a running", "theirs g/a succeeded"]


HOOK = """
from jobsmgr import hookimpl


class plugin:
    @hookimpl
    def {}:
        return None
"""

UNFIT = {
    "not-importable": ("import a_module_that_nobody_has\n", "cannot be loaded"),
    "fails-on-import": ("raise RuntimeError('no licence')\n", "no licence"),
    "exits-on-import": ("raise SystemExit('no licence')\n", "no licence"),
    "missing-object": ("", "cannot be loaded"),
    "unknown-hook": (HOOK.format("jobsmgr_pod_fragmnet(job)"), "jobsmgr_pod_fragmnet"),
    "unknown-argument": (HOOK.format("jobsmgr_pod_fragment(jobb)"), "jobb"),
    "no-hook": (HOOK.format("other()").replace("@hookimpl", "@staticmethod"), "implements no hook"),
}
"""Modules that are no plugin, and words that say why."""


@pytest.fixture(scope="module")
def unfit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which a distribution is found whose one module a test writes."""
    folder = tmp_path_factory.mktemp("unfit")
    return install(folder, "jobsmgr_unfit", "0.9", {"jobsmgr_unfit.py": ""}, {"unfit": "jobsmgr_unfit:plugin"})


@pytest.mark.parametrize("case", UNFIT)
def test_a_plugin_that_does_not_fit_stops_the_start(unfit: dict[str, str], case: str) -> None:
    """In one sentence with the name of its distribution; nothing is done without it."""
    text, words = UNFIT[case]
    Path(unfit["PYTHONPATH"].split(os.pathsep)[0], "jobsmgr_unfit.py").write_text(text)
    run = jobsmgr("operator", "--kubeconfig", os.devnull, environment=unfit)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith('Error: plugin "unfit"')
    assert "jobsmgr_unfit 0.9" in line
    assert words in line


CHAOS = '''
"""Fail in the hook and the way that a workflow's annotation names, until a file says that it is mended."""

import os
import sys

from jobsmgr import Condition, Fragment, JobKey, Problem, hookimpl


def way(workflow, hook):
    if os.path.exists(os.environ["CHAOS_MENDED"]):
        return ""
    where, _, how = workflow.annotations.get("chaos", "").partition(":")
    if where == hook and how == "raise":
        raise RuntimeError("out of order")
    if where == hook and how == "exit":
        sys.exit("enough")
    return how if where == hook else ""


@hookimpl
def jobsmgr_validate(workflow):
    return ["no problem"] if way(workflow, "validate") == "rubbish" else ()


@hookimpl(tryfirst=True)
def jobsmgr_merge_params(layers):
    if any(entry == {"name": "CHAOS", "value": "params"} for layer in layers for entry in layer.params.env):
        if not os.path.exists(os.environ["CHAOS_MENDED"]):
            return {"env": []}


@hookimpl
def jobsmgr_pod_fragment(job):
    match way(job.workflow, "fragment"):
        case "rubbish":
            return "a label, please"
        case "wrong-part":
            return Fragment(labels="team")
        case "no-json":
            return Fragment(pod={"hostAliases": {1, 2}})
        case "huge":
            return Fragment(annotations={"huge": "x" * 50_000_000})
        case "conflict":
            return Fragment(container={"image": "mine"})


@hookimpl(wrapper=True)
def jobsmgr_job_manifest(job):
    manifest = yield
    match way(job.workflow, "manifest"):
        case "nothing":
            return None
        case "no-json":
            return {**manifest, "spec": object()}
    return manifest


@hookimpl(tryfirst=True)
def jobsmgr_select_jobs(snapshot, ready):
    match way(snapshot.workflow, "select"):
        case "rubbish":
            return "all of them"
        case "unready":
            return (JobKey("no", "such"),)


@hookimpl(tryfirst=True)
def jobsmgr_status(snapshot):
    return "fine" if way(snapshot.workflow, "status") == "rubbish" else None


@hookimpl
def jobsmgr_conditions(snapshot):
    match way(snapshot.workflow, "conditions"):
        case "twice":
            return [Condition(type="Complete", status=True, reason="Mine")]
        case "unfit":
            return [Condition(type="Odd", status=True, reason="not one word", message="x" * 100_000)]
    return ()
'''

WAYS = (
    *("validate:raise", "validate:rubbish", "fragment:raise", "fragment:exit", "fragment:rubbish"),
    *("fragment:wrong-part", "fragment:no-json", "fragment:huge", "fragment:conflict"),
    *("manifest:raise", "manifest:nothing", "manifest:no-json", "select:raise", "select:rubbish", "select:unready"),
    *("status:raise", "status:rubbish", "conditions:raise", "conditions:twice", "conditions:unfit"),
)


def test_a_failing_plugin_holds_the_workflows_it_fails_for_and_no_other(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, tmp_path: Path
) -> None:
    """Whatever it raises or answers: Stalled names it, nothing starts; once it is fixed they go on."""
    mended = tmp_path / "mended"
    found = install(tmp_path, "jobsmgr_chaos", "6.6.6", {"jobsmgr_chaos.py": CHAOS}, {"chaos": "jobsmgr_chaos"})
    operator = operators(environment={**found, "CHAOS_MENDED": str(mended)})
    held = {f"w{place}": way for place, way in enumerate(WAYS)}
    for name, way in held.items():
        workflows.create({"metadata": {"name": name, "annotations": {"chaos": way}}, "spec": chain(2)})
    held["params"] = "merge_params"
    workflows.create_spec("params", {**chain(1), "params": {"env": [{"name": "CHAOS", "value": "params"}]}})
    workflows.create_spec("healthy", chain(3))
    workflows.wait_for("healthy", "Complete")
    for name, way in held.items():
        workflows.wait_for(name, "Stalled")
        stalled = workflows.condition(name, "Stalled")
        assert stalled["reason"] == "PluginError", f"{way}: {stalled}"
        assert '"chaos"' in stalled["message"], f"{way}: {stalled['message']}"
        assert len(stalled["message"]) < 2000, way
        assert workflows.condition(name, "Finished")["status"] == "False", way
    made = {creation.name for creation in trace.recording().creations}
    assert made == {f"healthy-chain-job-{number}" for number in range(3)}
    mended.touch()
    for name in held:
        workflows.wait_for(name, "Complete")
        assert workflows.condition(name, "Stalled")["status"] == "False"
    assert operator.running


def test_the_list_of_plugins_names_the_distribution(tmp_path: Path) -> None:
    """`jobsmgr plugins` shows what the operator would load."""
    found = install(tmp_path, "jobsmgr_team", "1.2.3", {"jobsmgr_team.py": TEAM}, {"team": "jobsmgr_team"})
    shown = jobsmgr("plugins", environment=found).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("team ")]
    assert "jobsmgr_team 1.2.3" in line
    assert line.endswith("jobsmgr_job_manifest, jobsmgr_lifespan, jobsmgr_pod_fragment, jobsmgr_transitioned")
