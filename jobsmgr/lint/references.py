"""ConfigMaps and Secrets of the files that are linted, and what a workflow wants of them. No cluster is asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from jobsmgr.api.errors import Problem
from jobsmgr.api.workflow import Workflow
from jobsmgr.files.documents import Document
from jobsmgr.lint.codes import NO_SUCH_KEY

MAX_HINTS = 20
"""Missing keys of one workflow that are compared with those there are, to suggest one."""

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
class Wanted:
    """A key of a ConfigMap or Secret that a field names."""

    path: str
    kind: str
    name: str
    key: str


class Sources:
    """The keys of each ConfigMap and Secret, as seen from a namespace."""

    def __init__(self, documents: Iterable[Document], namespace: str = "") -> None:
        """A document without namespace fits any workflow; a workflow without one takes any document."""
        self._keys: dict[tuple[str, str], frozenset[str] | None] = {}
        for document in documents:
            if document.kind in _PARTS and (not namespace or _namespace(document.value) in ("", namespace)):
                at = (document.kind, document.name)
                known, found = self._keys.get(at, frozenset()), _own_keys(document)
                self._keys[at] = None if known is None or found is None else known | found

    def keys(self, kind: str, name: str) -> frozenset[str] | None:
        """The keys of one of them; None if the files do not have it, or it cannot be read."""
        return self._keys.get((kind, name))


def _namespace(value: Mapping[str, Any]) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("namespace") or "") if isinstance(metadata, Mapping) else ""


def _own_keys(document: Document) -> frozenset[str] | None:
    parts = [document.value.get(part) or {} for part in _PARTS[document.kind]]
    if not all(isinstance(part, Mapping) for part in parts):
        return None
    return frozenset(key for part in parts for key in part)


def source_of(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of what an entry of `fromEnv` (or an inner reference) names."""
    for field, kind in _REFERENCES.items():
        if isinstance(found := entry.get(field), Mapping):
            name = found.get("secretName") or found.get("name")
            return (kind, name) if isinstance(name, str) else None
    return None


def missing_keys(workflow: Workflow, sources: Sources) -> Iterator[Problem]:
    """References to keys that a ConfigMap or Secret of the same files does not have; optional ones may be missing."""
    hints = MAX_HINTS
    for layer in workflow.levels():
        for wanted in _wanted(f"{layer.path}.params", layer.params):
            keys = sources.keys(wanted.kind, wanted.name)
            if keys is not None and wanted.key not in keys:
                hints -= 1
                near = difflib.get_close_matches(wanted.key, keys, n=1) if hints >= 0 else []
                hint = f'did you mean "{near[0]}"?' if near else "add it there"
                text = f'{wanted.kind} "{wanted.name}" of these files has no key "{wanted.key}"; {hint}'
                yield Problem(wanted.path, text, NO_SUCH_KEY)


def _wanted(path: str, params: Any) -> Iterator[Wanted]:
    for index, entry in enumerate(params.from_env):
        yield from _single(f"{path}.fromEnv[{index}].key", entry, entry.get("key"))
    for index, entry in enumerate(params.env):
        value_from = entry.get("valueFrom")
        if isinstance(value_from, Mapping):
            for field in ("configMapKeyRef", "secretKeyRef"):
                inner = value_from.get(field)
                if isinstance(inner, Mapping):
                    at = f"{path}.env[{index}].valueFrom.{field}.key"
                    yield from _single(at, value_from, inner.get("key"))
    for index, volume in enumerate(params.volumes):
        yield from _items(f"{path}.volumes[{index}]", volume)
        projected = volume.get("projected")
        parts = projected.get("sources") if isinstance(projected, Mapping) else None
        for place, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, Mapping):
                yield from _items(f"{path}.volumes[{index}].projected.sources[{place}]", part)


def _single(path: str, entry: Mapping[str, Any], key: Any) -> Iterator[Wanted]:
    source = source_of(entry)
    if isinstance(key, str) and source is not None and not _optional(entry):
        yield Wanted(path, *source, key)


def _optional(entry: Mapping[str, Any]) -> bool:
    return any(isinstance(entry.get(field), Mapping) and entry[field].get("optional") is True for field in _REFERENCES)


def _items(path: str, volume: Mapping[str, Any]) -> Iterator[Wanted]:
    for field in ("configMap", "secret"):
        source = volume.get(field)
        items = source.get("items") if isinstance(source, Mapping) else None
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, Mapping):
                yield from _single(f"{path}.{field}.items[{index}].key", volume, item.get("key"))
