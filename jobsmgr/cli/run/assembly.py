"""`jobsmgr run` put together: executor, views, files, signals, an exit code. Nothing is decided about jobs here."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import anyio
import attrs
import structlog
from anyio.abc import TaskStatus

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import Phase
from jobsmgr.cli.run.inputs import Inputs, Selected, Selection, check_inputs, read_inputs
from jobsmgr.cli.shared.exits import ExitCode, UnusableInput
from jobsmgr.cli.shared.jobs import refuse_idle
from jobsmgr.cli.shared.streams import StoppableOutput, can_print, discard
from jobsmgr.cluster.clock import now as wall_clock
from jobsmgr.engine.port import Key
from jobsmgr.local.containers import Containers
from jobsmgr.local.engines import find_engine
from jobsmgr.local.errors import NoContainerEngine
from jobsmgr.local.executor import Executor, ForceStop
from jobsmgr.local.objects import Objects
from jobsmgr.local.policy import INTERRUPTED
from jobsmgr.local.processes import Processes
from jobsmgr.local.recording import OutputUnusable, Recorder
from jobsmgr.local.running import LocalRun, RunSettings
from jobsmgr.local.simulation import Simulation, VirtualLoop
from jobsmgr.local.watching import Watcher, Watchers
from jobsmgr.views.display import Display, summary
from jobsmgr.views.palette import SIGNS, Palette
from jobsmgr.views.run_tree import Size, run_tree
from jobsmgr.views.run_view import WorkflowView
from jobsmgr.views.screen import Appending, Live, OutputStream, Screen

TICK = 0.25
"""Seconds after which a live tree is drawn anew even if nothing happens: its times go on."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPING = "Stopping: jobs are given their grace period to end. Once more (Ctrl-C) kills them."
KILLING = "Killing what still runs."


@attrs.frozen(kw_only=True)
class RunOptions:
    """What a user asks of a run."""

    executor: str
    selection: Selection
    environment: Mapping[str, str]
    """This process's own."""
    palette: Palette
    live: bool = False
    logs: bool = True
    quiet: bool = False
    parallelism: int | None = None
    fail_fast: bool = False
    allow_host_path: bool = False
    output_dir: Path | None = None
    durations: tuple[tuple[str, float], ...] = ()
    exit_codes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether time is virtual."""
        return self.executor == "simulate"


def prepare_output(
    stream: TextIO, environment: Mapping[str, str], *, color: bool, only_ascii: bool
) -> tuple[Palette, bool]:
    """What may be printed to a stream, and whether a tree can be drawn there."""
    palette = Palette(color=color, ascii=only_ascii or not can_print(stream, SIGNS))
    return palette, stream.isatty() and environment.get("TERM") != "dumb"


def run_file(file: str, more: Iterable[str], options: RunOptions) -> int:
    """Run the workflows of a file; the exit code. Raises `CommandError`."""
    loop = {"loop_factory": VirtualLoop} if options.simulated else {}
    with _without_logs(), tempfile.TemporaryDirectory(prefix="jobsmgr-", ignore_cleanup_errors=True) as root:
        return anyio.run(_run, file, tuple(more), options, Path(root), backend_options=loop)


@contextmanager
def _without_logs() -> Iterator[None]:
    """The loop's log is for operators of a cluster; what happens here is shown as it happens."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


async def _run(file: str, more: tuple[str, ...], options: RunOptions, root: Path) -> int:
    force_stop = ForceStop()
    settings = RunSettings(parallelism=options.parallelism, fail_fast=options.fail_fast, root=root)
    run = LocalRun(settings, _virtual(wall_clock()) if options.simulated else wall_clock)
    inputs = read_inputs(file, more, options.selection, run.hooks)
    plans = [one.plan for one in inputs.workflows]
    refuse_idle(plans, "--duration", (pattern for pattern, _ in options.durations))
    refuse_idle(plans, "--exit-code", (pattern for pattern, _ in options.exit_codes))
    executor = await _executor(options, inputs.objects, force_stop, root)
    check_inputs(inputs, executor, run.hooks)
    recorder = _recorder(options.output_dir)
    terminal = _Terminal(inputs, options, run)
    watcher = terminal.display if recorder is None else Watchers(recorder, terminal.display)
    statuses = await _follow(run, inputs.workflows, executor, watcher, force_stop, terminal)
    terminal.summary()
    if recorder is not None:
        recorder.result(statuses)
        if recorder.error is not None:
            raise recorder.error
    if terminal.output.error is not None:
        if not terminal.interrupted:
            raise terminal.output.error  # whoever read our output has gone: the run was stopped for it
        discard()
    return _exit_code(statuses.values(), interrupted=terminal.interrupted)


