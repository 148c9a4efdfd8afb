"""Objects of a cluster as JSON, YAML or what a kubectl template makes of them. Nothing is fetched or printed here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*(?:\\\.[\w/-]*)*)      # .name, with dots of its own escaped
      | \['(?P<quoted>(?:[^'\\]|\\.)*)'\]
      | \[(?P<index>-?\d+)\]
      | (?P<all>\[\*\])
      | \[\?\(@\.(?P<field>[\w.]+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
    re.VERBOSE,
)
_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)")
_RANGE = "range "
_Path: TypeAlias = list[re.Match[str]]
"""Its steps."""


@attrs.frozen
class _Range:
    """What is repeated for each value that a path leads to."""

    steps: _Path
    inside: tuple[_Part, ...]


_Part: TypeAlias = str | _Path | _Range
"""Of a template: literal text, a path whose values are shown, or what is repeated."""


def without_bookkeeping(raw: Manifest) -> Manifest:
    """An object without `managedFields`, which kubectl does not show either."""
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return raw
    return {**raw, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


class BadTemplate(JobsmgrError):
    """A template or a path that cannot be read."""


def as_list(objects: Sequence[Manifest]) -> Manifest:
    """Objects as kubectl prints several: a List."""
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def as_json(whole: Manifest) -> str:
    """Indented JSON."""
    return json.dumps(whole, indent=4, ensure_ascii=False) + "\n"


def as_yaml(whole: Manifest) -> str:
    """YAML that kubectl reads back as the same object."""
    from jobsmgr.views.manifests import manifest_yaml

    return manifest_yaml([whole]).removeprefix("---\n")


def sorted_by(objects: Sequence[Manifest], path: str) -> list[Manifest]:
    """Objects in the order of a field; numbers by value, all else as text, and those without it first."""
    steps = _steps(path)

    def rank(raw: Manifest) -> tuple[int, float, str]:
        found = next(iter(_found([raw], steps)), None)
        if found is None:
            return 0, 0, ""
        return (1, found, "") if isinstance(found, int | float) else (2, 0, str(found))

    return sorted(objects, key=rank)


def by_template(whole: Manifest, template: str) -> str:
    """What kubectl's template language makes of an object: `{.items[*].metadata.name}`, `{range}`, literal text."""
    return "".join(_filled(whole, _parsed(template)))


def check_template(template: str) -> None:
    """Raise `BadTemplate` for one that cannot be read."""
    _parsed(template)


def check_path(path: str) -> None:
    """Raise `BadTemplate` for a path that cannot be read."""
    _steps(path)


def _pieces(template: str) -> Iterator[tuple[bool, str]]:
    """Parts in braces, which are to be worked out, and literal text; a template without braces is one path."""
    if "{" not in template:
        template = f"{{{template}}}"
    if "".join(match[0] for match in _PIECE.finditer(template)) != template:
        raise BadTemplate(f'the template "{template}" has unbalanced braces')
    for match in _PIECE.finditer(template):
        yield match[1] is not None, match[2] if match[1] is None else match[1].strip()


def _parsed(template: str) -> tuple[_Part, ...]:
    return tuple(_parts(list(_pieces(template))))


def _parts(pieces: list[tuple[bool, str]]) -> Iterator[_Part]:
    index = 0
    while index < len(pieces):
        is_code, text = pieces[index]
        index += 1
        if not is_code:
            yield text
        elif text.startswith(_RANGE):
            end = _end_of(pieces, index)
            yield _Range(_steps(text.removeprefix(_RANGE).strip()), tuple(_parts(pieces[index:end])))
            index = end + 1
        elif text[:1] in ("'", '"'):
            yield _literal(text)
        else:
            yield _steps(text)


def _filled(whole: Any, parts: Sequence[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, _Range):
            for each in _found([whole], part.steps):
                yield from _filled(each, part.inside)
        else:
            yield " ".join(_shown(value) for value in _found([whole], part))


def _end_of(pieces: list[tuple[bool, str]], index: int) -> int:
    depth = 0
    for position in range(index, len(pieces)):
        is_code, text = pieces[position]
        if is_code and text == "end":
            if not depth:
                return position
            depth -= 1
        depth += is_code and text.startswith(_RANGE)
    raise BadTemplate("the template has {range} without {end}")


def _literal(text: str) -> str:
    if len(text) < 2 or text[-1] != text[0]:
        raise BadTemplate(f"the template has a string without a closing quote: {text}")
    return text[1:-1].replace(r"\n", "\n").replace(r"\t", "\t")


def _steps(path: str) -> _Path:
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$").removeprefix("@")
    text = text if text.startswith((".", "[")) or not text else f".{text}"
    matches = list(_STEP.finditer(text))
    if "".join(match[0] for match in matches) != ("" if text == "." else text):
        raise BadTemplate(f'the path "{path}" cannot be read; write it like .status.phase or .items[*].metadata.name')
    return matches


def _found(values: Sequence[Any], steps: Sequence[re.Match[str]]) -> list[Any]:
    """What a path leads to, from each of some values; nothing where a step finds nothing."""
    found = list(values)
    for step in steps:
        found = [inner for value in found for inner in _inner(value, step)]
    return found


def _inner(value: Any, step: re.Match[str]) -> Iterator[Any]:
    if step["all"]:
        yield from value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    elif step["index"] is not None:
        if isinstance(value, list) and -len(value) <= int(step["index"]) < len(value):
            yield value[int(step["index"])]
    elif step["field"] is not None:
        for item in value if isinstance(value, list) else ():
            if _found([item], _steps(f".{step['field']}")) == [step["value"]]:
                yield item
    else:
        name = step["quoted"] if step["name"] is None else step["name"]
        key = re.sub(r"\\(.)", r"\1", name)
        if isinstance(value, dict) and key in value:
            yield value[key]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
