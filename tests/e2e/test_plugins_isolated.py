"""Plugins that raise what nobody expects, answer with megabytes, or block: what becomes of the workflows, and of us."""

import os
import time
from pathlib import Path

import pytest

from tests.e2e.shapes import chain, fan
from tests.plane import leases
from tests.plane.distribution import install
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import SHORT
from tests.plane.operator_process import Operators
from tests.plane.probes import Server
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


LEADING = '"event": "leading"'

POISON = '''
"""Fail in the hook and the way that a workflow's annotation names, until a file says that it is fixed."""

import asyncio
import contextlib
import os

import anyio

from jobsmgr import Condition, Fragment, Params, Problem, hookimpl


def no(*_, **__):
    raise asyncio.CancelledError


TRAPS = ("__eq__", "__ne__", "__hash__", "__repr__", "__str__", "__bool__", "__len__", "__iter__", "__format__")


class Trapped(str):
    pass


for trap in TRAPS:
    setattr(Trapped, trap, no)


class Mute(BaseException):
    __str__ = __repr__ = no


def own(error):
    task = asyncio.current_task()
    task.cancel()
    return error


WAYS = {
    "cancelled": lambda: asyncio.CancelledError(),
    "cancelled-by-anyio": lambda: anyio.get_cancelled_exc_class()(),
    "interrupt": lambda: KeyboardInterrupt(),
    "exit": lambda: SystemExit(0),
    "generator-exit": lambda: GeneratorExit(),
    "group": lambda: BaseExceptionGroup("several", [KeyboardInterrupt(), asyncio.CancelledError()]),
    "mute": lambda: Mute(),
    "memory": lambda: MemoryError(),
}


def poison(workflow, hook):
    if os.path.exists(os.environ["POISON_FIXED"]):
        return ""
    where, _, how = workflow.annotations.get("poison", "").partition(":")
    if where != hook:
        return ""
    if how in WAYS:
        raise WAYS[how]()
    return how


@hookimpl
def jobsmgr_validate(workflow):
    match poison(workflow, "validate"):
        case "huge":
            return [Problem("x" * 100_000_000, "x" * 100_000_000)]
        case "endless":
            return iter(lambda: Problem("spec", "no"), None)
        case "trapped":
            return [Problem(Trapped("spec"), Trapped("no"))]
    return ()


@hookimpl
def jobsmgr_pod_fragment(job):
    match poison(job.workflow, "fragment"):
        case "huge":
            return Fragment(annotations={"huge": "x" * 100_000_000})
        case "trapped":
            return Fragment(labels={"team": Trapped("blue")}, env=({"name": Trapped("A"), "value": set()},))


@hookimpl(wrapper=True)
def jobsmgr_select_jobs(snapshot):
    chosen = yield
    return "rubbish" if poison(snapshot.workflow, "select") == "rubbish" else chosen


@hookimpl(wrapper=True)
def jobsmgr_status(snapshot):
    status = yield
    poison(snapshot.workflow, "status")
    return status


@hookimpl
def jobsmgr_conditions(snapshot):
    poison(snapshot.workflow, "conditions")
    return (one for one in ())


@hookimpl
async def jobsmgr_transitioned(transition):
    await anyio.sleep(0)
    poison(transition.workflow, "transitioned")


@hookimpl
@contextlib.asynccontextmanager
async def jobsmgr_lifespan(settings):
    async def fails():
        raise RuntimeError("connection lost")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fails)
        yield
'''

RAISED = ("cancelled", "cancelled-by-anyio", "interrupt", "exit", "generator-exit", "group", "mute", "memory")
HELD = (
    *(f"{hook}:{way}" for hook in ("validate", "fragment", "select", "status", "conditions") for way in RAISED),
    *("validate:endless", "fragment:huge", "fragment:trapped", "select:rubbish"),
)
"""Ways to fail that hold a workflow."""


