"""Jobs as containers of podman or docker, each removed when it has ended. Tries are not counted here."""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial
from pathlib import Path
from shutil import rmtree

import anyio
import attrs
from anyio.abc import Process

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.local.container_options import Start, context_path, is_limited, pid_file, security_context, words
from jobsmgr.local.engines import Engine, Image
from jobsmgr.local.environment import PodIdentity, environment
from jobsmgr.local.errors import CannotRun, ImageMissing
from jobsmgr.local.executor import (
    CANNOT_RUN,
    KILLED,
    NOT_EXECUTABLE,
    NOT_FOUND,
    OUT_OF_MEMORY,
    Attempt,
    Exit,
    ForceStop,
    not_started,
)
from jobsmgr.local.kernel import oom_kills
from jobsmgr.local.objects import Objects
from jobsmgr.local.output import Output
from jobsmgr.local.ownership import give, open_up
from jobsmgr.local.processes import exit_code
from jobsmgr.local.volumes import Mount, Volumes, check_volumes

LABEL = "jobsmgr.run"
"""Every container of a run carries it, with the run's own value: `podman ps --filter label=jobsmgr.run`."""
_ENGINE_FAILED = 125
_NOT_STARTED = frozenset({_ENGINE_FAILED, NOT_EXECUTABLE, NOT_FOUND})
_ENDED = frozenset({"exited", "stopped"})
"""States of a container whose command has run: podman calls it stopped until it has cleaned up, which may be late."""
_LOOK_SECONDS = 0.02
"""Seconds between two looks whether a container that is being made has begun."""
_MAKING_SECONDS = 0.5
"""Seconds between two checks for a container whose creation was interrupted and that has to be removed."""
_STUCK_SECONDS = 60.0
"""Seconds after which a command that does not end is considered stuck."""


