"""ConfigMaps, Secrets, claims and lists: the API server, lint and a local run take the same and refuse the same."""

import base64
import json
from typing import Any

import pytest

from jobsmgr.files.composer import compose
from jobsmgr.files.objects import data_of
from tests.cli.program import ONE_JOB, run
from tests.plane.control_plane import ControlPlane


def _object(kind: str, rest: str, metadata: str = "{name: o}") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}\n{rest}\n"


def _config(rest: str, metadata: str = "{name: o}") -> str:
    return _object("ConfigMap", rest, metadata)


def _secret(rest: str, metadata: str = "{name: o}") -> str:
    return _object("Secret", rest, metadata)


def _typed(kind: str, rest: str) -> str:
    return _secret(f"type: kubernetes.io/{kind}\n{rest}")


def _claim(spec: str) -> str:
    return _object("PersistentVolumeClaim", f"spec: {{{spec}}}")


STORAGE = "resources: {requests: {storage: 1Gi}}"
ITEM = "{apiVersion: v1, kind: ConfigMap, metadata: {name: o}, data: {a: b}}"
MIB = 1024 * 1024
DATA = {
    "nothing": _config(""),
    "data of nothing": _config("data: "),
    "a value of nothing": _config("data: {FLAG: }"),
    "a value of nothing, and another": _config("data: {FLAG: ~, A: a}"),
    "an empty value": _config('data: {FLAG: ""}'),
    "all kinds of keys": _config("data: {a: a, .b: b, A_b.C-9: c, a..b: d}"),
    "a key that is a number": _config("data: {1: a, yes: b, 1.5: c}"),
    "binary data": _config('binaryData: {a: AAEC, b: "", c: }'),
    "binary data on lines": _config("binaryData:\n  a: |\n    AAEC\n    AAEC\n"),
    "binary data of odd bits": _config('binaryData: {a: "YWJ="}'),
    "both": _config("data: {a: b}\nbinaryData: {b: YQ==}"),
    "immutable": _config("immutable: true"),
    "immutable of nothing": _config("immutable: "),
    "a value of many lines": _config("data:\n  a: |\n    one\n    two ✔\n"),
    "a Secret": _secret("data: {a: YQ==}\nstringData: {b: b, c: }"),
    "a Secret with a key twice": _secret("data: {a: YQ==, b: Yg==}\nstringData: {a: new}"),
    "a Secret with a key twice, of nothing": _secret("data: {a: YQ==}\nstringData: {a: }"),
    "a Secret of nothing": _secret("data: {a: }\nstringData: "),
    "a Secret of a type of its own": _secret("type: example.com/any\nstringData: {a: b}"),
    "a Secret of no type": _secret('type: ""\nstringData: {a: b}'),
    "tls": _typed("tls", 'stringData: {tls.crt: "", tls.key: a}'),
    "basic-auth": _typed("basic-auth", "stringData: {password: a}"),
    "ssh-auth": _typed("ssh-auth", "stringData: {ssh-privatekey: a}"),
    "dockerconfigjson": _typed("dockerconfigjson", "stringData: {.dockerconfigjson: '{\"auths\": {}}'}"),
    "dockercfg": _typed("dockercfg", "data: {.dockercfg: e30=}"),
    "as large as can be": _config(f'data: {{a: "{"x" * MIB}"}}'),
}
"""Objects that are stored, with what they hold."""
TAKEN = {
    "a claim": _claim(f"accessModes: [ReadWriteOnce], {STORAGE}"),
    "a claim of all": _claim(
        f"accessModes: [ReadWriteOnce, ReadOnlyMany], volumeMode: Block, storageClassName: '', volumeName: v, {STORAGE}"
    ),
    "a claim of a whole number": _claim("accessModes: [ReadWriteOnce], resources: {requests: {storage: 1000}}"),
    "labels": _config("", "{name: o, labels: {a: b}, annotations: {c: d}, creationTimestamp: }"),
    "a generated name": _config("data: {a: b}", "{generateName: o-}"),
    "a List": f"apiVersion: v1\nkind: List\nitems: [{ITEM}]\n",
    "a ConfigMapList": "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: o}, data: {a: b}}]\n",
    "an empty list": f"apiVersion: v1\nkind: List\nitems: []\n---\n{ITEM}\n",
}
REFUSED = {
    "a number": (_config("data: {a: 1}"), "MJ001"),
    "a boolean": (_config("data: {a: true}"), "MJ001"),
    "an object for a value": (_config("data: {a: {b: c}}"), "MJ001"),
    "a list for a value": (_config("data: {a: [b]}"), "MJ001"),
    "a list for data": (_config("data: [a]"), "MJ001"),
    "a word for data": (_config("data: a"), "MJ001"),
    "an unknown field": (_config("dta: {a: b}"), "MJ002"),
    "a field in capitals": (_config("Data: {a: b}"), "MJ002"),
    "stringData of a ConfigMap": (_config("stringData: {a: b}"), "MJ002"),
    "binaryData of a Secret": (_secret("binaryData: {a: YQ==}"), "MJ002"),
    "a spec": (_config("spec: {a: b}"), "MJ002"),
    "a key with a slash": (_config("data: {a/b: c}"), "MJ031"),
    "a key with a space": (_config("data: {a b: c}"), "MJ031"),
    "an empty key": (_config('data: {"": c}'), "MJ031"),
    "a key of dots": (_config("data: {..: c}"), "MJ031"),
    "a key that begins with two": (_secret("stringData: {..a: c}"), "MJ031"),
    "a key that is too long": (_config(f"data: {{{'a' * 254}: c}}"), "MJ031"),
    "no base64": (_secret("data: {a: not base64!}"), "MJ031"),
    "base64 with a space": (_secret("data: {a: YQ == }"), "MJ031"),
    "base64 without its end": (_secret("data: {a: YQ}"), "MJ031"),
    "base64 with more than its end": (_secret('data: {a: "YWJj="}'), "MJ031"),
    "base64 of two texts": (_secret('data: {a: "YQ==YQ=="}'), "MJ031"),
    "base64 for URLs": (_config('binaryData: {a: "__-_"}'), "MJ031"),
    "folded base64": (_config("binaryData:\n  a: >\n    AAEC\n    AAEC\n"), "MJ031"),
    "a number for base64": (_secret("data: {a: 1234}"), "MJ001"),
    "a key in both": (_config("data: {a: b}\nbinaryData: {a: YQ==}"), "MJ031"),
    "immutable as a word": (_config('immutable: "true"'), "MJ001"),
    "a type that is a number": (_secret("type: 1"), "MJ001"),
    "tls without a key": (_typed("tls", "stringData: {tls.crt: a}"), "MJ031"),
    "basic-auth without either": (_typed("basic-auth", "stringData: {user: a}"), "MJ031"),
    "ssh-auth without": (_typed("ssh-auth", 'stringData: {ssh-privatekey: ""}'), "MJ031"),
    "dockerconfigjson without": (_typed("dockerconfigjson", "stringData: {a: b}"), "MJ031"),
    "dockerconfigjson of no JSON": (_typed("dockerconfigjson", "stringData: {.dockerconfigjson: a}"), "MJ031"),
    "dockercfg of a list": (_typed("dockercfg", "stringData: {.dockercfg: '[]'}"), "MJ031"),
    "an account's token of none": (_typed("service-account-token", ""), "MJ031"),
    "too large": (_config(f'data: {{a: "{"x" * MIB}", b: c}}'), "MJ031"),
    "a Secret that is too large": (_secret(f'stringData: {{a: "{"x" * (MIB + 1)}"}}'), "MJ031"),
    "no name": (_config("", "{labels: {a: b}}"), "MJ003"),
    "a name in capitals": (_config("", "{name: Settings}"), "MJ001"),
    "a name that is a number": (_config("", "{name: 1}"), "MJ001"),
    "a label with a space": (_config("", "{name: o, labels: {a: b c}}"), "MJ001"),
    "a claim without modes": (_claim(STORAGE), "MJ003"),
    "a claim of an unknown mode": (_claim(f"accessModes: [ReadWrite], {STORAGE}"), "MJ001"),
    "a claim of one pod and more": (_claim(f"accessModes: [ReadWriteOncePod, ReadOnlyMany], {STORAGE}"), "MJ001"),
    "a claim of a word for modes": (_claim(f"accessModes: ReadWriteOnce, {STORAGE}"), "MJ001"),
    "a claim without storage": (_claim("accessModes: [ReadWriteOnce]"), "MJ003"),
    "a claim of nothing": (_claim("accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}"), "MJ001"),
    "a claim of less": (_claim("accessModes: [ReadWriteOnce], resources: {requests: {storage: -1Gi}}"), "MJ001"),
    "a claim of no unit": (
        _claim("accessModes: [ReadWriteOnce], resources: {requests: {storage: 1GB}}"),
        "MJ001",
    ),
    "a claim of an unknown field": (_claim(f"accessModes: [ReadWriteOnce], size: 1Gi, {STORAGE}"), "MJ002"),
    "a claim of no class": (
        _claim(f"accessModes: [ReadWriteOnce], storageClassName: a b, {STORAGE}"),
        "MJ001",
    ),
    "a claim of no spec": (_object("PersistentVolumeClaim", ""), "MJ003"),
    "a list of nothing": (f"apiVersion: v1\nkind: List\nitems: \n---\n{ITEM}\n", "MJ030"),
    "a list of items that are none": (f"apiVersion: v1\nkind: List\nitems: {ITEM}\n", "MJ030"),
    "an item of no kind": ("apiVersion: v1\nkind: List\nitems: [{metadata: {name: o}}]\n", "MJ030"),
    "an item of half a type": ("apiVersion: v1\nkind: ConfigMapList\nitems: [{kind: Secret}]\n", "MJ030"),
    "a list in a list": (
        f"apiVersion: v1\nkind: List\nitems: [{{apiVersion: v1, kind: List, items: [{ITEM}]}}]\n",
        "MJ030",
    ),
    "a bad item": (f"apiVersion: v1\nkind: List\nitems: [{ITEM.replace('a: b', 'a: 1')}]\n", "MJ001"),
}


