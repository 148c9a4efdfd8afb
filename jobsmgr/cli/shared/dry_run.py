"""`--dry-run` as kubectl has it: how far a write goes. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import click

from jobsmgr.cli.shared.values import OneOf

F = TypeVar("F", bound=Callable[..., Any])


class DryRun(StrEnum):
    """Who looks at what would be written."""

    NONE = "none"
    """It is written."""
    CLIENT = "client"
    """This program alone."""
    SERVER = "server"
    """The API server too."""

    @property
    def note(self) -> str:
        """What follows the report of success."""
        return "" if self is DryRun.NONE else f" ({self.value} dry run)"

    @property
    def parameter(self) -> str:
        """The request's `dryRun`."""
        return "All" if self is DryRun.SERVER else ""


def dry_run_option(client: str) -> Callable[[F], F]:
    """--dry-run; `client` says what the program does by itself."""
    return click.option(
        "--dry-run",
        type=OneOf([mode.value for mode in DryRun]),
        default=DryRun.NONE.value,
        callback=lambda ctx, param, value: DryRun(value),
        help=f"client: {client}; server: let the API server check it too.",
    )
