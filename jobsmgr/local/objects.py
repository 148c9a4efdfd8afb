"""ConfigMaps, Secrets and claims of a workflow's files, by name. What they hold is read in files/, not here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.metadata import named
from jobsmgr.files.objects import SECRET, Data, data_of, is_object, problems_of
from jobsmgr.local.errors import CannotRun

DEFAULT_NAMESPACE = "default"


class Objects:
    """ConfigMaps, Secrets and PersistentVolumeClaims by kind, namespace and name; a claim holds no data yet."""

    def __init__(self, documents: Iterable[Manifest] = (), namespace: str = DEFAULT_NAMESPACE) -> None:
        """Take up those documents that are one of these; a later one of the same name replaces it.

        `namespace` is that of documents which name none.

        Raises `CannotRun` for one that an API server would not store.
        """
        self._known: dict[tuple[str, str, str], Data] = {}
        for document in filter(is_object, documents):
            kind = str(document["kind"])
            if problems := problems_of(document):
                name = mapping(document.get("metadata")).get("name") or ""
                raise CannotRun(attrs.evolve(problems[0], path=f'{kind} "{name}" {problems[0].path}'))
            metadata = named(document)["metadata"]
            self._known[kind, metadata.get("namespace") or namespace, metadata["name"]] = data_of(document)

    def find(self, kind: str, namespace: str, name: str) -> Data | None:
        """The data of an object; None if no file has it."""
        return self._known.get((kind, namespace or DEFAULT_NAMESPACE, name))

    def secret_values(self) -> Iterator[bytes]:
        """The values of all Secrets."""
        for (kind, _, _), data in self._known.items():
            if kind == SECRET:
                yield from data.files.values()

    def names(self, kind: str, namespace: str) -> Iterator[str]:
        """The names of the objects of one kind in a namespace."""
        there = (kind, namespace or DEFAULT_NAMESPACE)
        return (known for *place, known in self._known if tuple(place) == there)
