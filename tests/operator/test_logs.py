"""What is logged is one line an event, safe for a terminal, and says nothing that is secret."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from typing import Any

import pytest

NASTY = "a\x1b[31mred\rover\nnext\u202egnp.exe\x07"
"""ESC, carriage return, newline, a direction override, a bell."""

SAID = {
    "a value": "log.info('job refused', why=NASTY)",
    "the event itself": "log.info(NASTY)",
    "inside a list": "log.info('x', all=[NASTY])",
    "an exception": "try:\n    raise ValueError(NASTY)\nexcept ValueError:\n    log.exception('failed')",
    "the standard library": "logging.getLogger('kr8s').warning('%s', NASTY)",
    "an exception of the standard library": (
        "try:\n    raise ValueError(NASTY)\nexcept ValueError:\n    logging.getLogger('kr8s').exception('failed')"
    ),
}


SECRET = """
def look(manifest):
    raise RuntimeError("a defect")
try:
    look({"env": [{"name": "TOKEN", "value": "hunter2"}]})
except RuntimeError:
    log.exception("failed")
    logging.getLogger("x").exception("failed")
"""
LEVELS = """
log.debug("own debug"); log.info("own info"); log.warning("own warning")
logging.getLogger("httpx").info("GET /"); logging.getLogger("kr8s").warning("theirs")
"""
VALUES = "log.warning('x', seconds=1.5, names=['a', 'b'], none=None)"
LONG = """
try:
    raise ValueError("\\x1b" * 100_000_000)
except ValueError as error:
    log.error("observer failed", plugin="p", exc_info=error)
"""
ALL = {**SAID, "a secret": SECRET, "levels": LEVELS, "values": VALUES, "long": LONG}


@functools.cache
def logged(style: str, level: str = "info") -> dict[str, str]:
    """What a process that logs all of it writes on stderr, piece by piece."""
    program = (
        "import logging, sys, structlog\n"
        "from jobsmgr.operator.logs import configure_logs\n"
        f"NASTY = {NASTY!r}\n"
        f"configure_logs({level!r}, {style!r})\n"
        "log = structlog.get_logger('test')\n"
    )
    for code in ALL.values():
        program += f"{code}\nprint('=====', file=sys.stderr)\n"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert run.stdout == b""
    return dict(zip(ALL, run.stderr.decode().split("=====\n"), strict=False))


@pytest.mark.parametrize("what", SAID)
@pytest.mark.parametrize("style", ["console", "json"])
def test_control_characters_never_reach_the_terminal(what: str, style: str) -> None:
    """Wherever they stand: names and messages come from anybody who may create an object."""
    text = logged(style)[what]
    assert "red" in text
    assert [letter for letter in text if not letter.isprintable() and letter != "\n"] == []
    assert not any(line.startswith(("next", "over")) for line in text.splitlines())


@pytest.mark.parametrize("what", SAID)
def test_json_is_one_object_a_line(what: str) -> None:
    """Exceptions and other libraries' lines too, each with time and level."""
    lines = [json.loads(line) for line in logged("json")[what].splitlines()]
    assert len(lines) == 1
    assert {"event", "level", "timestamp"} <= lines[0].keys()


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_traceback_shows_no_values(style: str) -> None:
    """Only where it was: values of variables hold manifests, with what their users keep in `env`."""
    text = logged(style)["a secret"]
    assert text.count("a defect") == 2
    assert "hunter2" not in text


def test_levels() -> None:
    """What is below the level is not logged; other libraries speak up from warnings on."""

    def events(level: str) -> list[str]:
        return [json.loads(line)["event"] for line in logged("json", level)["levels"].splitlines()]

    assert events("info") == ["own info", "own warning", "theirs"]
    assert events("warning") == ["own warning", "theirs"]


def test_values_stay_values_in_json() -> None:
    """Numbers and lists are for machines to read."""
    found: dict[str, Any] = json.loads(logged("json")["values"])
    assert (found["seconds"], found["names"], found["none"]) == (1.5, ["a", "b"], None)


@pytest.mark.parametrize("style", ["json", "console"])
def test_megabytes_are_cut(style: str) -> None:
    """A plugin's exception may have any message; where it comes from stands before it."""
    line = logged(style)["long"]
    assert len(line) < 500_000
    assert "observer failed" in line
    assert "in <module>" in line
    assert "more characters)" in line
