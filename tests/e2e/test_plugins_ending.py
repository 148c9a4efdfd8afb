"""What observers of plugins hear when a real operator ends, and what a lifespan can do to it."""

import os
from pathlib import Path

import pytest

from tests.e2e.shapes import chain, fan
from tests.plane.distribution import install
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'

PLUGIN = '''
"""Take notes slowly; do in the lifespan what the environment says."""

import contextlib
import os

import anyio

from jobsmgr import hookimpl

HOW = os.environ["HOW"]


def note(text):
    with open(os.environ["NOTES"], "a") as notes:
        print(text, file=notes)


@hookimpl
async def jobsmgr_transitioned(transition):
    if transition.key is None and transition.after.ended:
        await anyio.sleep(0.3)
        note(f"{transition.workflow.name} {transition.after.value}")


async def fails():
    await anyio.sleep(0)
    raise SystemExit(7)


@hookimpl
@contextlib.asynccontextmanager
async def jobsmgr_lifespan(settings):
    if HOW == "enter":
        raise KeyboardInterrupt
    if HOW == "hang":
        await anyio.sleep_forever()
    async with anyio.create_task_group() as tasks:
        if HOW == "task":
            tasks.start_soon(fails)
        yield
        note("left")
    if HOW == "leave":
        raise SystemExit(7)
    if HOW == "stay":
        await anyio.sleep_forever()
'''

SLOW = '''
"""A neighbour that waits for an answer that never comes."""

import anyio

from jobsmgr import hookimpl


@hookimpl
async def jobsmgr_transitioned(transition):
    await anyio.sleep_forever()
'''


def noting(tmp_path: Path, how: str = "") -> dict[str, str]:
    """The environment of an operator with that plugin."""
    found = install(tmp_path, "jobsmgr_notes", "1.0", {"jobsmgr_notes.py": PLUGIN}, {"notes": "jobsmgr_notes"})
    return {**found, "NOTES": str(tmp_path / "notes.txt"), "HOW": how}


def notes(tmp_path: Path) -> list[str]:
    file = tmp_path / "notes.txt"
    return file.read_text().splitlines() if file.exists() else []


def test_sigterm_after_workflows_have_ended(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, tmp_path: Path
) -> None:
    """All of them are reported before the lifespans are left; a neighbour that waits forever costs them nothing."""
    environment = noting(tmp_path)
    beside = install(tmp_path, "jobsmgr_slow", "1.0", {"jobsmgr_slow.py": SLOW}, {"a-slow": "jobsmgr_slow"})
    path = os.pathsep.join((environment["PYTHONPATH"], beside["PYTHONPATH"]))
    operator = operators(environment={**environment, "PYTHONPATH": path})
    names = [f"w{number}" for number in range(6)]
    for name in names:
        workflows.create_spec(name, fan(2))
    for name in names:
        workflows.wait_for(name, "Complete")
    assert operator.terminate() == 0
    assert sorted(notes(tmp_path)[:-1]) == [f"{name} succeeded" for name in names]
    assert notes(tmp_path)[-1] == "left"
    (dropped,) = [one for one in operator.records() if one["event"].startswith("transitions were dropped")]
    assert dropped["plugin"] == "a-slow"
    assert dropped["count"] >= len(names)


@pytest.mark.parametrize(("how", "why"), [("enter", "KeyboardInterrupt"), ("hang", "not started after 10 s")])
def test_a_lifespan_that_does_not_start(operators: Operators, tmp_path: Path, how: str, why: str) -> None:
    """One sentence, and an exit code that is not 0."""
    operator = operators(environment=noting(tmp_path, how))
    assert operator.ended() in (1, 130)
    (line,) = [line for line in operator.output().splitlines() if line.startswith("Error: ")]
    assert line.startswith('Error: plugin "notes" in jobsmgr_lifespan: cannot start: ')
    assert line.endswith(why)


@pytest.mark.parametrize("how", ["task", "leave", "stay"])
def test_a_lifespan_that_fails(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, tmp_path: Path, how: str
) -> None:
    """It is named; workflows are run all the same, and the process ends as it is told to."""
    operator = operators(environment=noting(tmp_path, how))
    operator.wait_for_log(LEADING)
    workflows.create_spec("wf", chain(2))
    workflows.wait_for("wf", "Complete")
    eventually(lambda: operator.running, "it runs")
    assert operator.terminate() == 0
    named = [one for one in operator.records() if one["event"].startswith("the lifespan of a plugin")]
    assert [(one["plugin"], one["hook"]) for one in named] == [("notes", "jobsmgr_lifespan")]
    assert "wf succeeded" in notes(tmp_path)


QUOTA = '''
"""One job at once, of all workflows."""

from jobsmgr import hookimpl

RUNNING = {}


@hookimpl
def jobsmgr_conditions(snapshot):
    RUNNING[snapshot.workflow.name] = snapshot.status.counts.running
    return ()


@hookimpl
def jobsmgr_select_jobs(snapshot, ready):
    chosen = ready[: max(1 - sum(RUNNING.values()), 0)]
    RUNNING[snapshot.workflow.name] += len(chosen)
    return chosen
'''


def test_a_job_that_is_held_because_of_another_workflow(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, tmp_path: Path
) -> None:
    """It starts when that one's Job has ended, of which no event says anything to its own workflow."""
    found = install(tmp_path, "jobsmgr_quota", "1.0", {"jobsmgr_quota.py": QUOTA}, {"quota": "jobsmgr_quota"})
    operators(environment=found)
    names = [f"w{number}" for number in range(8)]
    for name in names:
        workflows.create_spec(name, fan(2))
    for name in names:
        workflows.wait_for(name, "Complete")
