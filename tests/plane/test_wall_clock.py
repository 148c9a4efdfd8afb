"""One process's wall clock moves, and nothing else does."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plane import wall_clock
from tests.plane.wall_clock import NoCompiler, WallClock

ASK = """
import datetime, sys, time
for _ in sys.stdin:
    shown = (time.time(), datetime.datetime.now(datetime.UTC).timestamp(), time.monotonic())
    print(*shown, flush=True)
"""


@pytest.mark.parametrize("seconds", [3600, -3600, 0, 0.25, -0.75])
def test_a_process_sees_the_clock_that_is_set_while_it_runs(clock: WallClock, seconds: float) -> None:
    """By every call for the wall clock; the monotonic clock is the machine's."""
    command = [sys.executable, "-c", ASK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=dict(clock.environment)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for offset in (0, seconds, 0):
            clock.set(offset)
            before = (time.time(), time.monotonic())  # noqa: TID251  the true clock is what is compared with
            process.stdin.write("now\n")
            *wall, steady = map(float, process.stdout.readline().split())
            after = (time.time(), time.monotonic())  # noqa: TID251
            assert all(before[0] - 0.01 <= shown - offset <= after[0] + 0.01 for shown in wall)
            assert before[1] <= steady <= after[1]


def test_the_library_is_built_once(clock: WallClock) -> None:
    """The second one takes what the first has made."""
    built = wall_clock.library().stat().st_mtime_ns
    assert wall_clock.library().stat().st_mtime_ns == built


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, which is what the tests that are skipped show."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler, match="there is no C compiler on PATH"):
        wall_clock.library()
