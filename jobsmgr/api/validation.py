"""A value checked against a schema as the API server does it: one sentence for one fault, wherever it is found.

The operator, lint and local runs ask here, with a schema of `jobsmgr.api.crd`. What a value means is not asked. A
walker of our own takes the place of a JSON Schema library: it knows the structural schemas' own keywords (unknown
fields, list-maps, int-or-string), says what to do, and takes a fifth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from jobsmgr.api.advice import Schema, remedy, suggestion
from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.fields import alias_message
from jobsmgr.api.params import ALIASES
from jobsmgr.api.syntax import (
    AMOUNT,
    DATA_KEY,
    IMAGE,
    LABEL,
    LABEL_VALUE,
    MOUNT_PATH,
    OPTIONAL_SUBDOMAIN,
    VARIABLE,
    compiled,
)

MAX_HINTS = 50
"""Unknown fields of one document that are compared with known ones, to suggest one."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_WORDS = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
_BOUNDS = frozenset({"enum", "pattern", "not", "minimum", "maximum"}).union(
    f"{least_or_most}{what}" for least_or_most in ("min", "max") for what in ("Length", "Items", "Properties")
)
_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*")


def schema_problems(value: Any, schema: Schema, path: str) -> list[Problem]:
    """Everything that breaks a schema, each with its path below `path`."""
    walk = _Walk()
    walk.check(value, schema, path)
    return walk.problems


def field_path(parent: str, key: str) -> str:
    """The path of a field; a key that is not a plain word is put in brackets."""
    return f"{parent}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{parent}[{key}]"


@attrs.frozen
class WrongType(Problem):
    """A value of the wrong type: other problems of the same field do not count."""


class _Walk:
    """Problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._hints = self.hints

    hints = MAX_HINTS

    def advice(self, value: Any, schema: Schema) -> str:
        """What to do about a value of the wrong type."""
        return remedy(value, schema, _fits)

    def _add(self, path: str, message: str, code: str = Code.WRONG_VALUE) -> None:
        self.problems.append(Problem(path, message, code))

    def check(self, value: Any, schema: Schema, path: str) -> None:
        if message := _type_error(value, schema):
            message += self.advice(value, schema)
            self.problems.append(WrongType(path, message))
            return
        if not _BOUNDS.isdisjoint(schema):
            for message in _breaches(value, schema):
                self._add(path, message)
        if isinstance(value, dict):
            self._fields(value, schema, path)
        elif isinstance(value, list):
            self._items(value, schema, path)

    def _items(self, value: list[Any], schema: Schema, path: str) -> None:
        if (items := schema.get("items")) is None:
            return
        for index, item in enumerate(value):
            self.check(item, items, f"{path}[{index}]")
        for key in schema.get("x-kubernetes-list-map-keys", ()):
            self._duplicates(value, key, path)

    def _duplicates(self, items: list[Any], key: str, path: str) -> None:
        seen: set[str] = set()
        for index, item in enumerate(items):
            name = item.get(key) if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                self._add(f"{path}[{index}].{key}", f'duplicate name "{name}"; rename one of them', Code.DUPLICATE_NAME)
            seen.add(name)

    def _fields(self, value: dict[str, Any], schema: Schema, path: str) -> None:
        known = schema.get("properties", {})
        others = schema.get("additionalProperties")
        tolerant = "x-kubernetes-preserve-unknown-fields" in schema or schema.get("type") != "object"
        meant = set()
        for key, inner in value.items():
            if key in known:
                if inner is not None:  # null is absence
                    self.check(inner, known[key], f"{path}.{key}")
            elif others is not None:
                if inner is not None:
                    self.check(inner, others, f"{path}[{key}]")
            elif not tolerant:
                meant.add(self._unknown(key, value, known, path))
        for key, alias in ALIASES.items():
            if value.get(alias) is not None and value.get(key) is not None and alias in known:
                self._add(f"{path}.{alias}", alias_message(key))
        for key in schema.get("required", ()):
            if value.get(key) is None and key not in meant:  # one mistake is one finding
                self._add(f"{path}.{key}", "required, but missing", Code.MISSING)

    def _unknown(self, key: str, value: dict[str, Any], known: Schema, path: str) -> str:
        """Report a field that does not exist, and what is wrong with its value as that of the field that seems meant.

        That field is the answer, if it is one of the same object.
        """
        self._hints -= 1
        meant, schema, hint = suggestion(key, known, value) if self._hints >= 0 else ("", {}, "")
        self._add(field_path(path, key), f"no such field{hint}", Code.UNKNOWN_FIELD)
        if value[key] is not None:
            self.check(value[key], schema, field_path(path, key))
        return meant


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _type_error(value: Any, schema: Schema) -> str:
    """What is wrong with a value's type; empty if nothing is."""
    kind = schema.get("type")
    if kind is not None and type(value) is _TYPES[kind][0]:
        return ""
    if kind is None:
        if "x-kubernetes-int-or-string" in schema:
            fits = _is(value, "integer") or isinstance(value, str)
            return "" if fits else f"expected a string or a whole number, found {quoted(value)}"
        return f"expected a string or an object, found {quoted(value)}" if _shut_out(value, schema) else ""
    if _is(value, kind):
        return ""
    return f"expected {_WORDS[kind]}, found {quoted(value)}"


