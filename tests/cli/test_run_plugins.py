"""Other people's plugins in `jobsmgr run`: what is reported to them, and what becomes of the run when they fail."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.program import HEAD, PROGRAM, Done
from tests.plane.distribution import install

NOTES = '''
"""Take notes slowly; fail as the environment says."""

import contextlib
import os
import time

import anyio

from jobsmgr import hookimpl
from jobsmgr.engine import watchdog

HOW = os.environ["HOW"]
watchdog.BLOCKED_AFTER, watchdog.LOOK = 1.0, 0.2  # long before the blockage is over, on a busy machine too


@hookimpl
async def jobsmgr_transitioned(transition):
    if HOW == "observer":
        raise RuntimeError("no answer")
    if HOW == "blocks" and transition.key is None and transition.after.ended:
        time.sleep(7)
    await anyio.sleep(0.3)
    if transition.key is None and transition.after.ended:
        print("noted", transition.workflow.name, flush=True)


async def fails():
    await anyio.sleep(0)
    raise SystemExit(7)


@hookimpl
@contextlib.asynccontextmanager
async def jobsmgr_lifespan(settings):
    if HOW == "enter":
        raise SystemExit(7)
    if HOW == "hang":
        await anyio.sleep_forever()
    async with anyio.create_task_group() as tasks:
        if HOW == "task":
            tasks.start_soon(fails)
        yield
        print("left", flush=True)
    if HOW == "leave":
        raise KeyboardInterrupt
    if HOW == "stay":
        await anyio.sleep_forever()
'''


def workflow(name: str, *jobs: str) -> str:
    """A document with a workflow of one group."""
    listed = ", ".join(f"{{name: {job}, image: busybox, command: ['true'], parallel: true}}" for job in jobs)
    return f"---\n{HEAD}metadata: {{name: {name}}}\nspec: {{groups: [{{name: g, jobs: [{listed}]}}]}}\n"


EXECUTORS = ("process", "simulate")


def run(folder: Path, how: str, text: str, *options: str, plugin: str = NOTES) -> Done:
    """Run workflows with a plugin that is installed."""
    (done,) = run_each(folder, how, text, options, plugin=plugin)
    return done


def run_each(folder: Path, how: str, text: str, *choices: Sequence[str], plugin: str = NOTES) -> list[Done]:
    """The same with each choice of options, side by side: most of what they take is waiting."""
    found = install(folder, "jobsmgr_theirs", "1.0", {"jobsmgr_theirs.py": plugin}, {"theirs": "jobsmgr_theirs"})

    def one(options: Sequence[str]) -> Done:
        done = subprocess.run(
            [PROGRAM, "run", "-", *options],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **found, "HOW": how},
        )
        return Done(done.returncode, done.stdout, done.stderr)

    with ThreadPoolExecutor() as threads:
        return list(threads.map(one, choices))


def run_executors(folder: Path, how: str, text: str, plugin: str = NOTES) -> list[tuple[str, Done]]:
    """How it goes with each executor, by its name."""
    choices = [(f"--executor={executor}",) for executor in EXECUTORS]
    return list(zip(EXECUTORS, run_each(folder, how, text, *choices, plugin=plugin), strict=True))


def test_observers_hear_of_everything(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Before the lifespans are left."""
    for executor, done in run_executors(tmp_path, "", "".join(workflow(f"w{n}", "a") for n in range(6))):
        with subtests.test(executor):
            noted = [line for line in done.out.splitlines() if line.startswith(("noted", "left"))]
            assert (done.code, done.err) == (0, "")
            assert (sorted(noted[:-1]), noted[-1]) == ([f"noted w{n}" for n in range(6)], "left")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("observer", 'plugin "theirs" in jobsmgr_transitioned: observer failed: RuntimeError: no answer'),
        ("task", 'plugin "theirs" in jobsmgr_lifespan: the lifespan of a plugin failed: SystemExit: 7'),
        ("leave", 'plugin "theirs" in jobsmgr_lifespan: the lifespan of a plugin failed: KeyboardInterrupt'),
        ("stay", 'plugin "theirs" in jobsmgr_lifespan: the lifespan of a plugin does not end'),
        ("blocks", 'the event loop is blocked: plugin "theirs" in jobsmgr_transitioned: '),
    ],
)
def test_one_that_fails_is_reported(tmp_path: Path, subtests: pytest.Subtests, how: str, said: str) -> None:
    """And the run goes on as well as it can."""
    for executor, done in run_executors(tmp_path, how, workflow("w", "a")):
        with subtests.test(executor):
            assert done.code == 0
            assert f"Warning: {said}" in done.err
            assert "w succeeded  1/1 jobs" in done.out


@pytest.mark.parametrize(("how", "why"), [("enter", "SystemExit: 7"), ("hang", "not started after 10 s")])
def test_a_lifespan_that_does_not_start(tmp_path: Path, subtests: pytest.Subtests, how: str, why: str) -> None:
    """Nothing is run."""
    for executor, done in run_executors(tmp_path, how, workflow("w", "a")):
        with subtests.test(executor):
            assert (done.code, done.out) == (1, "")
            assert done.err.startswith('Error: plugin "theirs" in jobsmgr_lifespan: cannot start: ')
            assert done.err.rstrip().endswith(why)


HOLDS = '''
"""Hold the jobs that are called like that, or answer what is none."""

import os

from jobsmgr import hookimpl

HOW = os.environ["HOW"]


@hookimpl
def jobsmgr_select_jobs(ready):
    if HOW == "wrong":
        return [*ready]
    return tuple(key for key in ready if not key.job.startswith("held"))
'''


def test_a_run_that_can_never_go_on(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """It ends, and says who holds which job; what could run has run."""
    text = workflow("one", "a", "held-b", "held-c") + workflow("two", "held-d")
    for executor, done in run_executors(tmp_path, "", text, plugin=HOLDS):
        with subtests.test(executor):
            assert done.code == 4
            assert "one running  1/3 jobs" in done.out
            assert done.err == (
                "Error: the run cannot continue: no job is running and none can start:"
                ' plugin "theirs" holds job "g/held-b" of workflow "one",'
                ' plugin "theirs" holds job "g/held-c" of workflow "one",'
                ' plugin "theirs" holds job "g/held-d" of workflow "two"; fix the plugin, or run without it\n'
            )


def test_a_limit_of_ours_is_no_standstill(tmp_path: Path) -> None:
    """Jobs that wait for others to end do start."""
    done = run(tmp_path, "", workflow("w", *"abcd"), "--executor=simulate", "-j1", plugin=HOLDS)
    assert done.code == 0


def test_a_wrong_answer_of_a_plugin_is_its_own(tmp_path: Path) -> None:
    """And not that of the limit, which asks after it."""
    done = run(tmp_path, "wrong", workflow("w", "a"), "--executor=simulate", plugin=HOLDS)
    assert done.code == 1
    assert done.err == 'Error: plugin "theirs" in jobsmgr_select_jobs: returned list, not tuple\n'
