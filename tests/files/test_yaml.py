"""YAML is read as kubectl reads it, and each value keeps its place."""

import json
import subprocess
from functools import cache
from typing import Any

import pytest

from jobsmgr.files.composer import MAX_DEPTH, compose
from jobsmgr.files.positions import Position, SyntaxProblem, TooMuch
from jobsmgr.files.scalars import NotJson, plain
from jobsmgr.views.manifests import manifest_yaml, value_yaml
from tests.plane.build import binary

PROBES: dict[str, Any] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["yEs", "tRUE", "oN", "=", "+", ".", "_", "-.", "a:b"], ...),
    **dict.fromkeys(["~", "null", "Null", "NULL", ""], None),
    **dict.fromkeys(
        ["nULL", "12:30", "190:20:30", "2026-01-01", "2026-01-01T00:00:00Z", "1.2.3", "1e", "0x", "0b2"], ...
    ),
    "0o777": 511,
    "0777": 511,
    "0O17": 15,
    "0b11": 3,
    "0B11": 3,
    "0x1F": 31,
    "0X1f": 31,
    "08": 8,
    "09.5": 9.5,
    "007": 7,
    "00": 0,
    "-0": 0,
    "-010": -8,
    "+1": 1,
    "-1": -1,
    "1_000": 1000,
    "0x_ff": 255,
    "1__0": 10,
    "_1": ...,
    "1_": 1,
    "1e3": 1000,
    "1E3": 1000,
    "1e+3": 1000,
    "1e-3": 0.001,
    ".5": 0.5,
    "+.5": 0.5,
    "-.5": -0.5,
    "5.": 5,
    "1.0": 1,
    "1.10": 1.1,
    "1.5e1": 15,
    "1e400": ...,
    "9223372036854775807": 9223372036854775807,
    "9223372036854775808": 9223372036854775808,
    "-9223372036854775808": -9223372036854775808,
    "18446744073709551615": 18446744073709551615,
    "1e30": 1e30,
    "!!str 1": "1",
    "!!int 0x10": 16,
    "!!float 1": 1,
    "!!bool y": True,
    '"1"': "1",
    "'y'": "y",
    "! 1": "1",
}
"""Scalars and their values; an ellipsis where the value is the text itself."""

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

EXPECTED = {text: text if value is ... else value for text, value in PROBES.items()}


@cache
def _kubectl(text: str) -> Any:
    """What kubectl makes of a manifest: `label --local` reads and prints one without a server."""
    done = subprocess.run(
        [str(binary()), "kubectl", "label", "--local", "-f", "-", "probe=yes", "-o", "json"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _manifest(values: list[str]) -> str:
    items = "".join(f"- {value}\n" for value in values)
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nvalues:\n{items}"


def _one(text: str) -> Any:
    (document,) = compose(text)
    return document


def test_every_probe_is_what_kubectl_makes_of_it() -> None:
    """The real one. Numbers that its floats cannot hold lose their last digits on the way; they still are numbers."""
    found = _kubectl(_manifest(list(PROBES)))["values"]
    differing = {
        text: value
        for text, value in zip(PROBES, found, strict=True)
        if _comparable(value) != _comparable(EXPECTED[text])
    }
    assert differing == {}


def _comparable(value: Any) -> tuple[str, Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return ("number", float(value)) if is_number else (type(value).__name__, value)


@pytest.mark.parametrize("text", PROBES)
def test_a_scalar_is_read_as_expected(text: str) -> None:
    """Value and type; a number that is whole is an integer."""
    value = _one(f"a: {text}\n").value["a"]
    assert value == EXPECTED[text]
    assert type(value) is type(EXPECTED[text])


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN"])
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    """As kubectl does, whatever the parser would make of it."""
    with pytest.raises(SyntaxProblem, match="quote it"):
        _one(f"a: {text}\n")
    with pytest.raises(NotJson):
        plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "{a: 1, b: {<<: {a: 2, c: 3}, c: 4}}",
        "{<<: [{a: 1, b: 1}, {b: 2, c: 2}], d: 3}",
        "{a: 0, <<: {a: 1}}",
        "{1: a, true: b, 1.5: c, 0x10: d, y: e}",
        "{a: 1, a: 2}",
        "[&x {a: 1}, *x, *x]",
        '"\\u00e9 \\x41 \\n"',
        "|\n  a\n   b\n",
        ">-\n  a\n  b\n\n  c\n",
        "!!binary aGVsbG8=",
        "!custom {a: 1}",
    ],
)
def test_a_structure_is_what_kubectl_makes_of_it(text: str) -> None:
    """Merges, keys that are no strings, duplicates, aliases, blocks and tags."""
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nvalue: {text}\n"
    assert _one(manifest).value["value"] == _kubectl(manifest)["value"]


def test_every_value_has_its_place() -> None:
    """Line and column of values and keys, from 1."""
    document = _one("a: 1\nb:\n  - x\n  - {c: y}\n")
    assert document.location.start == Position(1, 1)
    assert document.location.child("a") == Position(1, 4)
    assert document.location.keys["b"] == Position(2, 1)
    assert document.location.child("b").child(0) == Position(3, 5)
    assert document.location.child("b").child(1).child("c") == Position(4, 9)
    assert document.location.child("b").child(2) is None


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("a: y", [("a", "y", True, False, False)]),
        ("- [on, 0777]", [("[0][0]", "on", True, False, False), ("[0][1]", "0777", 511, False, False)]),
        ("yes: 1", [("", "yes", True, True, False)]),
        ("a: {b: 1, b: 2}", [("a", "b", "b", True, True)]),
        ("a: true\nb: 'y'\nc: 12:30\nd: 1.5\ne: ~\nf: !!bool y", []),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}", []),
    ],
)
def test_what_surprises_is_remarked(text: str, remarks: list[tuple[Any, ...]]) -> None:
    """With its path; quoted and tagged scalars are meant, and so is a value that replaces a merged one."""
    found = [(each.path, each.text, each.value, each.is_key, each.is_duplicate) for each in _one(text).ambiguities]
    assert found == remarks


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a: [", (2, 1)),
        ("a: *b", (1, 4)),
        ("&a [*a]", (1, 5)),
        ("? [a]\n: b", (1, 3)),
        ("~: a", (1, 1)),
        ("a: !!int x", (1, 4)),
        ("a: b: c", (1, 5)),
        ("<<: a", (1, 1)),
        ("a: \x07", None),
        ("a:\n\tb: c", (2, 1)),
        ("%YAML 1.1\n---\na: b", (1, 1)),
        ("%TAG ! tag:example.com,2000:\n---\na: b", (1, 1)),
        ("a: b\n--- {c: d}\n", (2, 5)),
        ("--- text", (1, 5)),
    ],
)
def test_what_is_no_yaml_says_where(text: str, at: tuple[int, int] | None) -> None:
    """Also what YAML allows and JSON does not: lists and objects as keys, an anchor inside itself."""
    with pytest.raises(SyntaxProblem) as caught:
        list(compose(text))
    assert at is None or caught.value.position == at


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: c", "a tab where only spaces are allowed; indent with spaces"),
        ("a: *b", "the alias *b has no anchor &b before it"),
        ("&a [*a]", "the alias *a is inside the value of its own anchor &a"),
        ("%YAML 1.2\n---\na: b", "kubectl does not accept %YAML and %TAG lines; remove it"),
        ("--- text", "kubectl ignores text after `---`; put it on the next line"),
    ],
)
def test_what_is_no_yaml_says_what_to_do(text: str, said: str) -> None:
    """In words of this program where the parser's are none."""
    with pytest.raises(SyntaxProblem) as caught:
        list(compose(text))
    assert str(caught.value) == said