class Containers:
    """The executor that runs each job in a container."""

    name = "container"

    def __init__(
        self, engine: Engine, objects: Objects, force_stop: ForceStop, *, claims: Path, allow_host_path: bool = False
    ) -> None:
        """`claims` is the directory for PersistentVolumeClaims: what jobs write there lives as long as the run."""
        self._engine = engine
        self._objects = objects
        self._claims = claims
        self._force_stop = force_stop
        self._allow_host_path = allow_host_path
        self._run = secrets.token_hex(6)
        self._directories: list[Path] = [claims]

    def check(self, manifest: Manifest, pod: PodIdentity) -> None:
        """Refuse references that lead nowhere, volumes that only a cluster has, and what would open this machine."""
        spec = manifest["spec"]["template"]["spec"]
        container, context = spec["containers"][0], security_context(spec)
        if context.get("privileged"):
            text = "a privileged container could do anything to this machine; remove the field to run the job here"
            raise CannotRun(Problem("securityContext.privileged", text))
        if context.get("runAsNonRoot") and context.get("runAsUser") == 0:
            text = "runAsUser is 0, which is root; change one of them"
            raise CannotRun(Problem(context_path(spec, "runAsNonRoot"), text))
        variables = environment(container, pod, self._objects)
        check_volumes(spec, pod, self._objects, variables, allow_host_path=self._allow_host_path)

    async def run(self, attempt: Attempt) -> Exit:
        """See the protocol."""
        container = attempt.container
        try:
            image = await self._engine.image(str(container["image"]), str(container.get("imagePullPolicy") or ""))
        except ImageMissing as error:
            return Exit(code=_ENGINE_FAILED, reason="ErrImagePull", message=str(error), final=True)
        user = _user(image, attempt.pod_spec)
        variables = environment(container, attempt.pod, self._objects)
        volumes = Volumes(attempt.directory / "volumes", self._claims, attempt.pod_spec, attempt.pod, self._objects)
        if attempt.restarts == 0:
            self._directories.append(attempt.directory)
            attempt.directory.mkdir(parents=True)
            volumes.make()
            await self._give_to_group(volumes, attempt.pod_spec)
        # The pod's name, since Jobs of two workflows can have the same.
        name = f"jobsmgr-{self._run}-{attempt.pod.name}-{attempt.number}"
        start = Start(
            attempt=attempt,
            name=name,
            labels=(f"{LABEL}={self._run}", f"{LABEL}.job={attempt.key}"),
            image=image,
            user=user,
            variables=variables,
            mounts=(*volumes.mounts(variables), _termination_log(attempt)),
        )
        while isinstance(how := await self._start(start), Mount):
            start = attrs.evolve(start, mounts=(*start.mounts, how))
        return how

    async def _give_to_group(self, volumes: Volumes, pod: Manifest) -> None:
        context = pod.get("securityContext") or {}
        if context.get("fsGroup") is None:
            return
        group = int(context["fsGroup"])
        for owned in volumes.owned():
            # The policy is for what outlives the pod.
            policy = str(context.get("fsGroupChangePolicy") or "") if owned.lasting else ""
            try:
                give(owned.place, group, owned.access, policy)
            except PermissionError:
                if not await self._engine.give(owned.place, group, owned.access, policy):
                    open_up(owned.place, owned.access)

    async def _start(self, start: Start) -> Exit | Mount:
        """How it ended, or what it lacked to be started."""
        kills = oom_kills()
        knows = await self._engine.options()
        begun = partial(_begun, start.attempt) if "--pidfile" in knows else None
        with Output(start.attempt.write, begun) as output:
            try:
                process = await self._engine.start(words(start, self._engine.program, knows), output.pipe)
            except ValueError as error:  # a character that no argument and no variable can have
                return not_started(f"the container could not be started: {error}")
            how = await self._follow(process, output, start)
        if isinstance(how, Exit) and how.code == KILLED and is_limited(start.attempt) and oom_kills() > kills:
            return attrs.evolve(how, reason=OUT_OF_MEMORY)  # podman does not say so with version 1 of cgroups
        return how

    async def _follow(self, process: Process, output: Output, start: Start) -> Exit | Mount:
        """Hand its output on until it has ended, and remove all of it."""
        how: Exit | Mount | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(output.run)
            try:
                await process.wait()
                how = await self._how(process, start, output)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._remove(process, start.name, start.attempt.grace)
                    await output.finish()
        if how is None:
            raise AssertionError("a container that was not cancelled ended without a result")
        return how

    async def _how(self, process: Process, start: Start, output: Output) -> Exit | Mount:
        """How it ended; the engine's own failures have codes that a job can have too, so it is asked."""
        code = exit_code(process.returncode)
        if code != process.returncode:
            return Exit(code=code, message=f"{self._engine.program} was killed by signal {code - 128}")
        if code == 0 or (code not in _NOT_STARTED and not is_limited(start.attempt)):
            return Exit(code=code)
        result = await self._engine.run(
            "inspect", "--type", "container", "--format", "{{.State.Status}} {{.State.OOMKilled}}", start.name
        )
        state, _, oom = result.output.partition(" ")
        if state in _ENDED:
            return Exit(code=code, reason=OUT_OF_MEMORY if oom == "true" else "")
        output.hold_back()
        await output.finish()
        if code == _ENGINE_FAILED:
            return Exit(code=code, reason=CANNOT_RUN, message=output.last.removeprefix("Error: "), final=True)
        return await self._working_directory(start) or not_started(_why_not(start, code, output))

    async def _working_directory(self, start: Start) -> Mount | None:
        """An empty one, if it was what was missing: a cluster makes it, podman does not."""
        place = str(start.attempt.container.get("workingDir") or "")
        if not place or place in {mount.target for mount in start.mounts} or await self._engine.has(start.name, place):
            return None
        source = start.attempt.directory / f"working-dir-{start.attempt.restarts}"
        source.mkdir()
        source.chmod(0o755)
        return Mount(source=source, target=place, read_only=False)

    async def _remove(self, process: Process, name: str, grace: float) -> None:
        """Ask the container to end if it has not, then remove it."""
        if process.returncode is None and not self._force_stop.requested:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stop_waiting, tasks.cancel_scope)
                await self._engine.run("stop", "--time", str(int(grace)), name)
                tasks.cancel_scope.cancel()
            if process.returncode is None:
                # Podman would forget, and leave running, a container that it still holds for stopping (seen in 4.3).
                await self._engine.run("kill", "--signal", "KILL", name)
        ended = process.returncode is not None
        await self._delete(name)
        if not ended:
            await self._remove_late(process, name)

    async def _remove_late(self, process: Process, name: str) -> None:
        """Wait for the end of a command that may still create its container, and remove that too.

        It is not killed meanwhile: an interrupted podman would leave a running container that it does not know.
        """
        with anyio.move_on_after(_STUCK_SECONDS):
            while process.returncode is None:
                with anyio.move_on_after(_MAKING_SECONDS):
                    await process.wait()
                await self._delete(name)
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await self._delete(name)

    async def _stop_waiting(self, waiting: anyio.CancelScope) -> None:
        await self._force_stop.wait()
        waiting.cancel()

    async def _delete(self, *names: str) -> None:
        """Remove containers in any state; they are killed at once, since their stop time-out is 0."""
        await self._engine.run("rm", "--force", "--volumes", *names)

    async def aclose(self) -> None:
        """Remove what is left of this run, whatever happened."""
        left = (await self._engine.run("ps", "--all", "--quiet", "--filter", f"label={LABEL}={self._run}")).output
        if left:
            await self._delete(*left.split())
        for directory in self._directories:
            rmtree(directory, ignore_errors=True)
            if directory.exists() and self._engine.program == "podman":
                # Rootless: what a container's other users wrote belongs to sub-ids, which only podman can act as.
                await self._engine.run("unshare", "rm", "-rf", str(directory))


