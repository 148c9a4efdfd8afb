"""Edits that somebody may make by mistake: each field of the API, worked out from its schema, set to what it can say.

No I/O here.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from jobsmgr.api.crd import schema
from tests.e2e.shapes import Spec

KINDS = ("valid", "boundary", "null", "huge", "removed")
CANDIDATES = ("b", "x1", "100m", "1Gi", "/x", "A_B", "busybox:2", "Always", "1.5", "")
"""Texts of which most patterns take one."""
DEEPEST = 3
"""How far the fields of parameters are followed: below are Kubernetes' own, which are opaque to jobsmgr."""
LONGEST = 200_000
"""Characters of a huge text: an edit that carries more is refused before anybody looks at it."""

Step = str | int
_MISSING = object()

PARAMS: Spec = {
    "env": [{"name": "A", "value": "1"}],
    "fromEnv": [{"configMapRef": {"name": "settings", "optional": True}}],
    "labels": {"team": "a"},
    "annotations": {"note": "n"},
    "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}},
    "serviceAccount": "default",
    "restartPolicy": "Never",
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "registry"}],
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
}
"""As far as the schema has these fields."""


@attrs.frozen
class Field:
    """A field of the API, and what its schema says of it."""

    path: tuple[Step, ...]
    """Below `spec`."""
    schema: Mapping[str, Any]

    def __str__(self) -> str:
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")


def base() -> Spec:
    """A workflow in which most fields say something; it is suspended, so that nothing starts while it is edited."""
    known = schema()["properties"]["params"]
    rich = {name: copy.deepcopy(value) for name, value in PARAMS.items() if name in known["properties"]}
    first = {"name": "a", "image": "busybox", "args": ["a"], "retries": 1, "parallel": True, "params": rich}
    second = {"name": "b", "image": "busybox", "dependencies": [{"name": "a"}]}
    return {
        "suspend": True,
        "retries": 0,
        "params": copy.deepcopy(rich),
        "groups": [
            {"name": "g", "jobs": [first, second], "params": copy.deepcopy(rich)},
            {"name": "h", "jobs": [{"name": "c", "image": "busybox"}], "dependencies": [{"name": "g"}]},
        ],
    }


def fields() -> list[Field]:
    """Every field of workflow, group and job, and of the parameters at each of the three levels."""
    return [*_walk(schema(), (), base())]


def _walk(part: Mapping[str, Any], path: tuple[Step, ...], spec: Spec) -> Iterator[Field]:
    for name, inner in part.get("properties", {}).items():
        here = (*path, name)
        yield Field(here, inner)
        if len(here) - _levels(here) >= DEEPEST or _get(spec, here) is _MISSING:
            continue
        if isinstance(inner.get("items"), Mapping) and _get(spec, (*here, 0)) is not _MISSING:
            yield from _walk(inner["items"], (*here, 0), spec)
        else:
            yield from _walk(inner, here, spec)


def _levels(path: Sequence[Step]) -> int:
    """How many steps of a path lead from the workflow to one of its groups and jobs, or to their parameters."""
    return sum(step in ("groups", "jobs", "params") or isinstance(step, int) for step in path)


def edited(spec: Spec, field: Field, kind: str) -> Spec | None:
    """The spec with a field as somebody might set it by mistake; None where that is no change."""
    before = _get(spec, field.path)
    value = _value(field.schema, kind, before)
    if value is _MISSING and before is _MISSING:
        return None
    found = copy.deepcopy(spec)
    parent = _get(found, field.path[:-1])
    if value is _MISSING:
        del parent[field.path[-1]]
    else:
        parent[field.path[-1]] = value
    return None if found == spec else found


def _value(part: Mapping[str, Any], kind: str, before: Any) -> Any:
    match kind:
        case "removed":
            return _MISSING
        case "null":
            return None
        case "valid":
            return _another(part, before)
        case "boundary":
            return _boundary(part)
        case _:
            return _huge(part)


def _another(part: Mapping[str, Any], before: Any) -> Any:
    """Something else that its schema takes, as far as that is easily found."""
    match part.get("type"):
        case "boolean":
            return before is not True
        case "integer":
            return int(part.get("minimum", 0)) + (2 if before == 1 else 1)
        case "array":
            return []
        case "object":
            return {}
    choices = [one for one in part.get("enum", ()) if one != before] or [
        one for one in CANDIDATES if one != before and _fits(part, one)
    ]
    return choices[0] if choices else "b"


def _fits(part: Mapping[str, Any], text: str) -> bool:
    longest, least = part.get("maxLength", LONGEST), part.get("minLength", 0)
    return least <= len(text) <= longest and re.search(part.get("pattern", ""), text) is not None


def _boundary(part: Mapping[str, Any]) -> Any:
    """The most or least that its schema takes."""
    match part.get("type"):
        case "boolean":
            return False
        case "integer":
            return int(part.get("maximum", 2**31 - 1))
        case "array":
            return []
        case "object":
            return {}
    return "a" * min(int(part.get("maxLength", 253)), LONGEST)


def _huge(part: Mapping[str, Any]) -> Any:
    match part.get("type"):
        case "boolean":
            return 2**63
        case "integer":
            return 2**63
        case "array":
            return [{"name": f"n{number}"} for number in range(2000)]
        case "object":
            return {f"k{number}": "v" * 50 for number in range(2000)}
    return "x" * LONGEST


def _get(spec: Any, path: Sequence[Step]) -> Any:
    for step in path:
        try:
            spec = spec[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return spec
