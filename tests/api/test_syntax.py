"""Kubernetes' syntax as rules. `tests/e2e/test_syntax.py` compares them with a real API server."""

import re
from typing import Any

import pytest

from jobsmgr.api.crd import custom_resource_definition
from jobsmgr.api.syntax import (
    AMOUNT,
    DATA_KEY,
    IMAGE,
    LABEL,
    LABEL_VALUE,
    MOUNT_PATH,
    NAME_IN_KEY,
    OPTIONAL_SUBDOMAIN,
    QUANTITY,
    SUBDOMAIN,
    VARIABLE,
    Rule,
    parse_quantity,
    valid_amount,
    valid_annotation_key,
    valid_key,
    valid_path_inside,
)
from jobsmgr.lint.metadata import metadata_problems
from tests.plugins.pods import at_each_level

RULES = (LABEL, SUBDOMAIN, OPTIONAL_SUBDOMAIN, NAME_IN_KEY, LABEL_VALUE, DATA_KEY, VARIABLE, QUANTITY, AMOUNT, IMAGE)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (LABEL, ["a", "0", "a-b", "a" * 63], ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "ä", "a\n", None, 5]),
        (SUBDOMAIN, ["a", "a.b", "a-b.c", "a" * 253], ["", "a..b", "a.-b", "a-.b", ".a", "a.", "A", "a" * 254]),
        (OPTIONAL_SUBDOMAIN, ["", "a.b"], ["a..b", "a.-b", "."]),
        (NAME_IN_KEY, ["A", "a..b", "a.-b", "a_b"], ["", "_a", "a.", "a/b", "a" * 64]),
        (LABEL_VALUE, ["", "A.b_c-d", "a" * 63], ["-", "a b", "a" * 64, "٣"]),
        (DATA_KEY, ["a", ".a", "-", "_", "a..b", "a."], ["", ".", "..", "..a", "a/b", "a b", "a" * 254]),
        (VARIABLE, ["A", "1", "a b", " ", "a.b-c"], ["", "A=B", "=", "A\n", "ä", "\x7f"]),
        (QUANTITY, ["1", "-1", "+1", "5.", ".5", "1e3", "1E"], ["", "-", ".", "m", " 1", "1 ", "٣", "1K", "--1"]),
        (AMOUNT, ["1", "+1", "0", "1e-3"], ["-1", "-0", "", "1" * 65]),
        (IMAGE, ["a", "a/b:c@d", "a b"], ["", " ", " a", "a ", "a\nb", "a\n"]),
        (MOUNT_PATH, ["/a", "a", "/"], ["", ":", "/a:b"]),
    ],
)
def test_each_rule(rule: Rule, good: list[Any], bad: list[Any]) -> None:
    """Ends, lengths, other alphabets, and the line break that Python's `$` overlooks."""
    assert [text for text in good if not rule.fits(text)] == []
    assert [text for text in bad if rule.fits(text)] == []


SAME_FOR_BOTH = {
    "a": True,
    "A_b.c": True,
    "example.com/a": True,
    "a-b.c/A..b": True,
    f"{'a' * 253}/{'b' * 63}": True,
    f"{'a' * 254}/b": False,
    "a..b/x": False,
    "a.-b/x": False,
    "a-.b/x": False,
    ".a/x": False,
    "a./x": False,
    "a_b/x": False,
    "/x": False,
    "a/": False,
    "a/b/c": False,
    "": False,
    "a\n": False,
    "ä": False,
    "ä/x": False,
}


@pytest.mark.parametrize(("key", "is_valid"), SAME_FOR_BOTH.items())
def test_keys_of_labels_and_annotations_are_alike(key: str, is_valid: bool) -> None:
    """For labels, for annotations, and in lint's check of the object's own."""
    assert (valid_key(key), valid_annotation_key(key)) == (is_valid, is_valid)
    for field in ("labels", "annotations"):
        raw = {
            "apiVersion": "jobsmanager.raczylo.com/v1beta1",
            "kind": "ManagedJob",
            "metadata": {"name": "wf", field: {key: ""}},
        }
        assert [problem.code for problem in metadata_problems(raw)] == ([] if is_valid else ["MJ012"])
        assert [not told for told in at_each_level(field, {field: {key: ""}})] == [is_valid] * 3


