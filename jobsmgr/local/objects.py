"""ConfigMaps, Secrets and claims of a workflow's files, as Kubernetes stores them. No file is opened here."""

from __future__ import annotations

import base64
import binascii
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.syntax import DATA_KEY, LABEL, SUBDOMAIN, Rule
from jobsmgr.local.errors import CannotRun

CONFIG_MAP, SECRET, CLAIM = "ConfigMap", "Secret", "PersistentVolumeClaim"
DEFAULT_NAMESPACE = "default"


@attrs.frozen(kw_only=True)
class Data:
    """What one ConfigMap or Secret holds.

    `text` is what variables can take; `files` is what a volume shows: the same and, of a ConfigMap, its binaryData.
    """

    text: Mapping[str, str]
    files: Mapping[str, bytes]


class Objects:
    """ConfigMaps, Secrets and PersistentVolumeClaims by kind, namespace and name; a claim holds no data yet."""

    def __init__(self, documents: Iterable[Manifest] = (), namespace: str = DEFAULT_NAMESPACE) -> None:
        """Take up those documents that are one of these; a later one of the same name replaces it.

        `namespace` is that of documents which name none.

        Raises `CannotRun` for one whose data is not what Kubernetes would store.
        """
        self._known: dict[tuple[str, str, str], Data] = {}
        for document in documents:
            kind = str(document.get("kind"))
            if document.get("apiVersion") == "v1" and kind in _READERS:
                metadata = mapping(document.get("metadata"))
                name = _checked_name(f"{kind} metadata.name", SUBDOMAIN, str(metadata.get("name") or ""))
                there = str(metadata.get("namespace") or namespace)
                there = _checked_name(f"{kind} metadata.namespace", LABEL, there)
                self._known[kind, there, name] = _READERS[kind](name, document)

    def find(self, kind: str, namespace: str, name: str) -> Data | None:
        """The data of an object; None if no file has it."""
        return self._known.get((kind, namespace or DEFAULT_NAMESPACE, name))

    def nearest(self, kind: str, namespace: str, name: str) -> str:
        """The name of the object of that kind that was probably meant; empty if none is similar."""
        there = (kind, namespace or DEFAULT_NAMESPACE)
        return nearest(name, (known for *place, known in self._known if tuple(place) == there))


def nearest(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant by one that does not exist; empty if none is similar."""
    return next(iter(difflib.get_close_matches(name, [*known], n=1)), "")


def _checked_name(path: str, rule: Rule, name: str) -> str:
    """A name as Kubernetes takes it: of a claim it becomes a folder of this machine."""
    if not rule.fits(name):
        raise CannotRun(Problem(path, f"{name!r} is no name; {rule.advice}"))
    return name


def _config_map(name: str, document: Manifest) -> Data:
    text = dict(_texts(CONFIG_MAP, name, "data", document))
    files = {key: value.encode() for key, value in text.items()}
    return Data(text=text, files=files | dict(_decoded(CONFIG_MAP, name, "binaryData", document)))


def _secret(name: str, document: Manifest) -> Data:
    """A Secret: `stringData` replaces `data`, as the API server merges them."""
    files = dict(_decoded(SECRET, name, "data", document))
    files |= {key: value.encode() for key, value in _texts(SECRET, name, "stringData", document)}
    text = {key: value.decode(errors="surrogateescape") for key, value in files.items()}
    return Data(text=text, files=files)


def _texts(kind: str, name: str, part: str, document: Manifest) -> Iterator[tuple[str, str]]:
    """Keys and values of a part, as far as they are what an API server would store."""
    values, location = document.get(part), f'{kind} "{name}" {part}'
    if values is not None and not isinstance(values, Mapping):
        raise CannotRun(Problem(location, f"expected an object of keys and values, found {values!r}"))
    for key, value in mapping(values).items():
        if not DATA_KEY.fits(str(key)):
            raise CannotRun(Problem(location, f"{key!r} is no key; {DATA_KEY.advice}"))
        if not isinstance(value, str):
            raise CannotRun(Problem(f"{location}.{key}", f"expected a string, found {value!r}; quote it"))
        yield str(key), value


def _decoded(kind: str, name: str, part: str, document: Manifest) -> Iterator[tuple[str, bytes]]:
    for key, value in _texts(kind, name, part, document):
        try:
            yield key, base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            instead = "stringData" if kind == SECRET else "data"
            text = f"is no base64; encode it, or use {instead}"
            raise CannotRun(Problem(f'{kind} "{name}" {part}.{key}', text)) from None


def _claim(_: str, __: Manifest) -> Data:
    return Data(text={}, files={})


_READERS: Mapping[str, Callable[[str, Manifest], Data]] = {CONFIG_MAP: _config_map, SECRET: _secret, CLAIM: _claim}
