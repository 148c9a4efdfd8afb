"""How the process logs: for people or as JSON, on stderr, safe for a terminal. Nothing is logged here."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog

from jobsmgr.operator.line_writer import detach_streams

Format = Literal["console", "json"]

LONGEST = 65_536
"""Characters of one value: a plugin's exception may have a message of megabytes, and escaping that takes seconds."""


def configure_logs(level: str, style: Format) -> None:
    """Set up structlog and the standard library's logging.

    `level` is one of debug, info, warning, error. Lines go to stderr, one an event; from now on nobody who writes there
    or to stdout waits for it.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # As text, before anything is escaped. Never with values of variables, as rich shows them: they hold manifests,
        # and what users keep in `env` is logged nowhere.
        structlog.processors.format_exc_info,
        _escape,
    ]
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if style == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    detach_streams(lambda count: _dropped(count, renderer))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    _configure_standard_library(max(number, logging.WARNING), shared, renderer)


def _configure_standard_library(
    level: int, shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor
) -> None:
    """Other libraries' lines in the same form; they speak up from warnings on, for requests are what we do."""
    handler = logging.StreamHandler(sys.stderr)
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared[-2:], renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared[:-2], processors=processors))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request at INFO


def _dropped(count: int, renderer: structlog.typing.Processor) -> str:
    """The line in place of those that are missing."""
    words = "1 log line was dropped" if count == 1 else f"{count} log lines were dropped"
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    line: Any = renderer(None, "warning", stamp(None, "warning", {"event": words, "level": "warning"}))
    return f"{line}\n"


def _escape(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Control and direction characters in values as escapes: names and messages come from anybody (CVE-2021-25743)."""
    return {key: _safe(key, value) if isinstance(value, str) else value for key, value in event.items()}


def _safe(key: str, text: str) -> str:
    """A traceback has lines, set in so that none of them can pass for an event; nothing else has lines."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text) - LONGEST} more characters)"
    return "\n    ".join(map(_printable, text.split("\n"))) if key == "exception" else _printable(text)


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