def _stored(plane: ControlPlane, text: str) -> Any:
    return plane.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=text, check=False)


def _both(text: str) -> str:
    return f"{text.rstrip()}\n---\n{ONE_JOB}"


@pytest.mark.parametrize("text", [*DATA.values(), *TAKEN.values()], ids=[*DATA, *TAKEN])
def test_all_take_it(text: str, plane: ControlPlane) -> None:
    """The server, lint and a run."""
    done = _stored(plane, text)
    assert done.returncode == 0, done.stderr[:500]
    answer = run("lint", "-", stdin=_both(text))
    assert (answer.code, " error " in answer.out) == (0, False), answer.out
    answer = run("run", "--executor", "simulate", "--quiet", "-", stdin=_both(text))
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize("text", DATA.values(), ids=DATA)
def test_they_hold_the_same(text: str, plane: ControlPlane) -> None:
    """Byte for byte, what is null and what is given twice too."""
    stored = json.loads(_stored(plane, text).stdout)
    (mine,) = compose(text)
    plain = {key: value.encode() for key, value in (stored.get("data") or {}).items()}
    if stored["kind"] == "Secret":
        plain = {key: base64.b64decode(value) for key, value in plain.items()}
    binary = {key: base64.b64decode(value) for key, value in (stored.get("binaryData") or {}).items()}
    assert data_of(mine.value).files == plain | binary
    assert {key: value.encode() for key, value in data_of(mine.value).text.items()} == plain


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_all_refuse_it(text: str, code: str, plane: ControlPlane) -> None:
    """Lint with one error, and a run with the same sentence before anything starts."""
    assert _stored(plane, text).returncode != 0
    answer = run("lint", "-", stdin=_both(text))
    (error,) = [line for line in answer.out.splitlines() if f" error {code} " in line]
    assert answer.out.count(" error ") == 1, answer.out
    place, _, sentence = error.partition(f" error {code} ")
    done = run("run", "--executor", "simulate", "-", stdin=_both(text))
    assert (done.code, done.err) == (2, f"Error: {place}: {sentence}\n")
    assert not place.endswith(":1:1") or code in ("MJ030", "MJ003")
