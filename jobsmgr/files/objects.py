"""ConfigMaps, Secrets and claims beside a workflow: what an API server refuses of them, what it stores. No I/O here."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeAlias

import attrs

from jobsmgr.api.advice import Schema
from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.kubernetes import kubernetes_type
from jobsmgr.api.metadata import named, object_problems
from jobsmgr.api.syntax import DATA_KEY, SUBDOMAIN, parse_quantity

CONFIG_MAP, SECRET, CLAIM = KINDS = "ConfigMap", "Secret", "PersistentVolumeClaim"
MAX_BYTES = 1024 * 1024
"""Of all values of one ConfigMap or Secret (MaxSecretSize of Kubernetes)."""
_BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_IMMUTABLE: Schema = {"type": "boolean"}
_ENCODED = {CONFIG_MAP: "binaryData", SECRET: "data"}
_PLAIN = {CONFIG_MAP: "data", SECRET: "stringData"}
"""The parts whose values are in base64, and those whose values are text."""


@attrs.frozen(kw_only=True)
class Data:
    """What one ConfigMap or Secret holds; a claim holds nothing yet.

    `text` is what variables can take; `files` is what a volume shows: the same and, of a ConfigMap, its binaryData.
    """

    text: Mapping[str, str]
    files: Mapping[str, bytes]


def is_object(value: object) -> bool:
    """Whether a document is of one of the kinds that belong to a workflow's files."""
    return isinstance(value, dict) and value.get("apiVersion") == "v1" and value.get("kind") in _CHECKS


def problems_of(value: Manifest) -> list[Problem]:
    """Everything that an API server refuses of an object, each with the path of its field."""
    kind = value["kind"]
    found = object_problems(named(value), fields_of(kind))
    return [*found, *_CHECKS[kind](value)]


def data_of(value: Manifest) -> Data:
    """What an object without problems holds once it is stored."""
    kind = value["kind"]
    if kind == CLAIM:
        return Data(text={}, files={})
    plain = {str(key): str(text or "") for key, text in mapping(value.get(_PLAIN[kind])).items()}
    encoded = {str(key): _decoded(text) for key, text in mapping(value.get(_ENCODED[kind])).items()}
    # Plain values replace encoded ones, as the API server merges a Secret's stringData into its data.
    files = encoded | {key: text.encode() for key, text in plain.items()}
    own = plain if kind == CONFIG_MAP else files
    return Data(text={key: files[key].decode(errors="surrogateescape") for key in own}, files=files)


@cache
def fields_of(kind: str) -> Mapping[str, Schema]:
    """The schema of each field that objects of a kind have beside apiVersion, kind and metadata."""
    if kind == CLAIM:
        template = kubernetes_type("Volume")["properties"]["ephemeral"]["properties"]["volumeClaimTemplate"]
        return {"spec": template["properties"]["spec"], "status": {}}
    fields = {_PLAIN[kind]: _STRINGS, _ENCODED[kind]: _STRINGS, "immutable": _IMMUTABLE}
    return fields if kind == CONFIG_MAP else {**fields, "type": {"type": "string"}}


def _decoded(text: object) -> bytes:
    return base64.b64decode(_joined(text)) if isinstance(text, str) else b""


def _joined(text: str) -> str:
    """Base64 without the line breaks that Go passes over; it takes no other white space."""
    return text.replace("\n", "").replace("\r", "")


def _config_map(value: Manifest) -> Iterator[Problem]:
    yield from _data(CONFIG_MAP, value)
    for key in mapping(value.get("binaryData")).keys() & mapping(value.get("data")).keys():
        yield Problem(f"binaryData[{key}]", "data has this key too; remove one of them", Code.BAD_DATA)


def _secret(value: Manifest) -> Iterator[Problem]:
    problems = list(_data(SECRET, value))
    yield from problems
    if not problems and (check := _TYPES.get(value.get("type"))) is not None:
        for text in check(value, data_of(value).files):
            yield Problem("type", f"{quoted(value['type'])} {text}, or remove the type", Code.BAD_DATA)


