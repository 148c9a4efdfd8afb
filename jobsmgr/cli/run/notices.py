"""What the loop logs about plugins, as sentences for whoever runs a file; the rest of the log is for operators."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import click
import structlog

from jobsmgr.views.escape import printable


class Notices:
    """Takes what is logged, and prints what is about plugins: nothing else in a run would say it."""

    def __init__(self) -> None:
        self.show: Callable[[str], None] = _print
        """Where sentences go; a screen that draws something takes them while it does."""

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take all that is logged until the block ends."""
        before = structlog.get_config()
        structlog.configure(
            processors=[self._take], wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
        )
        try:
            yield
        finally:
            structlog.configure(**before)

    def _take(self, _: object, __: str, event: structlog.typing.EventDict) -> NoReturn:
        if "plugin" in event or "where" in event:
            self.show(printable(f"Warning: {_sentence(event)}"))
        raise structlog.DropEvent


def _sentence(event: structlog.typing.EventDict) -> str:
    hook = f" in {event['hook']}" if "hook" in event else ""
    who = [f'plugin "{event["plugin"]}"{hook}'] if "plugin" in event else []
    details = [f"{event[key]}" for key in ("by", "why", "where") if key in event]
    numbers = [f"({event[key]}{unit})" for key, unit in (("seconds", " s"), ("count", "")) if key in event]
    return " ".join([": ".join([*who, str(event["event"]), *details]), *numbers])


def _print(text: str) -> None:
    click.echo(text, err=True)
