"""A job's output: every byte of it, however slow its reader is, and nobody else's end is waited for."""

import subprocess
import time
from collections.abc import Callable

import anyio
import pytest

from jobsmgr.local.output import Output
from tests.local.world import ended
from tests.plane.eventually import eventually


async def heard(script: str, write: Callable[[bytes], None]) -> Output:
    """Run a shell's script and listen until it has ended and said the rest."""
    with Output(write) as output:
        process = await anyio.open_process(["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=output.pipe)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(output.run)
            await process.wait()
            await output.finish()
    return output


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("true", b""),
        (r"printf 'one\ntwo'", b"one\ntwo"),
        (r"printf '\000\377\033[2J\r\n'", b"\0\xff\x1b[2J\r\n"),
        ("head -c 1000000 /dev/zero", bytes(1_000_000)),
    ],
)
async def test_every_byte(script: str, expected: bytes) -> None:
    """Text or not, with a line's end or without, much or nothing."""
    chunks: list[bytes] = []
    await heard(script, chunks.append)
    assert b"".join(chunks) == expected


async def test_a_slow_reader_loses_nothing() -> None:
    """As a terminal that is stopped, or a pager: it holds up everything here."""
    chunks: list[bytes] = []

    def write(chunk: bytes) -> None:
        chunks.append(chunk)
        time.sleep(0.3)

    await heard("for part in 1 2 3 4; do head -c 60000 /dev/zero; done", write)
    assert b"".join(chunks) == bytes(240_000)


@pytest.mark.parametrize("child", ["exec sleep 1000", "while :; do echo more; done"])
async def test_a_child_that_stays_behind_is_not_waited_for(child: str) -> None:
    """Neither a silent one nor one that never is; the pipe is closed, and who writes there ends by it."""
    chunks: list[bytes] = []
    await heard(f"({child}) & echo $!", chunks.append)
    pid = next(line for line in b"".join(chunks).decode().split("\n") if line.isdigit())
    if "sleep" in child:
        await anyio.run_process(["kill", "-9", pid])
    eventually(lambda: ended(int(pid)), "the child has ended")


@pytest.mark.parametrize(
    ("script", "last"),
    [
        ("true", ""),
        (r"printf 'one\ntwo\n\n  \n'", "two"),
        (r"printf ' Error: no \342\234\224\n'", "Error: no ✔"),
        (r"printf '\377\n'", "\ufffd"),
        ("head -c 100000 /dev/zero | tr '\\000' x", "x" * 2048),
    ],
)
async def test_the_last_line(script: str, last: str) -> None:
    """For messages: the last one that is not empty, as far as it is short."""
    assert (await heard(script, lambda _: None)).last == last


async def test_a_process_that_never_started() -> None:
    """Leaves no end of the pipe open; files of a thousand jobs would run out."""
    with Output(lambda _: None) as output:
        number = output.pipe
    with Output(lambda _: None) as output:
        assert output.pipe == number
