"""Bytes of a file are the text that kubectl makes of them: the real one reads each case beside us."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobsmgr.files.errors import UnusableFile
from jobsmgr.files.positions import SyntaxProblem
from jobsmgr.files.reading import read_documents
from tests.plane.build import binary

MARK = b"\xef\xbb\xbf"
HEAD = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "
ONE, TWO = HEAD + b"one\n", HEAD + b"two\n"
JSON_ONE = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}).encode()
JSON_TWO = JSON_ONE.replace(b"one", b"two")


def _in_json(value: bytes) -> bytes:
    return JSON_ONE[:-1] + b', "data": {"a": "' + value + b'"}}'


SAME = {
    "a mark": MARK + ONE,
    "two marks": MARK + MARK + ONE,
    "a mark before ---": MARK + b"---\n" + ONE,
    "joined with a --- between": MARK + ONE + b"---\n" + MARK + TWO,
    "joined with a --- and a comment between": MARK + ONE + b"--- # next\n" + MARK + b"# two\n" + TWO,
    "joined with the line ends of other systems": (MARK + ONE + b"---\n" + MARK + TWO).replace(b"\n", b"\r\n"),
    "a mark and nothing more at the end": ONE + b"---\n" + MARK,
    "a mark in the midst of a value": ONE + b"data: {a: x" + MARK + b"y}\n",
    "JSON with a mark": MARK + JSON_ONE,
    "JSON joined": MARK + JSON_ONE + b"\n" + MARK + JSON_TWO,
    "UTF-16": ONE.decode().encode("utf-16"),
    "four bytes a character": ONE + "data: {a: 😀}\n".encode(),
    "separators of lines": ONE + "data: {a: 'x\u2028y\x85z'}\n".encode(),
    "JSON: half of a character": _in_json(rb"\ud800 \uDfff x"),
    "JSON: halves the wrong way round": _in_json(rb"\ude00\ud83d"),
    "JSON: a character in halves": _in_json(rb"\ud83d\uDE00"),
    "JSON: an escaped backslash before a u": _in_json(rb"\\ud800"),
    "JSON: characters that YAML has not": _in_json("\x7f\x84\ufffe\uffff".encode()),
}
REFUSED_BY_BOTH = {
    "a mark before a later ---": ONE + MARK + b"---\n" + TWO,
    "a mark alone on a line": ONE + MARK + b"\n---\n" + TWO,
    "UTF-16 joined": ONE.decode().encode("utf-16") + (b"---\n" + TWO).decode().encode("utf-16"),
    "UTF-32": ONE.decode().encode("utf-32"),
    "a null": ONE + b"data: {a: x\0y}\n",
    "a control character": ONE + b"data: {a: x\x7fy}\n",
    "half of a character": ONE + rb'data: {a: "\ud800"}',
}
LOST_BY_KUBECTL = {
    "a mark before a field": (ONE + MARK + b"data: {a: b}\n", "line 5: a byte order mark"),
    "a mark before a deeper field": (ONE + b"data:\n" + MARK + b"  a: b\n", "line 6: a byte order mark"),
    "latin-1": (ONE + "data: {a: é}\n".encode("latin-1"), "is not a text file"),
}


def _kubectl(data: bytes) -> Any:
    """The objects that kubectl reads; None if it refuses."""
    words = [str(binary()), "kubectl", "label", "--local", "-f", "-", "probe=yes", "-o", "json"]
    done = subprocess.run(words, input=data, capture_output=True, check=False)
    return None if done.returncode else list(_values(done.stdout.decode()))


def _values(text: str) -> Any:
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        del value["metadata"]["labels"]
        yield value
        text = text[end:]


def _mine(data: bytes, folder: Path) -> list[Any]:
    (file := folder / "file.yaml").write_bytes(data)
    try:
        return [document.value for document in read_documents(str(file))]
    except SyntaxProblem as error:
        raise UnusableFile(f"line {error.position.line}: {error}") from None


@pytest.mark.parametrize("data", SAME.values(), ids=SAME)
def test_both_read_the_same(data: bytes, tmp_path: Path) -> None:
    """Where a document begins a byte order mark means nothing, as after `cat a.yaml b.yaml`."""
    assert _mine(data, tmp_path) == _kubectl(data)


@pytest.mark.parametrize("data", REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH)
def test_both_refuse(data: bytes, tmp_path: Path) -> None:
    """kubectl splits a file at its --- lines before it looks at anything else."""
    assert _kubectl(data) is None
    with pytest.raises(UnusableFile):
        _mine(data, tmp_path)


@pytest.mark.parametrize(("data", "sentence"), LOST_BY_KUBECTL.values(), ids=LOST_BY_KUBECTL)
def test_what_kubectl_would_lose_is_refused(data: bytes, sentence: str, tmp_path: Path) -> None:
    """kubectl takes these, and applies another object than the one that is written there."""
    assert "b" not in (_kubectl(data)[0].get("data") or {}).values()
    assert "é" not in (_kubectl(data)[0].get("data") or {}).values()
    with pytest.raises(UnusableFile, match=sentence):
        _mine(data, tmp_path)


def test_positions_count_as_an_editor_does(tmp_path: Path) -> None:
    """A mark has no width, and a JSON string that gets shorter moves nothing behind it."""
    (file := tmp_path / "file.yaml").write_bytes(MARK + ONE + b"---\n" + MARK + TWO)
    assert [tuple(each.position("kind")) for each in read_documents(str(file))] == [(2, 7), (7, 7)]
    text = _in_json(rb"\ud83d\ude00\ud800").replace(b"}}", b'", "b": 1}}').replace(b'""', b'"')
    file.write_bytes(text)
    (document,) = read_documents(str(file))
    assert document.position("data.b").column == text.index(b"1}}") + 1
