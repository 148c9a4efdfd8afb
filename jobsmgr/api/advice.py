"""How to write a value of the wrong type, or a field that does not exist. Whether a value fits is asked elsewhere.

Advice must not lead to the next error: the advised value is made and checked against the schema; if it does not fit,
no advice is given.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Fits: TypeAlias = Callable[[Any, Schema], bool]

STRICT = "x-strict"
"""A keyword of a schema that accepts more than a server would: the schema that has to be met in the end."""
_ELSEWHERE = {
    "envFrom": "fromEnv",
    "serviceAccountName": "serviceAccount",
    "backoffLimit": "retries",
    "dependsOn": "dependencies",
    "depends_on": "dependencies",
    "needs": "dependencies",
    "timeout": "activeDeadlineSeconds",
    "entrypoint": "command",
    "stages": "groups",
    "steps": "jobs",
    "tasks": "jobs",
}
"""Fields as other formats call them, which are too far from ours to be found by their letters."""
_FEW = 8
"""If no known field is similar, this many are listed at most."""


def remedy(value: Any, schema: Schema, fits: Fits) -> str:
    """What to do about a value of the wrong type, after a semicolon; empty if nothing simple makes it fit."""
    strict = schema.get(STRICT, schema)
    return next((f"; {text}" for text, written in _rewritten(value, strict) if fits(written, strict)), "")


def suggestion(key: str, known: Schema, used: Container[str]) -> tuple[str, Schema, str]:
    """What an unknown field seems to mean: the known field of the same object, its schema, and the hint.

    The field is empty where another place is meant or none is known; one that is `used` already is not meant again.
    """
    inner = known.get("params", {}).get("properties", {})
    if key in inner:
        return "", inner[key], "; write it under params"
    meant = _ELSEWHERE.get(key, "")
    if meant in inner:
        return "", inner[meant], f'; did you mean "{meant}" under params?'
    free = [field for field in known if field not in used]
    if meant not in free:
        meant = next(iter(difflib.get_close_matches(key, free, n=1)), "")
    if meant:
        return meant, known[meant], f'; did you mean "{meant}"?'
    return "", {}, f"; the known fields are {', '.join(known)}" if len(known) <= _FEW else ""


def _rewritten(value: Any, schema: Schema) -> Iterator[tuple[str, Any]]:
    """Advice and what comes of following it, what is most likely meant first."""
    kind = schema.get("type")
    if kind in (None, "string") and isinstance(value, bool | int | float):
        yield "quote it", _text(value)
    elif kind in ("integer", "boolean") and isinstance(value, str):
        yield from _bare(value, kind)
    elif kind == "array":
        yield from _listed(value, schema.get("items", {}))
    elif kind == "object" and isinstance(value, str) and schema.get("required") == ["name"]:
        name, equals, rest = value.partition("=")
        if equals and "value" in schema["properties"]:  # a variable as a shell writes it
            yield f"write it as name: {name} and value: {rest}", {"name": name, "value": rest}
        yield f"write it as name: {value}", {"name": value}


def _bare(value: str, kind: str) -> Iterator[tuple[str, Any]]:
    if kind == "boolean" and value in ("true", "false"):
        yield "remove the quotes", value == "true"
    elif kind == "integer" and value.lstrip("-").isdecimal():
        yield "remove the quotes", int(value)


def _listed(value: Any, items: Schema) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, str) and len(value.split()) > 1 and items.get("type") == "string":
        yield "write a list with one entry for each word", value.split()
    if isinstance(value, dict) and value and "name" in items.get("required", ()) and "name" not in value:
        first = next(iter(value))
        entries = [{"name": name, **_fields(inner)} for name, inner in value.items()]
        yield f"write a list of entries with a name: - name: {first}", entries
        yield f"write a list of entries with a name, and quote the values: - name: {first}", [*map(_quoted, entries)]
    if value == {}:
        yield "write an empty list: []", []
    yield "put it in a list", [value]
    if isinstance(value, str) and items.get("required") == ["name"]:
        yield f"write a list of entries with a name: - name: {value}", [{"name": value}]
    if isinstance(value, bool | int | float):
        yield "put it in a list and quote it", [_text(value)]


def _fields(inner: Any) -> dict[str, Any]:
    """What an object has under a name, as fields of a list's entry of that name."""
    return inner if isinstance(inner, dict) else {} if inner is None else {"value": inner}


def _quoted(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: _text(inner) if isinstance(inner, bool | int | float) else inner for key, inner in entry.items()}


def _text(value: bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
