"""ConfigMaps, Secrets and claims of a workflow's files, by name. What they hold is read in files/, not here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.metadata import named
from jobsmgr.files.objects import CLAIM, CONFIG_MAP, SECRET, Data, data_of, is_object, problems_of
from jobsmgr.local.errors import CannotRun

__all__ = ["CLAIM", "CONFIG_MAP", "DEFAULT_NAMESPACE", "SECRET", "Data", "Objects"]

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
            kind, metadata = str(document["kind"]), document.get("metadata") or {}
            for problem in problems_of(document):
                name = metadata.get("name") if isinstance(metadata, dict) else None
                raise CannotRun(attrs.evolve(problem, path=f'{kind} "{name or ""}" {problem.path}'))
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

    def nearest(self, kind: str, namespace: str, name: str) -> str:
        """The name of the object of that kind that was probably meant; empty if none is similar."""
        there = (kind, namespace or DEFAULT_NAMESPACE)
        return nearest(name, (known for *place, known in self._known if tuple(place) == there))


def nearest(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant by one that does not exist; empty if none is similar."""
    return next(iter(difflib.get_close_matches(name, [*known], n=1)), "")
