"""Types of the values of options: click's, whose refusals are sentences of ours. No option is declared here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import click

from jobsmgr.api.durations import UNITS, parse_duration

_UNITS = {**UNITS, "d": 86400.0}


class _Worded(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """Takes what a type of click's takes. What it refuses is named, with what is allowed."""

    allowed: str
    """What a value must be: it follows "is not"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value, as the type reads it."""
        try:
            found = super().convert(value, param, ctx)
        except click.BadParameter:
            found = math.nan
        # No bound refuses what is no number at all ("nan"), since no comparison with it is true.
        if isinstance(found, float) and math.isnan(found):
            self.fail(f'"{value}" is not {self.allowed}', param, ctx)
        return found


class WholeNumber(_Worded, click.IntRange):
    """A whole number between bounds, both included."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        super().__init__(least, most)
        within = f"of at least {least}" if most is None else f"from {least} to {most}"
        self.allowed = f"a whole number {within}"


class Positive(_Worded, click.FloatRange):
    """A number above 0."""

    name = "number"

    def __init__(self, most: float) -> None:
        super().__init__(0, most, min_open=True)
        self.allowed = f"a number above 0 and at most {most:g}"


class OneOf(_Worded, click.Choice[str]):
    """One of some words."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self.allowed = f"one of {', '.join(choices)}"


class Switch(_Worded, click.types.BoolParamType):
    """On or off; only a variable of the environment has a value that can be wrong."""

    allowed = "one of true, false, yes, no, on, off, 1, 0"


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    """A length of time as Go writes it (`90s`, `1m30s`, `2h`), or as a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float | int):
            return float(value)
        try:
            return parse_duration(value, _UNITS)
        except ValueError as error:
            self.fail(str(error), param, ctx)
