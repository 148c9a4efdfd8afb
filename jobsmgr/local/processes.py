"""Jobs as processes of this machine, only where a user asks for that. No container and no limits here."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import anyio
import attrs
from anyio.abc import Process

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.images import has_no_entrypoint
from jobsmgr.local.commands import MAY_PASS, why_not_started
from jobsmgr.local.environment import PodIdentity, environment, expand_all
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Attempt, Exit, ForceStop, not_started
from jobsmgr.local.objects import Objects
from jobsmgr.local.output import Output

HOST_VARIABLES = ("PATH", "HOME", "LANG")
"""The only variables of this process that a job gets."""


class Processes:
    """The executor that runs each job as a process group of its own, in a directory of its own."""

    name = "process"

    def __init__(self, objects: Objects, force_stop: ForceStop, host: Mapping[str, str]) -> None:
        """`host` is this process's environment, of which a job gets `HOST_VARIABLES`."""
        self._objects = objects
        self._force_stop = force_stop
        self._host = {name: host[name] for name in HOST_VARIABLES if name in host}

    def check(self, manifest: Manifest, pod: PodIdentity) -> None:
        """Refuse what only a container can give, and arguments whose command nobody here knows."""
        spec = manifest["spec"]["template"]["spec"]
        container = spec["containers"][0]
        for index, mount in enumerate(container.get("volumeMounts") or ()):
            text = f'"{mount.get("mountPath")}" cannot be mounted for a process; remove it, or use --executor container'
            raise CannotRun(Problem(f"volumeMounts[{index}]", text))
        if container.get("workingDir"):
            text = (
                f'"{container["workingDir"]}" is a directory in the image, but a process starts in an empty directory'
            )
            raise CannotRun(Problem("workingDir", f"{text}; remove it, or use --executor container"))
        if not container.get("command"):
            self._check_args(container)
        environment(container, pod, self._objects)

    def _check_args(self, container: Manifest) -> None:
        image = str(container["image"])
        if not has_no_entrypoint(image):
            text = f'the program that image "{image}" runs with these args is not known here'
            raise CannotRun(Problem("command", f"{text}; set command, or use --executor container"))
        if not container.get("args"):
            raise CannotRun(Problem("args", f'a process of image "{image}" needs a command or args; give one'))

    async def run(self, attempt: Attempt) -> Exit:
        """See the protocol."""
        variables = environment(attempt.container, attempt.pod, self._objects)
        words = [*(attempt.container.get("command") or ()), *(attempt.container.get("args") or ())]
        argv = expand_all(words, variables)
        variables = self._host | variables
        directory = attempt.directory / f"work-{attempt.restarts}"
        directory.mkdir(parents=True)
        with Output(attempt.write) as output:
            try:
                process = await _start(argv, directory, variables, output.pipe)
            except ValueError as error:  # a character that no argument and no variable can have
                return not_started(f'command "{argv[0]}" cannot be run: {error}')
            except OSError as error:
                how = not_started(why_not_started(argv[0], variables.get("PATH", os.defpath), directory, error))
                return attrs.evolve(how, final=error.errno not in MAY_PASS)
            return Exit(code=await self._follow(process, output, attempt.grace))

    async def _follow(self, process: Process, output: Output, grace: float) -> int:
        """Hand its output on until it has ended, and leave nothing of its group."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(output.run)
            try:
                await process.wait()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._end(process, grace)
                    await output.finish()
        return exit_code(process.returncode)

    async def _end(self, process: Process, grace: float) -> None:
        """Ask the group to end if it has not, and kill what is left of it."""
        if process.returncode is None and not self._force_stop.requested:
            signal_group(process.pid, signal.SIGTERM)
            await ended_within(process, grace, self._force_stop)
        signal_group(process.pid, signal.SIGKILL)
        await process.wait()

    async def aclose(self) -> None:
        """Each process was waited for; nothing is left."""


async def _start(argv: list[str], directory: Path, variables: Mapping[str, str], pipe: int) -> Process:
    return await anyio.open_process(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        cwd=directory,
        env=variables,
        start_new_session=True,
    )


async def ended_within(process: Process, seconds: float, force_stop: ForceStop) -> None:
    """Wait for a process, but not longer than that and not when there is force_stop."""
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await force_stop.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up)
            await process.wait()
            tasks.cancel_scope.cancel()


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the whole process group of a process that leads one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def exit_code(returncode: int | None) -> int:
    """How a process ended as a shell says it: 128 and the number of the signal that killed it."""
    if returncode is None:
        raise ValueError("the process has not ended")
    return returncode if returncode >= 0 else 128 - returncode
