"""A wall clock that a test sets for one process while it runs; its monotonic clock goes on as ever.

Needs Linux and a C compiler: `wall_clock.c` is built once into the user's cache folder and preloaded. Nothing of
jobsmgr is imported here.
"""

import hashlib
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.plane.cache import cache_folder

VARIABLE = "JOBSMGR_TEST_CLOCK"
"""The environment variable that names the file with the offset."""

_SOURCE = Path(__file__).with_suffix(".c")
_FLAGS = ("-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
_OFFSET = struct.Struct("=q")


class NoCompiler(Exception):
    """The library cannot be built here; the message is one sentence that says why."""


def library() -> Path:
    """Give the library to preload, building it first if no earlier run has.

    Raises:
        NoCompiler: this is not Linux, or there is no C compiler with its headers.
    """
    if sys.platform != "linux":
        raise NoCompiler("the wall clock of a process can be set on Linux only")
    target = cache_folder("wall-clock") / f"wall_clock-{_key()}.so"
    if not target.exists():
        _build(target)
    return target


class WallClock:
    """The wall clock of the processes that are started with its `environment`; the true one until it is set."""

    def __init__(self, file: Path) -> None:
        """`file` is made; it holds by how much the clock is wrong. Raises `NoCompiler`."""
        self._file = file
        self._file.write_bytes(_OFFSET.pack(0))
        self.environment: Mapping[str, str] = {"LD_PRELOAD": str(library()), VARIABLE: str(file)}

    def set(self, seconds: float) -> None:
        """Make it show the true time and so many seconds more."""
        with self._file.open("r+b") as file:  # in place, since it is mapped
            file.write(_OFFSET.pack(round(seconds * 1e9)))


def _key() -> str:
    """Name a build: by its source, its flags, and what it is to be loaded by."""
    digest = hashlib.sha256(_SOURCE.read_bytes())
    digest.update("\0".join([*_FLAGS, platform.machine(), *platform.libc_ver()]).encode())
    return digest.hexdigest()[:16]


def _build(target: Path) -> None:
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoCompiler("there is no C compiler on PATH: install gcc and the C library's headers")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")  # whole or not at all: another process may be loading it
    command = [compiler, *_FLAGS, "-o", str(fresh), str(_SOURCE)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        lines = built.stderr.strip().splitlines() or [f"exit code {built.returncode}"]
        raise NoCompiler(f"{compiler} cannot build {_SOURCE.name}: {lines[0]}")
    fresh.replace(target)
