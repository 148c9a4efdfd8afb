"""Where each parameter of a job comes from, as a table. The line of a field is the caller's to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from jobsmgr.api.fields import json_key, merge_key
from jobsmgr.api.params import Params
from jobsmgr.core.origins import Level, Origin, Setting
from jobsmgr.views.escape import printable, shortened
from jobsmgr.views.manifests import value_yaml

_MAX_VALUE = 60
_NAMES = {json_key(field): key for field in attrs.fields(Params) if (key := merge_key(field))}


def table(origins: Iterable[Origin], line: Callable[[str], int]) -> str:
    """A row for each parameter: field, name, value, who set it and where, and what that overrode.

    `line` gives the line of a field's path.
    """
    rows: list[tuple[str, ...]] = []
    field = ""
    for origin in origins:
        set_by = origin.set_by
        row = ("" if origin.field == field else origin.field, printable(origin.name), _value(origin, set_by))
        rows.append((*row, set_by.level.value, _where(set_by, line), _overrode(origin, line)))
        field = origin.field
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    return "".join(f"  {_line(row, widths)}\n" for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _where(setting: Setting, line: Callable[[str], int]) -> str:
    return f"line {line(setting.path)}" if setting.path else ""


def _overrode(origin: Origin, line: Callable[[str], int]) -> str:
    if not origin.overrode:
        return ""
    word = "instead of" if origin.set_by.level is Level.PLUGIN else "over"
    parts = [f"{_value(origin, each)} ({each.level.value}, line {line(each.path)})" for each in origin.overrode]
    return f"{word} {', '.join(parts)}"


def _value(origin: Origin, setting: Setting) -> str:
    """A value on one line, cut short; of an entry with a name, what it has beside the name."""
    text = value_yaml(_shown(origin.field, setting.value))
    return text if len(text) <= _MAX_VALUE else shortened(text, _MAX_VALUE - 1, "…")


def _shown(field: str, value: Any) -> Any:
    if field not in _NAMES or not isinstance(value, Mapping):
        return value
    rest = {key: inner for key, inner in value.items() if key != _NAMES[field]}
    return rest.get("value", "") if field == "env" and rest.keys() <= {"value"} else rest
