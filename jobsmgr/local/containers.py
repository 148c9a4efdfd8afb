"""Jobs as containers of podman or docker, each removed when it has ended. Tries are not counted here."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from shutil import rmtree
from typing import Any

import anyio
from anyio.abc import Process

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.syntax import parse_quantity
from jobsmgr.local.engines import Engine
from jobsmgr.local.environment import PodIdentity, environment, expand_all
from jobsmgr.local.errors import CannotRun, ImageMissing
from jobsmgr.local.executor import KILLED, NOT_EXECUTABLE, NOT_FOUND, Attempt, Exit, ForceStop
from jobsmgr.local.objects import Objects
from jobsmgr.local.output import Output
from jobsmgr.local.processes import exit_code
from jobsmgr.local.volumes import Mount, Volumes, check_volumes

LABEL = "jobsmgr.run"
"""Every container of a run carries it, with the run's own value: `podman ps --filter label=jobsmgr.run`."""
_ENGINE_FAILED = 125
_NOT_STARTED = frozenset({_ENGINE_FAILED, NOT_EXECUTABLE, NOT_FOUND})
_ENDED = frozenset({"exited", "stopped"})
"""States of a container whose command has run: podman calls it stopped until it has cleaned up, which may be late."""
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LONGEST_LINE = 32 * 1024
"""Bytes; of a file of variables, engines read lines of up to 64 KiB."""
_MAKING_SECONDS = 0.5
"""Seconds between two checks for a container whose creation was interrupted and that has to be removed."""
_STUCK_SECONDS = 60.0
"""Seconds after which a command that does not end is considered stuck."""
_LEAST_CPU = Decimal("0.01")
"""A millisecond of the kernel's 100: the kubelet makes a smaller limit as large."""
_AS_ON_A_CLUSTER = {"podman": ("--http-proxy=false", "--read-only-tmpfs=false")}
"""What an engine would do on its own: hand on this machine's proxies, make /tmp of a read-only root writable."""
_SELINUX = Path("/sys/fs/selinux/enforce")


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
        container, context = spec["containers"][0], _security_context(spec)
        if context.get("privileged"):
            text = "a privileged container could do anything to this machine; remove it to run the job here"
            raise CannotRun(Problem("securityContext.privileged", text))
        if context.get("runAsNonRoot") and context.get("runAsUser") == 0:
            text = "runAsUser is 0, which is root; change one of them"
            raise CannotRun(Problem(_of_context(spec, "runAsNonRoot"), text))
        variables = environment(container, pod, self._objects)
        check_volumes(spec, pod, self._objects, variables, allow_host_path=self._allow_host_path)

    async def run(self, attempt: Attempt) -> Exit:
        """See the protocol."""
        container = attempt.container
        try:
            image = await self._engine.image(str(container["image"]), str(container.get("imagePullPolicy") or ""))
        except ImageMissing as error:
            return Exit(code=_ENGINE_FAILED, reason="ErrImagePull", message=str(error), final=True)
        variables = environment(container, attempt.pod, self._objects)
        volumes = Volumes(attempt.directory / "volumes", self._claims, attempt.pod_spec, attempt.pod, self._objects)
        if attempt.restarts == 0:
            self._directories.append(attempt.directory)
            attempt.directory.mkdir(parents=True)
            volumes.make()
        # The pod's name, since Jobs of two workflows can have the same.
        name = f"jobsmgr-{self._run}-{attempt.pod.name}-{attempt.number}"
        user = await self._user(image, attempt.pod_spec)
        words = self._words(attempt, name, image, user, variables, list(volumes.mounts(variables)))
        with Output(attempt.write) as output:
            try:
                process = await self._engine.start(words, output.pipe)
            except ValueError as error:  # a character that no argument and no variable can have
                return Exit(code=NOT_EXECUTABLE, message=f"the container could not be started: {error}")
            return await self._follow(process, output, name, attempt.grace)

    async def _user(self, image: str, pod: Manifest) -> str:
        """Who the container runs as, empty for whom the image says. Raises `CannotRun` where that may not be root."""
        context = _security_context(pod)
        user, group = context.get("runAsUser"), context.get("runAsGroup")
        if user is None and (context.get("runAsNonRoot") or group is not None):
            own = (await self._engine.user(image)).partition(":")[0] or "0"
            if context.get("runAsNonRoot") and (not own.isdecimal() or int(own) == 0):  # a name may be root's too
                text = f'image "{image}" runs as user "{own}"; set runAsUser to a number that is not 0'
                raise CannotRun(Problem(_of_context(pod, "runAsNonRoot"), text))
            user = own if group is not None else None
        return "" if user is None else str(user) if group is None else f"{user}:{group}"

    async def _follow(self, process: Process, output: Output, name: str, grace: float) -> Exit:
        """Hand its output on until it has ended, and remove all of it."""
        how: Exit | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(output.run)
            try:
                await process.wait()
                await output.finish()
                how = await self._how(process, name, output.last)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._remove(process, name, grace)
                    await output.finish()
        if how is None:
            raise AssertionError("a container that was not cancelled has ended somehow")
        return how

    async def _how(self, process: Process, name: str, last: str) -> Exit:
        """How it ended; the engine's own failures have codes that a job can have too, so it is asked."""
        code = exit_code(process.returncode)
        if code != process.returncode:
            return Exit(code=code, message=f"{self._engine.program} was ended by signal {code - 128}")
        if code not in (*_NOT_STARTED, KILLED):
            return Exit(code=code)
        result = await self._engine.run(
            "inspect", "--type", "container", "--format", "{{.State.Status}} {{.State.OOMKilled}}", name
        )
        state, _, oom = result.output.partition(" ")
        if state in _ENDED:
            return Exit(code=code, reason="OOMKilled" if oom == "true" else "")
        if code in (NOT_FOUND, NOT_EXECUTABLE):
            return Exit(code=code, message=f"the container could not be started: {last.removeprefix('Error: ')}")
        return Exit(code=code, reason="CannotRun", message=last.removeprefix("Error: "), final=True)

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
        """Remove containers in any state; they are killed at once, since their stop time-out is 0 (`_words`)."""
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

    # The command line

    def _words(
        self, attempt: Attempt, name: str, image: str, user: str, variables: Mapping[str, str], mounts: list[Mount]
    ) -> list[str]:
        container = attempt.container
        command = expand_all(container.get("command") or (), variables)
        args = expand_all(container.get("args") or (), variables)
        return [
            *("run", "--pull=never", *_AS_ON_A_CLUSTER.get(self._engine.program, ())),
            *("--name", name, "--label", f"{LABEL}={self._run}", "--stop-timeout", "0"),
            *("--label", f"{LABEL}.job={attempt.key}", "--hostname", attempt.pod.name),
            *(("--workdir", str(container["workingDir"])) if container.get("workingDir") else ()),
            *_variables(attempt.directory / f"env-{attempt.restarts}", variables),
            *(word for mount in mounts for word in ("--mount", _mount(mount))),
            *(("--security-opt", "label=disable") if mounts and _SELINUX.exists() else ()),
            *_limits((container.get("resources") or {}).get("limits") or {}),
            *(("--user", user) if user else ()),
            *_security(_security_context(attempt.pod_spec)),
            *(("--entrypoint", command[0]) if command else ()),
            *("--", image),
            *command[1:],
            *args,
        ]


