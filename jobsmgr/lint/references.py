"""References to keys of ConfigMaps and Secrets, looked up in the files that are linted. No cluster is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest, mapping, sequence
from jobsmgr.api.suggestions import did_you_mean
from jobsmgr.api.workflow import Workflow
from jobsmgr.files.documents import Document
from jobsmgr.files.objects import Data, data_of, is_object, problems_of

MAX_HINTS = 20
"""Missing keys of one workflow that are compared with existing ones, to suggest one."""

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
    in_a_volume: bool = False


class ConfigKeys:
    """What each ConfigMap and Secret holds, visible from a namespace; of two of one name the last one counts."""

    def __init__(self, documents: Iterable[Document], namespace: str = "") -> None:
        """A document without namespace fits any workflow; a workflow without one takes any document."""
        self._objects: dict[tuple[str, str], Manifest] = {
            (document.kind, document.name): document.value
            for document in documents
            if is_object(document.value) and (not namespace or _namespace(document.value) in ("", namespace))
        }
        self._known: dict[tuple[str, str], Data | None] = {}

    def variables(self, kind: str, name: str) -> Collection[str] | None:
        """The keys that variables can take; None if the files do not have the object, or it cannot be read."""
        known = self._data(kind, name)
        return None if known is None else known.text

    def files(self, kind: str, name: str) -> Collection[str] | None:
        """The keys that a volume shows: a ConfigMap's binaryData too; None as above."""
        known = self._data(kind, name)
        return None if known is None else known.files

    def _data(self, kind: str, name: str) -> Data | None:
        """Worked out when it is first asked for: most objects of a large folder are not referenced."""
        identity = kind, name
        if identity not in self._known:
            value = self._objects.get(identity)
            self._known[identity] = None if value is None or problems_of(value) else data_of(value)
        return self._known[identity]


def _namespace(value: Manifest) -> str:
    return str(mapping(value.get("metadata")).get("namespace") or "")


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
            find = known.files if reference.in_a_volume else known.variables
            keys = find(reference.kind, reference.name)
            if keys is None or reference.key in keys:
                continue
            hints -= 1
            hint = did_you_mean(reference.key, keys if hints >= 0 else (), "add it there")
            text = f'{reference.kind} "{reference.name}" in these files has no key "{reference.key}"'
            if reference.key in (known.files(reference.kind, reference.name) or ()):
                text, hint = f"{text} for variables", "it is in binaryData: move it to data, or mount it"
            yield Problem(reference.path, f"{text}; {hint}", Code.NO_SUCH_KEY)


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
                for reference in _single(f"{path}.{field}.items[{index}].key", volume, item.get("key")):
                    yield attrs.evolve(reference, in_a_volume=True)
