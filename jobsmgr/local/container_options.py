"""What a container is started with, as words of an engine's command line. Nothing is run here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.syntax import parse_quantity
from jobsmgr.local.engines import Image
from jobsmgr.local.environment import expand_all
from jobsmgr.local.executor import Attempt
from jobsmgr.local.volumes import Mount

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LONGEST_LINE = 32 * 1024
_LEAST_CPU, _MOST_CPU = Decimal("0.01"), Decimal(10**6)
"""A millisecond of the kernel's 100, to which the kubelet raises smaller limits; and more than any machine has."""
_NO_LIMIT = Decimal(2**62)
"""Bytes of memory that are no limit to the kernel."""
_AS_ON_A_CLUSTER = {
    "podman": ("--http-proxy=false", "--read-only-tmpfs=false", "--passwd=false"),
    "docker": (),
}
"""What an engine would do on its own: hand on this machine's proxies, make /tmp of a read-only root writable, add the
user to /etc/passwd."""
_SET_BY_ENGINE = {"podman": ("TERM", "container"), "docker": ()}
"""Variables that an engine sets, which no container of a kubelet has unless its image says so."""
_SHARED_MEMORY = str(64 * 2**20)
_SELINUX = Path("/sys/fs/selinux/enforce")


@attrs.frozen(kw_only=True)
class Start:
    """A container that is to be started: the try, and all that was found out about it."""

    attempt: Attempt
    name: str
    labels: tuple[str, ...]
    image: Image
    user: str
    """Empty for root."""
    variables: Mapping[str, str]
    mounts: tuple[Mount, ...]

    @property
    def command(self) -> list[str]:
        """What the job runs in place of the image's entry point; empty if it says nothing."""
        return expand_all(self.attempt.container.get("command") or (), self.variables)

    @property
    def args(self) -> list[str]:
        """Likewise in place of the image's command."""
        return expand_all(self.attempt.container.get("args") or (), self.variables)

    @property
    def first_word(self) -> str:
        """The first one of what is run: the job's, else the image's; empty if neither says anything."""
        words = self.command or [*self.image.entrypoint, *(self.args or self.image.command)]
        return words[0] if words else ""


def words(start: Start, program: str, knows: Iterable[str]) -> list[str]:
    """The command that starts it; `knows` has those options of the engine that not each of its versions has."""
    attempt, container, command = start.attempt, start.attempt.container, start.command
    known = frozenset(knows)
    return [
        *("run", "--pull=never", *(word for word in _AS_ON_A_CLUSTER[program] if word.partition("=")[0] in known)),
        *("--name", start.name, "--hostname", attempt.pod.name, "--stop-timeout", "0", "--shm-size", _SHARED_MEMORY),
        *(word for label in start.labels for word in ("--label", label)),
        *(("--workdir", str(container["workingDir"])) if container.get("workingDir") else ()),
        *_not_set(start, _SET_BY_ENGINE[program] if "--unsetenv" in known else ()),
        *_variables(attempt.directory / f"env-{attempt.restarts}", start.variables),
        *(("--pidfile", str(pid_file(attempt))) if "--pidfile" in known else ()),
        *(word for mount in start.mounts for word in ("--mount", _mount(mount))),
        *(("--security-opt", "label=disable") if start.mounts and _SELINUX.exists() else ()),
        *_limits(container),
        *(("--user", start.user) if start.user else ()),
        *_security(security_context(attempt.pod_spec)),
        *(("--entrypoint", command[0]) if command else ()),
        *("--", start.image.name),
        *command[1:],
        *start.args,
    ]


def pid_file(attempt: Attempt) -> Path:
    """Where podman writes a number as soon as the container is made and its command was found, before it begins."""
    return attempt.directory / f"pid-{attempt.restarts}"


def is_limited(attempt: Attempt) -> bool:
    """Whether the memory of a try has a limit."""
    return "--memory" in _limits(attempt.container)


def _not_set(start: Start, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name not in start.image.variables:
            yield f"--unsetenv={name}"


def _variables(file: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Variables in a file that only we can read, since anybody can read a command line; as words where no file can."""
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


def _limits(container: Manifest) -> Iterator[str]:
    """Limits of CPU and memory; requests and other resources say nothing on one machine."""
    limits = (container.get("resources") or {}).get("limits") or {}
    if cpu := cpus(limits.get("cpu", "")):
        yield from ("--cpus", cpu)
    memory = parse_quantity(limits.get("memory", ""))
    if memory is not None and 0 < memory < _NO_LIMIT:
        size = str(memory.to_integral_value(ROUND_CEILING))
        yield from ("--memory", size, "--memory-swap", size)


def cpus(limit: object) -> str:
    """A limit of CPU as `--cpus` takes it: at least what the kernel can count; 0 for no limit, empty for no number."""
    cpu = parse_quantity(limit)
    return "" if cpu is None else f"{min(max(cpu, _LEAST_CPU), _MOST_CPU):f}" if cpu else "0"


def security_context(pod: Manifest) -> dict[str, Any]:
    """The container's security context over the pod's."""
    return {**(pod.get("securityContext") or {}), **(pod["containers"][0].get("securityContext") or {})}


def context_path(pod: Manifest, field: str) -> str:
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