def _variables(file: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Variables in a file that only we can read: anybody can read a command line; as words what no file can carry."""
    lines = []
    for name, value in variables.items():
        if _PLAIN_NAME.fullmatch(name) and not set(value) & {"\n", "\r", "\0"} and len(value.encode()) < _LONGEST_LINE:
            lines.append(f"{name}={value}\n")
        else:
            yield from ("--env", f"{name}={value}")
    if lines:
        file.touch(mode=0o600)
        file.write_text("".join(lines), encoding="utf-8")
        yield from ("--env-file", str(file))


def _mount(mount: Mount) -> str:
    """A bind mount as `--mount` takes it; its fields are CSV."""
    fields = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
    fields += ["readonly"] if mount.read_only else []
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(fields)
    return buffer.getvalue()


def _limits(limits: Manifest) -> Iterator[str]:
    """Limits of CPU and memory; requests and other resources say nothing on one machine."""
    if cpu := cpus(limits.get("cpu", "")):
        yield from ("--cpus", cpu)
    if (memory := parse_quantity(limits.get("memory", ""))) is not None:
        size = str(memory.quantize(Decimal(1), ROUND_CEILING))
        yield from ("--memory", size, "--memory-swap", size)


def cpus(limit: object) -> str:
    """A limit of CPU as `--cpus` takes it: at least what the kernel can count; 0 is none, empty what is no number."""
    cpu = parse_quantity(limit)
    return "" if cpu is None else f"{max(cpu, _LEAST_CPU):f}" if cpu else "0"


def _security_context(pod: Manifest) -> dict[str, Any]:
    """The container's security context over the pod's."""
    return {**(pod.get("securityContext") or {}), **(pod["containers"][0].get("securityContext") or {})}


def _of_context(pod: Manifest, field: str) -> str:
    """The path of a field of the joined contexts: the container's own, or the pod's."""
    own = field in (pod["containers"][0].get("securityContext") or {})
    return f"{'securityContext' if own else 'podSecurityContext'}.{field}"


def _security(context: Manifest) -> Iterator[str]:
    """What of a security context an engine knows, but for the user."""
    groups = [*(context.get("supplementalGroups") or ()), context.get("fsGroup")]
    for group in groups:
        if group is not None:
            yield from ("--group-add", str(group))
    if context.get("readOnlyRootFilesystem"):
        yield "--read-only"
    if context.get("allowPrivilegeEscalation") is False:
        yield from ("--security-opt", "no-new-privileges")
    capabilities = context.get("capabilities") or {}
    for flag, names in (("--cap-drop", capabilities.get("drop")), ("--cap-add", capabilities.get("add"))):
        for name in names or ():
            yield from (flag, str(name))