@pytest.mark.long
def test_whatever_a_plugin_raises_concerns_its_workflow_alone(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, tmp_path: Path, site: Site
) -> None:
    """Many more than there are workers, beside healthy ones: also after a restart; once it is fixed all go on."""
    fixed = tmp_path / "fixed"
    found = install(tmp_path, "jobsmgr_poison", "6.6.6", {"jobsmgr_poison.py": POISON}, {"poison": "jobsmgr_poison"})
    operator = operators(environment={**found, "POISON_FIXED": str(fixed)})
    held = {f"w{place}": way for place, way in enumerate(HELD)}
    told = {f"told{place}": f"transitioned:{way}" for place, way in enumerate(RAISED)}
    for name, way in (held | told).items():
        workflows.create({"metadata": {"name": name, "annotations": {"poison": way}}, "spec": chain(2)})
    workflows.create_spec("healthy", chain(3))
    for name in ("healthy", *told):
        workflows.wait_for(name, "Complete")
    for name, way in held.items():
        workflows.wait_for(name, "Stalled")
        stalled = workflows.condition(name, "Stalled")
        assert stalled["reason"] == "PluginError", f"{way}: {stalled}"
        assert 'plugin "poison" in jobsmgr_' in stalled["message"], f"{way}: {stalled['message']}"
        assert len(stalled["message"]) < 2000, way
    pid = operator.pid
    led = operator.output().count(LEADING)
    leases.restart(operator, *site)
    eventually(lambda: operator.output().count(LEADING) > led, "it leads again")
    workflows.create_spec("after-the-restart", chain(3))
    workflows.wait_for("after-the-restart", "Complete")
    made = {creation.name.rpartition("-chain-")[0] for creation in trace.recording().creations}
    assert made == {"healthy", "after-the-restart", *told}
    fixed.touch()
    for name in held:
        workflows.wait_for(name, "Complete")
    assert operator.pid != pid
    assert operator.running
    ended = [one for one in operator.records() if one["event"] == "a task ended unexpectedly and is restarted"]
    assert ended == []
    failed = [one for one in operator.records() if one["event"] == "observer failed"]
    assert {one["plugin"] for one in failed} == {"poison"}
    assert any(one["event"] == "the lifespan of a plugin failed" for one in operator.records())
    assert operator.terminate() == 0


def test_a_problem_of_megabytes(workflows: Workflows, jobs: JobFinisher, operators: Operators, tmp_path: Path) -> None:
    """It is what the plugin says of the workflow, cut short; values of its own types are taken for what they say."""
    found = install(tmp_path, "jobsmgr_poison", "6.6.6", {"jobsmgr_poison.py": POISON}, {"poison": "jobsmgr_poison"})
    operator = operators(environment={**found, "POISON_FIXED": str(tmp_path / "fixed")})
    for name in ("huge", "trapped"):
        workflows.create({"metadata": {"name": name, "annotations": {"poison": f"validate:{name}"}}, "spec": chain(1)})
        workflows.wait_for(name, "Failed")
        failed = workflows.condition(name, "Failed")
        assert failed["reason"] == "InvalidSpec"
        assert len(failed["message"]) < 5000
    workflows.create_spec("healthy", chain(1))
    workflows.wait_for("healthy", "Complete")
    assert operator.running


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "BaseException", "asyncio.CancelledError", "GeneratorExit"])
def test_whatever_is_raised_on_import_stops_the_start(operators: Operators, tmp_path: Path, error: str) -> None:
    """In one sentence with the plugin's name, and not with exit code 0."""
    text = f"import asyncio\nraise {error}\n"
    found = install(tmp_path, "jobsmgr_unfit", "0.9", {"jobsmgr_unfit.py": text}, {"unfit": "jobsmgr_unfit"})
    operator = operators(environment=found)
    assert operator.ended() in (1, 130)
    (line,) = operator.output().splitlines()
    assert line.startswith('Error: plugin "unfit": cannot be loaded from jobsmgr_unfit 0.9: ')


BLOCKS = '''
"""Block in the workflows and the ways that are asked for, once each process."""

import ctypes
import os
import select
import time

from jobsmgr import Fragment, hookimpl

WAYS = {
    "sleep": lambda: time.sleep(20),
    "select": lambda: select.select([], [], [], 600),
    "c": lambda: [ctypes.CDLL(None).sleep(600) for _ in range(10)],
    "python": lambda: [None for _ in iter(int, 1)],
}


@hookimpl
def jobsmgr_pod_fragment(job):
    way = os.environ.get("BLOCKS", "")
    if way and job.workflow.name == "blocks":
        os.environ["BLOCKS"] = ""
        WAYS[way]()
    return Fragment(labels={"team": "blue"})
'''


