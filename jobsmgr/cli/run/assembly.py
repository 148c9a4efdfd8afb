"""`jobsmgr run` put together: executor, views, files, signals, an exit code. Nothing is decided about jobs here."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.run.inputs import RunOptions, Selected, check_inputs, read_inputs
from jobsmgr.cli.run.notices import Notices
from jobsmgr.cli.run.stopping import STOP_SIGNALS, Stopping
from jobsmgr.cli.run.terminal import Terminal
from jobsmgr.cli.shared.exits import CommandError, ExitCode, UnusableInput
from jobsmgr.cli.shared.jobs import refuse_idle
from jobsmgr.cli.shared.signals import as_interrupts, heard, ignore_alone
from jobsmgr.cli.shared.streams import discard
from jobsmgr.connection.clock import now as wall_clock
from jobsmgr.engine.port import Key
from jobsmgr.engine.steady_loop import SteadyLoop
from jobsmgr.engine.watchdog import Watchdog
from jobsmgr.local.containers import Containers
from jobsmgr.local.engines import find_engine
from jobsmgr.local.errors import NoContainerEngine
from jobsmgr.local.executor import Executor, ForceStop
from jobsmgr.local.former import FormerRun
from jobsmgr.local.masking import masked
from jobsmgr.local.objects import Objects
from jobsmgr.local.policy import INTERRUPTED
from jobsmgr.local.processes import Processes
from jobsmgr.local.recording import OutputUnusable, Recorder
from jobsmgr.local.running import LocalRun, RunSettings
from jobsmgr.local.simulation import Simulation, VirtualLoop
from jobsmgr.local.watching import Watcher, Watchers

MOST_HELD = 10
"""How many held jobs are named at most."""


def run_file(file: str, more: Iterable[str], options: RunOptions) -> int:
    """Run the workflows of a file; the exit code. Raises `CommandError`."""
    loop = {"loop_factory": VirtualLoop if options.simulated else SteadyLoop}
    notices = Notices()
    numbers = heard(STOP_SIGNALS)
    ignore_alone()
    with (
        notices.taken(),
        as_interrupts(numbers),
        tempfile.TemporaryDirectory(prefix="jobsmgr-", ignore_cleanup_errors=True) as root,
    ):
        return anyio.run(_run, file, tuple(more), options, notices, Path(root), numbers, backend_options=loop)


async def _run(
    file: str,
    more: tuple[str, ...],
    options: RunOptions,
    notices: Notices,
    root: Path,
    numbers: Sequence[signal.Signals],
) -> int:
    force_stop = ForceStop()
    settings = RunSettings(parallelism=options.parallelism, fail_fast=options.fail_fast, root=root)
    run = LocalRun(settings, _virtual(wall_clock()) if options.simulated else wall_clock)
    inputs = read_inputs(file, more, options.selection, run.hooks)
    given = options.selection.values
    options = attrs.evolve(options, kept={name: it for name, it in inputs.values.items() if name not in given})
    plans = [one.plan for one in inputs.workflows]
    refuse_idle(plans, "--duration", (pattern for pattern, _ in options.durations))
    refuse_idle(plans, "--exit-code", (pattern for pattern, _ in options.exit_codes))
    executor = await _executor(options, inputs.objects, force_stop, root)
    if not options.show_secrets:
        executor = masked(executor, inputs.objects.secret_values())
    check_inputs(inputs, executor, run.hooks)
    recorder = _recorder(options.output_dir, options.selection.former)
    terminal = Terminal(inputs.workflows, options, lambda: run.halt(INTERRUPTED))
    if options.live:
        notices.show = terminal.screen.line
    watcher = terminal.display if recorder is None else Watchers(recorder, terminal.display)
    stopping = Stopping(run, force_stop, terminal, numbers)
    with Watchdog(run.hooks.culprit).watching():
        statuses = await _follow(run, inputs.workflows, executor, watcher, stopping)
    terminal.finish(recorder)
    if recorder is not None:
        recorder.result(statuses, inputs.values)
        if recorder.error is not None:
            raise recorder.error
    if terminal.stream.error is not None:
        if not terminal.interrupted:
            raise terminal.stream.error  # whoever read our output has gone: the run was stopped for it
        discard()
    if run.stuck:
        raise CommandError(_standstill(run.held), ExitCode.ABORTED)
    return _exit_code(statuses.values(), interrupted=terminal.interrupted)


def _standstill(held: Mapping[Key, Mapping[JobKey, str]]) -> str:
    """Why a run does not go on, in words."""
    who = [
        f'plugin "{plugin}" holds job "{job}" of workflow "{key.name}"'
        for key, jobs in held.items()
        for job, plugin in jobs.items()
    ]
    more = f" (and {len(who) - MOST_HELD} more)" if len(who) > MOST_HELD else ""
    why = f"{', '.join(who[:MOST_HELD])}{more}; fix the plugin, or run without it" if who else "no plugin holds a job"
    return f"the run cannot continue: no job is running and none can start: {why}"


def _virtual(start: datetime) -> Callable[[], datetime]:
    """The clock of a simulation: the moment it began, and on by the loop's own time."""
    return lambda: start + timedelta(seconds=anyio.current_time())


def _recorder(directory: Path | None, former: FormerRun | None) -> Recorder | None:
    try:
        if directory is None:
            return None
        return Recorder(directory) if former is None else Recorder(directory, former.tries(directory))
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
    stopping: Stopping,
) -> dict[Key, Manifest]:
    """Run to the end, and listen to signals."""
    outcome: dict[Key, Manifest] | JobsmgrError
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(stopping.listen)
            tasks.start_soon(stopping.terminal.tick)
            try:
                plans = {one.key: one.plan for one in selected if one.as_planned}
                outcome = await run.run([one.raw for one in selected], executor, watcher, plans)
            except JobsmgrError as error:  # raised again below: a task group would wrap it
                outcome = error
            tasks.cancel_scope.cancel()
    finally:
        stopping.terminal.screen.close()
    if isinstance(outcome, JobsmgrError):
        # Of a hook that was interrupted too: the message names it.
        raise CommandError(str(outcome), ExitCode.INTERRUPT) if stopping.terminal.interrupted else outcome
    return outcome


def _exit_code(statuses: Iterable[Manifest], *, interrupted: bool) -> int:
    """The worst end of all workflows; an interruption that came too late to change anything counts as one too."""
    phases = {status.get("phase") for status in statuses}
    if interrupted:
        return ExitCode.INTERRUPT
    if Phase.FAILED in phases:
        return ExitCode.WORKFLOW_FAILED
    return ExitCode.DONE if phases <= {Phase.SUCCEEDED} else ExitCode.ABORTED
