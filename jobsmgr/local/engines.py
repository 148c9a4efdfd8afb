"""podman or docker, whichever works here, and its commands. Jobs are not known here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import attrs
from anyio.abc import ByteReceiveStream, Process

from jobsmgr.local import ownership
from jobsmgr.local.errors import ImageMissing, NoContainerEngine
from jobsmgr.local.ownership import Access

ENGINES = ("podman", "docker")
"""In the order in which they are tried."""
_PROBES = {
    "podman": ("info", "--format", "{{.Host.OCIRuntime.Name}}"),
    "docker": ("version", "--format", "{{.Server.Version}}"),
}
_PROBE_SECONDS = 20.0


@attrs.frozen(kw_only=True)
class CommandResult:
    """How a command ended, and what it printed."""

    code: int
    output: str
    error: str

    @property
    def why(self) -> str:
        """The last line of stderr."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        return lines[-1].removeprefix("Error: ") if lines else f"exit code {self.code}"


@attrs.frozen(kw_only=True)
class Image:
    """An image that the engine has, and what it says of its containers."""

    name: str
    """The name under which the engine has it."""
    user: str = ""
    """A name or a number, maybe a group after a colon; or nothing."""
    variables: frozenset[str] = frozenset()
    """Names of the variables that it sets."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


class Engine:
    """A container engine's command line."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._pulls: dict[str, anyio.Lock] = {}
        self._images: dict[tuple[str, str], Image] = {}
        self._options: frozenset[str] = frozenset()

    async def run(self, *words: str) -> CommandResult:
        """Run a command of the engine and wait for its end."""
        done = await anyio.run_process(
            [self.program, *words], stdin=subprocess.DEVNULL, check=False, start_new_session=True
        )
        return CommandResult(
            code=done.returncode,
            output=done.stdout.decode(errors="replace").strip(),
            error=done.stderr.decode(errors="replace"),
        )

    async def start(self, words: Sequence[str], pipe: int) -> Process:
        """Start a command whose output goes to a pipe; away from the terminal, whose Ctrl-C is not meant for it."""
        return await anyio.open_process(
            [self.program, *words],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )

    async def options(self) -> frozenset[str]:
        """The options of its `run` command, which differ from version to version."""
        if not self._options:
            text = (await self.run("run", "--help")).output
            self._options = frozenset(word for word in text.split() if word.startswith("--"))
        return self._options

    async def image(self, name: str, policy: str) -> Image:
        """An image, pulled if the policy says so. Raises `ImageMissing`."""
        lock = self._pulls.setdefault(name, anyio.Lock())
        async with lock:  # jobs side by side with one image pull it once
            if (name, policy) not in self._images:
                self._images[name, policy] = await self._image(name, policy)
            return self._images[name, policy]

    async def has(self, container: str, place: str) -> bool:
        """Whether a container that has not begun has a file or folder; of a large one only the beginning is read."""
        process = await anyio.open_process(
            [self.program, "cp", f"{container}:{place}", "-"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        async with process:
            found = process.stdout is not None and await _has_any(process.stdout)
            if process.returncode is None:
                process.kill()
        return found

    async def give(self, place: Path, group: int, access: Access, policy: str) -> bool:
        """Give a volume to a group in the user namespace of this engine's containers; False where it has none."""
        words = (sys.executable, "-m", ownership.__name__, str(place), str(group), access.name, policy)
        return self.program == "podman" and (await self.run("unshare", *words)).code == 0

    async def _image(self, name: str, policy: str) -> Image:
        full = full_name(name)
        if policy != "Always":
            for candidate in dict.fromkeys((name, full)):
                if (found := await self._inspected(candidate)) is not None:
                    return found
        if policy == "Never":
            raise ImageMissing(name, "it does not exist on this machine, and imagePullPolicy is Never")
        result = await self.run("pull", "--quiet", "--", full)
        if result.code != 0:
            raise ImageMissing(name, result.why)
        return await self._inspected(full) or Image(name=full)

    async def _inspected(self, name: str) -> Image | None:
        result = await self.run("image", "inspect", "--format", "{{json .Config}}", "--", name)
        if result.code != 0:
            return None
        says = json.loads(result.output) or {}
        return Image(
            name=name,
            user=str(says.get("User") or ""),
            variables=frozenset(entry.partition("=")[0] for entry in says.get("Env") or ()),
            entrypoint=tuple(says.get("Entrypoint") or ()),
            command=tuple(says.get("Cmd") or ()),
        )


async def _has_any(stream: ByteReceiveStream) -> bool:
    try:
        await stream.receive(1)
    except anyio.EndOfStream:
        return False
    return True


def full_name(image: str) -> str:
    """An image's name as Kubernetes reads it: without a registry it is Docker Hub's."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


async def find_engine() -> Engine:
    """The first engine that really answers. Raises `NoContainerEngine`."""
    reasons: dict[str, str] = {}
    for program in ENGINES:
        engine = Engine(program)
        try:
            with anyio.fail_after(_PROBE_SECONDS):
                result = await engine.run(*_PROBES[program])
        except FileNotFoundError:
            reasons[program] = "is not installed"
        except TimeoutError:
            reasons[program] = f"did not answer within {_PROBE_SECONDS:.0f} s"
        except OSError as error:
            reasons[program] = f"cannot be run ({error.strerror or error})"
        else:
            if result.code == 0:
                return engine
            reasons[program] = f"does not work ({result.why})"
    raise NoContainerEngine(_no_engine(reasons))


def _no_engine(reasons: Mapping[str, str]) -> str:
    found = ", ".join(f"{program} {reason}" for program, reason in reasons.items())
    return (
        f"no container engine works here: {found}; use --executor process (runs the commands on this machine,"
        " without isolation) or --executor simulate (runs nothing)"
    )