def test_only_the_prefix_of_an_annotation_can_be_in_capitals() -> None:
    """Kubernetes reads an annotation's key in small letters; no letter that only then becomes ASCII gets through."""
    assert (valid_key("Example.com/A"), valid_annotation_key("Example.com/A")) == (False, True)
    assert not valid_annotation_key("\N{KELVIN SIGN}")


@pytest.mark.parametrize(("value", "is_amount"), [("1", True), (1, True), ("-1", False), (-1, False), ("x", False)])
def test_an_amount_is_no_less_than_nothing(value: object, is_amount: bool) -> None:
    """A quantity may be negative, what a pod asks for may not; the operator says so as the CRD does."""
    assert valid_amount(value) == is_amount
    params = {"resources": {"requests": {"cpu": value}}}
    assert [not told for told in at_each_level("container", params)] == [is_amount] * 3


@pytest.mark.parametrize(
    ("prefix", "is_valid"), [("", True), ("APP_", True), ("A B", True), ("A=", False), ("ä", False)]
)
def test_a_prefix_of_variables_is_the_beginning_of_a_name(prefix: str, is_valid: bool) -> None:
    """The API server checks it as a name; it may be missing."""
    params = {"fromEnv": [{"prefix": prefix, "configMapRef": {"name": "conf"}}]}
    assert [not told for told in at_each_level("env_from", params)] == [is_valid] * 3


def test_what_is_no_amount_is_said() -> None:
    """Apart from what is no quantity at all."""
    told = 'resources.requests[cpu]: "-1" is not a valid amount; use no minus sign and at most 64 characters'
    assert at_each_level("container", {"resources": {"requests": {"cpu": "-1"}}}) == [[told]] * 3


@pytest.mark.parametrize("text", ["٣", "\N{FULLWIDTH DIGIT ONE}m", "1\n", "1e٣"])
def test_digits_are_those_of_ascii(text: str) -> None:
    """Python knows more digits than Kubernetes."""
    assert parse_quantity(text) is None


@pytest.mark.parametrize("text", ["1e9999999999999999999", "1e400"])
def test_an_exponent_beyond_everything(text: str) -> None:
    """Is a number or none, but never an error."""
    parse_quantity(text)


def test_predicates_take_anything() -> None:
    """What stands in a file need not be text."""
    assert [rule.fits(5) for rule in (LABEL_VALUE, VARIABLE)] == [False, False]


@pytest.mark.parametrize(
    ("path", "is_inside"),
    [("", True), ("a/b", True), ("..a", True), ("a/..b", True), ("/a", False), ("..", False), ("a/../b", False)],
)
def test_a_path_that_stays_inside(path: str, is_inside: bool) -> None:
    """Two dots count as a whole part only."""
    assert valid_path_inside(path) == is_inside


def _patterns(part: Any) -> set[str]:
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    own = {part["pattern"]} if isinstance(part, dict) and isinstance(part.get("pattern"), str) else set()
    return own.union(*map(_patterns, inner))


def test_the_crd_has_no_pattern_of_its_own() -> None:
    """Each is one of these."""
    assert _patterns(custom_resource_definition()) <= {rule.pattern for rule in (*RULES, MOUNT_PATH)}


def test_every_pattern_is_anchored_and_says_only_what_go_knows_too() -> None:
    """No lookaround, and nothing that Python reads in another way."""
    for rule in (*RULES, MOUNT_PATH):
        assert re.fullmatch(r"\^.*\$", rule.pattern)
        assert not re.search(r"\(\?|\\[dwbAzZ]", rule.pattern)