def blocking(tmp_path: Path, way: str = "") -> dict[str, str]:
    """The environment of an operator with a plugin that blocks in that way; in none, if it is empty."""
    folder = tmp_path / (way or "none")
    folder.mkdir()
    found = install(folder, "jobsmgr_blocks", "1.0", {"jobsmgr_blocks.py": BLOCKS}, {"blocks": "jobsmgr_blocks"})
    return {**found, "BLOCKS": way}


@pytest.mark.long
def test_a_plugin_that_blocks_costs_the_lease_and_is_named(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, trace: Trace, tmp_path: Path
) -> None:
    """Another replica goes on; the one that was blocked writes nothing any more, and its log says who it was.

    Its liveness probe has no answer meanwhile; the one on standby was ready before it led.
    """
    one, other = Server(), Server()
    first = operators(environment={**blocking(tmp_path, "sleep"), **one.environment}, flags=SHORT)
    first.wait_for_log(LEADING)
    second = operators(environment={**blocking(tmp_path), **other.environment}, flags=SHORT)
    second.wait_for_log("another replica leads")
    eventually(lambda: one.code("/readyz") == other.code("/readyz") == 200, "both are ready")
    jobs.hold("*")
    workflows.create_spec("wide", fan(30))
    eventually(lambda: trace.recording().creations, "Jobs are created")
    workflows.create_spec("blocks", fan(2))
    first.wait_for_log("the event loop is blocked")
    assert (one.get("/healthz"), other.get("/healthz")) == ((0, "ReadTimeout"), (200, "ok\n"))
    second.wait_for_log(LEADING)
    jobs.release("*")
    for name in ("wide", "blocks"):
        workflows.wait_for(name, "Complete")
    first.wait_for_log("the event loop runs again")
    first.wait_for_log("this replica no longer leads")
    assert one.get("/healthz") == (200, "ok\n")
    eventually(lambda: first.output().count("another replica leads"), "it stands by")
    workflows.create_spec("after", fan(2))
    workflows.wait_for("after", "Complete")
    requests = trace.requests()
    taken = min(
        one.answered
        for one in requests
        if (one.user, one.resource, one.verb, one.code) == (second.user, "leases", "update", 200)
    )
    late = [one for one in requests if one.user == first.user and one.writes and one.received > taken]
    assert [one for one in late if one.resource != "leases"] == []
    (named,) = [one for one in first.records() if one["event"] == "the event loop is blocked"]
    assert named["by"] == 'plugin "blocks" in jobsmgr_pod_fragment'
    line = BLOCKS[: BLOCKS.index("time.sleep(20)")].count("\n") + 1
    assert named["where"].endswith(f"{os.sep}jobsmgr_blocks.py:{line}")
    assert first.running


@pytest.mark.long
@pytest.mark.parametrize("way", ["select", "c", "python"])
def test_sigterm_ends_a_process_that_is_blocked(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, tmp_path: Path, way: str
) -> None:
    """Within its grace period, with a last line in the log; another replica does the work."""
    first = operators(environment=blocking(tmp_path, way), flags=SHORT)
    first.wait_for_log(LEADING)
    workflows.create_spec("blocks", fan(2))
    first.wait_for_log("the event loop is blocked")
    began = time.monotonic()
    assert first.terminate() == 1
    print(f"ended {time.monotonic() - began:.1f} s after SIGTERM")
    (last,) = [one for one in first.records() if one["event"].startswith("ended by force")]
    assert last["signal"] == "SIGTERM"
    second = operators(environment=blocking(tmp_path), flags=SHORT)
    second.wait_for_log(LEADING)
    workflows.wait_for("blocks", "Complete")


@pytest.mark.long
def test_sigterm_while_a_plugin_is_imported(operators: Operators, tmp_path: Path) -> None:
    """The signal is heard before anything of others runs."""
    text = "import time\nprint('imported', flush=True)\ntime.sleep(600)\n"
    found = install(tmp_path, "jobsmgr_slow", "1.0", {"jobsmgr_slow.py": text}, {"slow": "jobsmgr_slow"})
    operator = operators(environment=found)
    operator.wait_for_log("imported")
    operator.wait_for_log("the event loop is blocked")
    assert operator.terminate() == 1
    (named,) = [one for one in operator.records() if one["event"] == "the event loop is blocked"]
    assert named["where"].endswith("jobsmgr_slow.py:3")