def _data(kind: str, value: Manifest) -> Iterator[Problem]:
    """What is wrong with keys, with base64, and with the size of all."""
    broken = False
    for part in (_PLAIN[kind], _ENCODED[kind]):
        for key, text in mapping(value.get(part)).items():
            if not DATA_KEY.fits(key):
                yield Problem(f"{part}[{key}]", f"{quoted(key)} is not a valid key; {DATA_KEY.advice}", Code.BAD_DATA)
            if not isinstance(text, str | None):
                broken = True  # the schema says so
            elif part == _ENCODED[kind] and text and not _BASE64.fullmatch(_joined(text)):
                broken = True
                advice = f"is not valid base64; encode it, or use {_PLAIN[kind]}"
                yield Problem(f"{part}[{key}]", advice, Code.BAD_DATA)
        broken = broken or not isinstance(value.get(part), Mapping | None)
    if not broken and (size := sum(map(len, data_of(value).files.values()))) > MAX_BYTES:
        part = max((_PLAIN[kind], _ENCODED[kind]), key=lambda name: len(str(value.get(name) or "")))
        yield Problem(part, f"{size:,} bytes in all; Kubernetes takes at most {MAX_BYTES:,}", Code.BAD_DATA)


_Check: TypeAlias = Callable[[Manifest, Mapping[str, bytes]], Iterator[str]]
"""What is wrong with a Secret of a type, from itself and what it holds."""


def _needs(*keys: str) -> _Check:
    def check(_: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
        yield from (f'needs the key "{key}"; add it' for key in keys if key not in files)

    return check


def _needs_json(key: str) -> _Check:
    def check(value: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
        yield from _needs(key)(value, files)
        if key in files and not _is_json_object(files[key]):
            yield f'needs a JSON object in "{key}"; put a Docker configuration there'

    return check


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict | None)
    except (ValueError, RecursionError):
        return False


def _basic_auth(_: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    if not {"username", "password"} & files.keys():
        yield 'needs the key "username" or "password"; add one'


def _ssh_auth(_: Manifest, files: Mapping[str, bytes]) -> Iterator[str]:
    if not files.get("ssh-privatekey"):
        yield 'needs the key "ssh-privatekey"; add it'


def _account_token(value: Manifest, _: Mapping[str, bytes]) -> Iterator[str]:
    annotation = "kubernetes.io/service-account.name"
    if not mapping(mapping(value.get("metadata")).get("annotations")).get(annotation):
        yield f'needs the annotation "{annotation}"; add it'


def _claim(value: Manifest) -> Iterator[Problem]:
    if value.get("spec") is None:
        yield Problem("spec", "required, but missing", Code.MISSING)
        return
    spec = mapping(value["spec"])
    modes, storage = spec.get("accessModes"), mapping(mapping(spec.get("resources")).get("requests")).get("storage")
    if not modes:
        yield Problem("spec.accessModes", "required, but missing; write [ReadWriteOnce], for example", Code.MISSING)
    elif isinstance(modes, list) and "ReadWriteOncePod" in modes and len(modes) > 1:
        yield Problem("spec.accessModes", "ReadWriteOncePod cannot be combined with other modes; remove the others")
    if storage is None:
        yield Problem("spec.resources.requests.storage", "required, but missing; write 1Gi, for example", Code.MISSING)
    elif (amount := parse_quantity(storage)) is not None and not amount:
        yield Problem("spec.resources.requests.storage", "must be more than 0")
    if (name := spec.get("storageClassName")) and isinstance(name, str) and not SUBDOMAIN.fits(name):
        yield Problem("spec.storageClassName", f"{quoted(name)} is not a valid name; {SUBDOMAIN.advice}")


_CHECKS: Mapping[object, Callable[[Manifest], Iterator[Problem]]] = {
    CONFIG_MAP: _config_map,
    SECRET: _secret,
    CLAIM: _claim,
}
_TYPES: Mapping[object, _Check] = {
    "kubernetes.io/tls": _needs("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": _needs_json(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _needs_json(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/ssh-auth": _ssh_auth,
    "kubernetes.io/service-account-token": _account_token,
}
"""What Kubernetes checks of a Secret by its type; other types are not checked."""