@pytest.mark.parametrize("text", ["--- {a: b}\n", "%YAML 1.1\n---\na: b\n", "%YAML 1.2\n---\na: b\n"])
def test_kubectl_refuses_what_is_refused_though_it_is_yaml(text: str) -> None:
    """Directives and documents that begin beside their mark."""
    manifest = text.replace("a: b", "apiVersion: v1, kind: ConfigMap, metadata: {name: a}" if "{" in text else CONFIG)
    with pytest.raises(AssertionError, match="error parsing STDIN"):
        _kubectl(manifest)


@pytest.mark.parametrize("text", ["---\n", "--- # a comment\n", "---\t\n", "# first\n---\n", "--- \r\n"])
def test_a_document_begins_below_its_mark(text: str) -> None:
    """A comment may stand beside it."""
    assert _one(text + CONFIG).value == {**_kubectl(text + CONFIG), "metadata": {"name": "a"}}


def test_nesting_has_a_limit() -> None:
    """Of which a parser that recurses would know nothing."""
    assert _one("[" * MAX_DEPTH + "]" * MAX_DEPTH).value
    with pytest.raises(TooMuch, match="nested more than 100 levels deep at line 1"):
        list(compose("[" * 100_000))


def test_aliases_count_as_what_they_stand_for() -> None:
    """A billion laughs end before they are written out."""
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    with pytest.raises(TooMuch, match="its aliases expand to more than 2,000,000 values"):
        list(compose(f"l0: &l0 [a]\n{levels}"))


AWKWARD = [
    "y",
    "1e3",
    "0777",
    "12:30",
    "",
    "~",
    " a",
    "a: b",
    "a #b",
    "- a",
    "multi\nline\n",
    "tab\there",
    "\x1b[31m",
    "\u202e",
    "é",
    "'",
    '"',
    "=",
    "<<",
    ".inf",
    "0x1F",
    "\ud7ff\ue000",
    "a\u2028b",
    "\x85",
    "\ufeff",
    "# c",
    "%x",
    "@y",
    "!z",
    "&a",
    "*b",
    "null",
    "1_000",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_what_is_printed_is_read_back_by_kubectl(text: str) -> None:
    """Strings stay strings; whatever is not printable is escaped."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "value": text, "list": [text]}
    printed = manifest_yaml([manifest])
    assert _one(printed).value == manifest
    assert all(char.isprintable() or char == "\n" for char in printed)
    assert value_yaml(text).isprintable()
    assert _one(f"a: {value_yaml([text])}").value == {"a": [text]}


def test_kubectl_itself_reads_back_what_is_printed() -> None:
    """All of it at once."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "values": AWKWARD}
    assert _kubectl(manifest_yaml([manifest]))["values"] == AWKWARD
