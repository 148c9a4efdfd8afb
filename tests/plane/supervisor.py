"""Hold the control plane's processes for as long as any test process is connected, and no longer.

Knows nothing of Kubernetes. Needs the standard library alone.

Every pytest process (one, or several with pytest-xdist) keeps a connection to the supervisor's socket. The kernel
closes it however that process ends, kill -9 too; at the last one the supervisor ends its children and itself. If the
supervisor is killed, the kernel ends its children (Linux).
"""

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

GRACE = 10.0
"""Seconds that a component gets to end after SIGTERM."""

_DEADLINE = 180.0
"""Seconds for what takes moments, as in `eventually`: a busy machine is no failure."""
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a child, before exec: let the kernel kill it when the thread that started it is gone (Linux; else nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Link:
    """A test process' connection to a supervisor."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()  # one question and its answer at a time
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines: IO[str] = self._socket.makefile("r", encoding="utf-8")

    def call(self, order: str, **arguments: Any) -> Any:
        """Send one order and give its answer; raises RuntimeError with the supervisor's sentence."""
        with self._lock:
            self._socket.sendall(json.dumps({"order": order, **arguments}).encode() + b"\n")
            line = self._lines.readline()
        if not line:
            raise RuntimeError(f"the plane's supervisor is gone; it did not answer {order!r}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Leave; the last one to leave ends the plane."""
        self._lines.close()
        self._socket.close()


def launch(path: Path, log: Path, remove: Sequence[Path] = (), held: Sequence[socket.socket] = ()) -> Link:
    """Start a supervisor that listens at `path` and connect to it; at its end it deletes the folders `remove`,
    which may be control groups.

    It keeps the ports that the sockets `held` hold as long as it lives, so that a component which is away for a while
    finds its own again; here they are closed. It leads a session of its own: Ctrl-C on a terminal must not end the
    plane before the tests' own clean-up.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, __file__, str(path), *map(str, remove)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[one.fileno() for one in held] if sys.platform == "linux" else (),
        )
    for one in held:
        one.close()
    deadline = time.monotonic() + _DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            link = Link(path)
            process.returncode = 0  # it outlives this process on purpose: nobody waits for it here
            return link
        time.sleep(0.01)
    raise RuntimeError(f"the plane's supervisor did not start: {log.read_text(errors='replace')[-2000:]}")


class _Supervisor:
    def __init__(self, path: Path, remove: list[str]) -> None:
        self._path = path
        self._remove = remove
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._connections = 0
        self._empty = asyncio.Event()

    async def run(self) -> None:
        server = await asyncio.start_unix_server(self._serve, str(self._path))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._empty.set)
        loop.call_later(_DEADLINE, self._leave_if_alone)
        await self._empty.wait()
        server.close()
        for child in self._children.values():
            child.kill()
            child.wait()
        for folder in self._remove:
            _remove(Path(folder))
        self._path.unlink(missing_ok=True)  # last: its absence says that all is over
        with contextlib.suppress(OSError):  # not empty unless it was made for the socket alone
            self._path.parent.rmdir()

    def _leave_if_alone(self) -> None:
        if not self._connections:
            self._empty.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # the test process is gone, which is what the end of the stream says too
        finally:
            self._connections -= 1
            self._leave_if_alone()
            writer.close()

    async def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        order = message.pop("order")
        try:
            match order:
                case "start":
                    return {"result": self._start(**message)}
                case "signal":
                    self._children[message["name"]].send_signal(message["number"])
                    return {"result": None}
                case "stop":
                    return {"result": await self._stop(**message)}
                case "running":
                    return {
                        "result": {name: child.pid for name, child in self._children.items() if child.poll() is None}
                    }
                case _:
                    return {"error": f"no such order: {order}"}
        except (OSError, LookupError, TypeError) as error:
            return {"error": f"{order} {message}: {error}"}

    def _start(self, name: str, command: list[str], log: str, env: dict[str, str]) -> int:
        running = self._children.get(name)
        if running and running.poll() is None:
            raise LookupError(f"{name} runs already, as process {running.pid}")
        with open(log, "ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **env},
                preexec_fn=die_with_parent,
            )
        self._children.pop(name, None)
        self._children[name] = child
        return child.pid

    async def _stop(self, name: str) -> int | None:
        child = self._children[name]
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGCONT)  # a frozen one could not hear the first
        deadline = time.monotonic() + GRACE
        while child.poll() is None:
            if time.monotonic() > deadline:
                child.kill()
            await asyncio.sleep(0.02)
        return child.returncode


def _remove(folder: Path) -> None:
    if not (folder / "cgroup.procs").exists():
        shutil.rmtree(folder, ignore_errors=True)
        return
    # A control group: the files in it are the kernel's, and it stays while a process of its own still ends.
    deadline = time.monotonic() + _DEADLINE
    while folder.exists() and time.monotonic() < deadline:
        for group, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(group)
        time.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(_Supervisor(Path(sys.argv[1]), sys.argv[2:]).run())