def _shut_out(value: Any, schema: Schema) -> bool:
    """Whether a schema without type has a bound for the value's type that nothing can meet."""
    if isinstance(value, bool):
        return value in schema.get("not", {}).get("enum", ())
    if isinstance(value, int | float):
        return bool(schema.get("minimum", 0) > schema.get("maximum", 0))
    return isinstance(value, list) and bool(schema.get("minItems", 0) > schema.get("maxItems", 0))


class _Trial(_Walk):
    """A look at what advice would lead to: nothing is advised about it in turn, which would cost ever more looks."""

    hints = 0

    def advice(self, value: Any, schema: Schema) -> str:
        return ""


def _fits(value: Any, schema: Schema) -> bool:
    trial = _Trial()
    trial.check(value, schema, "")
    return not trial.problems


def _breaches(value: Any, schema: Schema) -> Iterator[str]:
    """Sentences for each bound of a schema that a value of the right type breaks."""
    if (allowed := schema.get("enum")) is not None and value not in allowed:
        words = [each for each in allowed if isinstance(each, str) and each]
        yield f"must be one of {', '.join(words)}, found {quoted(value)}"
    if isinstance(value, str):
        yield from _text_breaches(value, schema)
    elif isinstance(value, list):
        yield from _size_breaches(len(value), schema, "Items", "entries")
    elif isinstance(value, dict):
        yield from _object_breaches(value, schema)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            yield f"must be at least {schema['minimum']}, found {value}"
        if "maximum" in schema and value > schema["maximum"]:
            yield f"must be at most {schema['maximum']}, found {value}{_octal(value, schema['maximum'])}"


def _octal(value: int | float, maximum: int) -> str:
    """File modes are octal to people: 644 without a zero before it is another number."""
    digits = str(value)
    return f"; write it as 0{digits}" if maximum == 0o777 and re.fullmatch("[0-7]{3}", digits) else ""


def _text_breaches(value: str, schema: Schema) -> Iterator[str]:
    yield from _size_breaches(len(value), schema, "Length", "characters")
    pattern = schema.get("pattern")
    empty = not value and schema.get("minLength")  # reported already
    if pattern is not None and not empty and not compiled(pattern).search(value):
        yield f"{quoted(value)} is not valid: {PATTERNS.get(pattern) or f'it must match {pattern}'}"


def _size_breaches(size: int, schema: Schema, what: str, words: str) -> Iterator[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if least is not None and size < least:
        yield "must not be empty" if least == 1 else f"must have at least {least:,} {words}, has {size:,}"
    if most is not None and size > most:
        yield f"must have at most {most:,} {words}, has {size:,}"


def _object_breaches(value: dict[str, Any], schema: Schema) -> Iterator[str]:
    names = [key for key, inner in value.items() if inner is not None]
    known = schema.get("properties", {})
    for message in _size_breaches(len(names), schema, "Properties", "fields"):
        listed = f"set one of {', '.join(known)}" if not names else f"it has {', '.join(sorted(names))}"
        yield f"{message}; {listed}"
    negated = schema.get("not")
    if negated is not None and "required" in negated and not schema_problems(value, negated, ""):
        yield f"has both {' and '.join(negated['required'])}; keep one of them"


_RULES = (LABEL, OPTIONAL_SUBDOMAIN, LABEL_VALUE, DATA_KEY, IMAGE, MOUNT_PATH, AMOUNT, VARIABLE)
PATTERNS = {rule.pattern: rule.words for rule in _RULES}
"""The patterns of the schema in words."""
