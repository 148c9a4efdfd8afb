"""Containers that are asked to end, and killed if they do not: whatever happens, none is left."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio
import pytest

from jobsmgr.local.containers import Containers
from jobsmgr.local.engines import Engine
from jobsmgr.local.executor import Exit, ForceStop
from jobsmgr.local.objects import Objects
from tests.cli.runs import Running, file_of, running, sh
from tests.local.podman import Podman, Ran
from tests.local.world import attempt, manifest
from tests.plane.eventually import DEADLINE, eventually
from tests.plane.images import IMAGE

POLITE = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


@pytest.fixture
def started(podman: Podman, tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Start a file's text in containers; whatever becomes of it, nothing of it is left."""
    with ExitStack() as runs:

        def start(text: str) -> Running:
            (tmp_path / "wf.yaml").write_text(text.replace("image: busybox,", f'image: "{IMAGE}",'))
            return runs.enter_context(running("wf.yaml", cwd=tmp_path, TMPDIR=str(tmp_path), **podman.environment))

        yield start
    assert podman.containers() == []
    eventually(lambda: not monitors(podman), "who watched over them ends")
    assert not list(tmp_path.glob("jobsmgr-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks(podman: Podman, started: Callable[[str], Running], number: signal.Signals) -> None:
    """The job gets its grace period, and its last words are heard."""
    run = started(file_of(sh("a", POLITE)))
    run.until("│ ready")
    assert len(podman.containers()) == 1
    run.signal(number)
    assert run.end() == 130
    assert "g/a │ bye" in run.text


def test_a_second_signal_kills(started: Callable[[str], Running]) -> None:
    """One that does not listen; its grace period of 30 s is not waited for."""
    run = started(file_of(sh("a", STUBBORN)))
    run.until("│ ready")
    run.signal(signal.SIGTERM)
    run.until("Stopping:")
    run.signal(signal.SIGTERM)
    assert run.end() == 130


def test_a_second_signal_kills_in_the_midst_of_the_grace_period(
    podman: Podman, started: Callable[[str], Running]
) -> None:
    """While podman waits for the container's end it holds it for stopping, and would forget it rather than kill it."""
    run = started(file_of(sh("a", STUBBORN)))
    run.until("│ ready")
    run.signal(signal.SIGTERM)
    eventually(lambda: podman.order("ps", "--all", "--format", "{{.State}}").lower() == "stopping")
    run.signal(signal.SIGTERM)
    assert run.end() == 130


def test_signals_while_containers_are_being_made(started: Callable[[str], Running]) -> None:
    """Some are there, some are not yet, and some never will be."""
    run = started(file_of(*(sh(f"j{number}", STUBBORN) for number in range(8))))
    run.until("│ ready")
    run.signal(signal.SIGINT)
    run.until("Stopping:")
    run.signal(signal.SIGINT)
    assert run.end() == 130


def test_a_signal_while_an_image_is_pulled(started: Callable[[str], Running]) -> None:
    """From a registry that never answers: the pull ends with the run."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        registry.settimeout(DEADLINE)
        image = f"localhost:{registry.getsockname()[1]}/none:1"
        run = started(file_of(sh("a", "echo started")).replace("image: busybox,", f'image: "{image}",'))
        with registry.accept()[0]:
            run.signal(signal.SIGTERM)
            assert run.end() == 130
    assert not [words for _, words in processes() if image in " ".join(words)]


def processes() -> Iterator[tuple[int, list[str]]]:
    """Every process of this machine, with its words."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield int(path.parent.name), path.read_text(errors="replace").split("\0")


def monitors(podman: Podman) -> list[int]:
    """The processes that watch over podman's containers, also over those that it has forgotten."""
    return [
        pid
        for pid, words in processes()
        if words[0].endswith("conmon") and any(word.startswith(str(podman.root)) for word in words)
    ]


def test_a_deadline_ends_a_container(ran: Ran) -> None:
    """Which is removed."""
    done = ran(file_of(sh("a", POLITE, "activeDeadlineSeconds: 2")))
    assert done.code == 3
    assert "activeDeadlineSeconds (2)" in done.out


@pytest.fixture
def engine(podman: Podman, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The podman of the tests for this process; no container is left of it."""
    for name, value in podman.environment.items():
        monkeypatch.setenv(name, value)
    yield Engine("podman")
    assert podman.containers() == []
    eventually(lambda: not monitors(podman), "who watched over them ends")


class TestOneTry:
    """The executor by itself: pods with a grace period of their own, which only a plugin can give."""

    async def stop(self, engine: Engine, directory: Path, script: str, grace: int) -> tuple[str, float]:
        """Start a container, cancel it when it has said "ready"; what it said, and how long the end took."""
        chunks, ready = list[bytes](), anyio.Event()

        def write(chunk: bytes) -> None:
            chunks.append(chunk)
            if b"ready" in b"".join(chunks):
                ready.set()

        container = {"image": IMAGE, "command": ["sh", "-c", script]}
        job = manifest(container, {"terminationGracePeriodSeconds": grace})
        containers = Containers(engine, Objects(), ForceStop(), claims=directory / "claims")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(containers.run, attempt(job, directory / "pod", write))
            await ready.wait()
            began = anyio.current_time()
            tasks.cancel_scope.cancel()
        return b"".join(chunks).decode(), anyio.current_time() - began

    async def test_who_ignores_sigterm_is_killed_after_the_grace_period(self, engine: Engine, tmp_path: Path) -> None:
        """Not before it."""
        said, took = await self.stop(engine, tmp_path, STUBBORN, 1)
        assert said == "ready\n"
        assert took >= 1

    async def test_the_grace_period_ends_with_the_job(self, engine: Engine, tmp_path: Path) -> None:
        """An hour is not waited for where a moment is enough."""
        assert (await self.stop(engine, tmp_path, POLITE, 3600))[0] == "ready\nbye\n"

    async def test_a_forced_stop_while_containers_are_being_made(self, engine: Engine, tmp_path: Path) -> None:
        """Some are there, some are about to start and some are not made yet: no grace period is waited for."""
        ready, force_stop, grace = anyio.Event(), ForceStop(), 100
        job = manifest({"image": IMAGE, "command": ["sh", "-c", STUBBORN]}, {"terminationGracePeriodSeconds": grace})
        containers = Containers(engine, Objects(), force_stop, claims=tmp_path / "claims")
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(containers.run, attempt(job, tmp_path / str(number), lambda _: ready.set()))
            await ready.wait()
            began = anyio.current_time()
            tasks.cancel_scope.cancel()
            force_stop.request()
        assert anyio.current_time() - began < grace

    async def test_an_engine_that_is_killed(self, engine: Engine, tmp_path: Path) -> None:
        """The try has failed as a killed one; its container, which would go on, is removed."""

        def kill(_: bytes) -> None:
            for pid, words in processes():
                if words[:2] == ["podman", "run"] and any(str(tmp_path) in word for word in words):
                    os.kill(pid, signal.SIGKILL)

        env = [{"name": "A", "value": "1"}]  # podman reads it from a file below the pod's directory
        job = manifest({"image": IMAGE, "command": ["sh", "-c", STUBBORN], "env": env})
        containers = Containers(engine, Objects(), ForceStop(), claims=tmp_path / "claims")
        how = await containers.run(attempt(job, tmp_path / "pod", kill))
        assert how == Exit(code=137, message="podman was killed by signal 9")