async def _begun(attempt: Attempt) -> None:
    """Wait until what a container's pipe holds can be its own words: before it begins, the engine's alone are there."""
    while not pid_file(attempt).exists():  # noqa: ASYNC110  podman's file
        await anyio.sleep(_LOOK_SECONDS)


def _user(image: Image, pod: Manifest) -> str:
    """Who the container runs as, empty for root. Raises `CannotRun` where it may not be root, and would be.

    Of `USER` in an image a kubelet takes the user alone: the group is what the image's /etc/passwd says, or root's.
    """
    context = security_context(pod)
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    own = image.user.partition(":")[0]
    root = not own.isdecimal() or int(own) == 0  # a name may be root's too
    if user is None and context.get("runAsNonRoot") and root:
        text = f'image "{image.name}" runs as user "{own or 0}"; set runAsUser to a number that is not 0'
        raise CannotRun(Problem(context_path(pod, "runAsNonRoot"), text))
    who = own if user is None else str(user)
    return who if group is None else f"{who or 0}:{group}"


def _termination_log(attempt: Attempt) -> Mount:
    """The file for a job's last words, as each container of a kubelet has one."""
    file = attempt.directory / f"termination-log-{attempt.restarts}"
    file.touch()
    file.chmod(0o666)
    target = str(attempt.container.get("terminationMessagePath") or "/dev/termination-log")
    return Mount(source=file, target=target, read_only=False)


def _why_not(start: Start, code: int, output: Output) -> str:
    """One sentence in place of the engine's page; the word of the command in it shows what it is about."""
    command, image = start.first_word, start.attempt.container["image"]
    if not command:
        return f'image "{image}" has no command; set one'
    if f'"{command}"' not in output.end and f"`{command}`" not in output.end:
        return f"the container could not be started: {output.last.removeprefix('Error: ')}"
    if code == NOT_FOUND:
        return f'command "{command}" does not exist in image "{image}"; correct it, or use an image that has it'
    return f'command "{command}" of image "{image}" cannot be executed; it is not a program, or may not be executed'
