"""A container's variables, command and arguments as the kubelet works them out. Pure: no I/O, no host environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.api.suggestions import did_you_mean
from jobsmgr.api.syntax import VARIABLE
from jobsmgr.files.objects import CONFIG_MAP, SECRET, Data
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.objects import Objects

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_MAP_FIELD = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")
_SOURCES = {"configMapRef": CONFIG_MAP, "secretRef": SECRET}
_KEYS = {"configMapKeyRef": CONFIG_MAP, "secretKeyRef": SECRET}


@attrs.frozen(kw_only=True)
class PodIdentity:
    """What a pod can ask about itself through `fieldRef`."""

    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def field(self, path: str) -> str | None:
        """A field of metadata; an absent label or annotation is empty, an unsupported path None."""
        if (match := _MAP_FIELD.fullmatch(path)) is not None:
            values = self.labels if match[1] == "labels" else self.annotations
            return str(values.get(match[2], ""))
        return {"metadata.name": self.name, "metadata.namespace": self.namespace, "metadata.uid": self.uid}.get(path)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)`; `$$` is a dollar sign, what cannot be resolved stays (Kubernetes' `expansion.Expand`)."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] is None else variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def references(text: str) -> Iterator[str]:
    """The names that a text refers to."""
    return (match[1] for match in _REFERENCE.finditer(text) if match[1] is not None)


def expand_all(texts: Sequence[object], variables: Mapping[str, str]) -> list[str]:
    """The same for each word of a command."""
    return [expand(str(text), variables) for text in texts]


def environment(container: Manifest, pod: PodIdentity, objects: Objects) -> dict[str, str]:
    """The variables of a container, in order.

    Sources (`envFrom`) come first and a later one wins; then `env`, entry by entry, each able to refer to what is known
    by then; values from `valueFrom` are taken literally. Raises `CannotRun` for a reference that leads nowhere.
    """
    variables: dict[str, str] = {}
    for index, source in enumerate(container.get("envFrom") or ()):
        variables |= _from_source(f"envFrom[{index}]", source, pod, objects)
    for index, entry in enumerate(container.get("env") or ()):
        value = _value(f"env[{index}]", entry, pod, objects, variables)
        if value is not None:
            variables[str(entry["name"])] = value
    return variables


def _from_source(path: str, source: Manifest, pod: PodIdentity, objects: Objects) -> Iterator[tuple[str, str]]:
    prefix = str(source.get("prefix") or "")
    if prefix and not VARIABLE.fits(prefix):
        text = f"{prefix!r} cannot begin a variable's name; {VARIABLE.advice}"
        raise CannotRun(Problem(f"{path}.prefix", text))
    for field, kind in _SOURCES.items():
        if reference := source.get(field):
            data = find(f"{path}.{field}", kind, reference, pod.namespace, objects)
            yield from ((prefix + key, value) for key, value in (data.text if data is not None else {}).items())


def _value(path: str, entry: Manifest, pod: PodIdentity, objects: Objects, variables: Mapping[str, str]) -> str | None:
    """An entry's value; None where an optional reference leads nowhere."""
    if entry.get("value"):
        return expand(str(entry["value"]), variables)
    origin = entry.get("valueFrom")
    return _from(f"{path}.valueFrom", entry, origin, pod, objects) if origin else ""


def _from(path: str, entry: Manifest, origin: Any, pod: PodIdentity, objects: Objects) -> str | None:
    for field, kind in _KEYS.items():
        if reference := origin.get(field):
            return _key(f"{path}.{field}", kind, reference, pod.namespace, objects)
    if reference := origin.get("fieldRef"):
        value = pod.field(str(reference.get("fieldPath") or ""))
        if value is not None:
            return value
        text = f'"{reference.get("fieldPath")}" is known only on a cluster; here, metadata.name, .namespace, .uid,'
        raise CannotRun(
            Problem(f"{path}.fieldRef.fieldPath", f"{text} .labels['...'] and .annotations['...'] are known")
        )
    kinds = ", ".join(sorted(map(str, origin)))
    text = f'"{entry.get("name")}" takes its value from {kinds}, which is known only on a cluster; set a value'
    raise CannotRun(Problem(path, text))


def _key(path: str, kind: str, reference: Manifest, namespace: str, objects: Objects) -> str | None:
    data = find(path, kind, reference, namespace, objects)
    if data is None:
        return None
    key = str(reference.get("key") or "")
    if key not in data.text and not reference.get("optional"):
        hint = did_you_mean(key, data.text, "add it")
        raise CannotRun(Problem(f"{path}.key", f'{kind} "{reference.get("name")}" has no key "{key}"; {hint}'))
    return data.text.get(key)


def find(
    path: str, kind: str, reference: Manifest, namespace: str, objects: Objects, field: str = "name"
) -> Data | None:
    """The object that a reference names; None if it is missing and may be. Raises `CannotRun` if it may not."""
    name = str(reference.get(field) or "")
    data = objects.find(kind, namespace, name)
    if data is None and not reference.get("optional"):
        hint = did_you_mean(name, objects.names(kind, namespace), "add it to this file, or give its file with -f")
        raise CannotRun(Problem(f"{path}.{field}", f'{kind} "{name}" is not in any of the files; {hint}'))
    return data