def _virtual(start: datetime) -> Callable[[], datetime]:
    """The clock of a simulation: the moment it began, and on by the loop's own time."""
    return lambda: start + timedelta(seconds=anyio.current_time())


def _recorder(directory: Path | None) -> Recorder | None:
    try:
        return None if directory is None else Recorder(directory)
    except OutputUnusable as error:
        raise UnusableInput(str(error)) from None


async def _executor(options: RunOptions, objects: Objects, force_stop: ForceStop, root: Path) -> Executor:
    match options.executor:
        case "process":
            return Processes(objects, force_stop, options.environment)
        case "simulate":
            return Simulation(options.durations, options.exit_codes)
        case _:
            try:
                engine = await find_engine()
            except NoContainerEngine as error:
                raise UnusableInput(str(error)) from None
            claims = root / "claims"
            return Containers(engine, objects, force_stop, claims=claims, allow_host_path=options.allow_host_path)


async def _follow(
    run: LocalRun,
    selected: Sequence[Selected],
    executor: Executor,
    watcher: Watcher,
    force_stop: ForceStop,
    terminal: _Terminal,
) -> dict[Key, Manifest]:
    """Run to the end, and listen to signals."""
    outcome: dict[Key, Manifest] | JobsmgrError
    async with anyio.create_task_group() as tasks:
        await tasks.start(_listen, run, force_stop, terminal)
        tasks.start_soon(terminal.tick)
        try:
            plans = {one.key: one.plan for one in selected if one.as_planned}
            outcome = await run.run([one.raw for one in selected], executor, watcher, plans)
        except JobsmgrError as error:  # raised again below: a task group would wrap it
            outcome = error
        tasks.cancel_scope.cancel()
    terminal.screen.close()
    if isinstance(outcome, JobsmgrError):
        raise outcome
    return outcome


async def _listen(run: LocalRun, force_stop: ForceStop, terminal: _Terminal, *, task_status: TaskStatus[None]) -> None:
    """The first signal stops the run with grace, the second one without."""
    with anyio.open_signal_receiver(*STOP_SIGNALS) as signals:
        for number in STOP_SIGNALS:  # the loop hears them all the same, but not while a write waits for a reader
            signal.signal(number, lambda *_: terminal.stream.stop())
        task_status.started()
        async for _ in signals:
            if terminal.interrupted:
                terminal.screen.line(KILLING)
                force_stop.request()
            else:
                terminal.interrupted = True
                terminal.screen.line(STOPPING)
                run.halt(INTERRUPTED)


class _Terminal:
    """What a user sees of a run."""

    def __init__(self, inputs: Inputs, options: RunOptions, run: LocalRun) -> None:
        now = anyio.current_time()
        self._options = options
        self._views = {one.key: _view(one, now) for one in inputs.workflows}
        self.interrupted = False
        self.stream = StoppableOutput(sys.stdout)
        self.output = OutputStream(self.stream, lambda: run.halt(INTERRUPTED))
        self.screen: Screen = Appending(self.output)
        if options.live:
            self.screen = Live(self.output, self._draw, time.monotonic)
        self.display = Display(
            self._views,
            self.screen,
            options.palette,
            anyio.current_time,
            logs=options.logs and not options.quiet,
            events=not options.quiet,
        )

    def _draw(self) -> list[str]:
        columns, rows = shutil.get_terminal_size()
        views = list(self._views.values())
        return run_tree(views, anyio.current_time(), Size(columns, rows - 1), self._options.palette)

    async def tick(self) -> None:
        """Keep a live tree's times going; virtual time goes on by events alone."""
        while self._options.live and not self._options.simulated:
            await anyio.sleep(TICK)
            self.screen.changed()

    def summary(self) -> None:
        """A line a workflow, when all is over."""
        note = " (simulated)" if self._options.simulated else ""
        for view in self._views.values():
            self.output.write(summary(view, self._options.palette, note) + "\n")


def _view(one: Selected, now: float) -> WorkflowView:
    view = WorkflowView.of(one.plan.workflow.name, one.keys, now)
    for key, job in view.jobs.items():
        if key not in one.run:
            job.phase, job.note = Phase.SUCCEEDED, "taken as succeeded"
    return view


def _exit_code(statuses: Iterable[Manifest], *, interrupted: bool) -> int:
    """The worst end of all workflows; an interruption that came too late to change anything counts as one too."""
    phases = {status.get("phase") for status in statuses}
    if interrupted:
        return ExitCode.INTERRUPT
    if Phase.FAILED in phases:
        return ExitCode.WORKFLOW_FAILED
    return ExitCode.DONE if phases <= {Phase.SUCCEEDED} else ExitCode.ABORTED
