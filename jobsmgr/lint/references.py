"""References to keys of ConfigMaps and Secrets, looked up in the files that are linted. No cluster is asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import mapping, sequence
from jobsmgr.api.workflow import Workflow
from jobsmgr.files.documents import Document

MAX_HINTS = 20
"""Missing keys of one workflow that are compared with existing ones, to suggest one."""

_PARTS = {"ConfigMap": ("data", "binaryData"), "Secret": ("data", "stringData")}
_REFERENCES = {
    "configMapRef": "ConfigMap",
    "secretRef": "Secret",
    "configMapKeyRef": "ConfigMap",
    "secretKeyRef": "Secret",
    "configMap": "ConfigMap",
    "secret": "Secret",
}


@attrs.frozen
class Reference:
    """A key of a ConfigMap or Secret that a field names."""

    path: str
    kind: str
    name: str
    key: str


class ConfigKeys:
    """The keys of each ConfigMap and Secret, visible from a namespace."""

    def __init__(self, documents: Iterable[Document], namespace: str = "") -> None:
        """A document without namespace fits any workflow; a workflow without one takes any document."""
        self._keys: dict[tuple[str, str], frozenset[str] | None] = {}
        for document in documents:
            if document.kind in _PARTS and (not namespace or _namespace(document.value) in ("", namespace)):
                identity = (document.kind, document.name)
                known, found = self._keys.get(identity, frozenset()), _own_keys(document)
                self._keys[identity] = None if known is None or found is None else known | found

    def keys(self, kind: str, name: str) -> frozenset[str] | None:
        """The keys of one of them; None if the files do not have it, or it cannot be read."""
        return self._keys.get((kind, name))


def _namespace(value: Mapping[str, Any]) -> str:
    return str(mapping(value.get("metadata")).get("namespace") or "")


def _own_keys(document: Document) -> frozenset[str] | None:
    parts = [document.value.get(part) or {} for part in _PARTS[document.kind]]
    if not all(isinstance(part, Mapping) for part in parts):
        return None
    return frozenset(key for part in parts for key in part)


def referenced_object(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of what an entry of `fromEnv` (or an inner reference) names."""
    for field, kind in _REFERENCES.items():
        if isinstance(found := entry.get(field), Mapping):
            name = found.get("secretName") or found.get("name")
            return (kind, name) if isinstance(name, str) else None
    return None


def missing_keys(workflow: Workflow, known: ConfigKeys) -> Iterator[Problem]:
    """References to keys that a ConfigMap or Secret of the same files does not have; optional ones may be missing."""
    hints = MAX_HINTS
    for layer in workflow.levels():
        for reference in _references(f"{layer.path}.params", layer.params):
            keys = known.keys(reference.kind, reference.name)
            if keys is not None and reference.key not in keys:
                hints -= 1
                near = difflib.get_close_matches(reference.key, keys, n=1) if hints >= 0 else []
                hint = f'did you mean "{near[0]}"?' if near else "add it there"
                text = f'{reference.kind} "{reference.name}" of these files has no key "{reference.key}"; {hint}'
                yield Problem(reference.path, text, Code.NO_SUCH_KEY)


def _references(path: str, params: Any) -> Iterator[Reference]:
    for index, entry in enumerate(params.from_env):
        yield from _single(f"{path}.fromEnv[{index}].key", entry, entry.get("key"))
    for index, entry in enumerate(params.env):
        value_from = mapping(entry.get("valueFrom"))
        for field in ("configMapKeyRef", "secretKeyRef"):
            inner = value_from.get(field)
            if isinstance(inner, Mapping):
                yield from _single(f"{path}.env[{index}].valueFrom.{field}.key", value_from, inner.get("key"))
    for index, volume in enumerate(params.volumes):
        yield from _items(f"{path}.volumes[{index}]", volume)
        for part_index, part in enumerate(sequence(mapping(volume.get("projected")).get("sources"))):
            yield from _items(f"{path}.volumes[{index}].projected.sources[{part_index}]", mapping(part))


def _single(path: str, entry: Mapping[str, Any], key: Any) -> Iterator[Reference]:
    source = referenced_object(entry)
    if isinstance(key, str) and source is not None and not _optional(entry):
        yield Reference(path, *source, key)


def _optional(entry: Mapping[str, Any]) -> bool:
    return any(isinstance(entry.get(field), Mapping) and entry[field].get("optional") is True for field in _REFERENCES)


def _items(path: str, volume: Mapping[str, Any]) -> Iterator[Reference]:
    for field in ("configMap", "secret"):
        for index, item in enumerate(sequence(mapping(volume.get(field)).get("items"))):
            if isinstance(item, Mapping):
                yield from _single(f"{path}.{field}.items[{index}].key", volume, item.get("key"))
