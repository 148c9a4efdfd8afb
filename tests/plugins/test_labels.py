"""Labels of the Job and its pod."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr.api.names import OPERATOR_LABELS, RESERVED_LABELS
from tests.plugins.pods import at_each_level, fragment, rendered

PREFIX = "jobmanager.raczylo.com/"
OWN = {
    f"{PREFIX}workflow-name": "wf",
    f"{PREFIX}group-name": "g",
    f"{PREFIX}job-name": "wf-g-a",
    f"{PREFIX}job-id": "a",
}


def test_the_operators_four_and_a_default() -> None:
    """The Go operator's keys, so that its users' selectors still find the Jobs."""
    assert fragment("labels").labels == {"app.kubernetes.io/managed-by": "jobsmgr", **OWN}
    assert set(OWN) == set(OPERATOR_LABELS)


def test_the_users_own() -> None:
    """Merged; the default may be overridden, on Job and pod alike."""
    levels = {"labels": {"team": "a", "tier": "x"}}, {"labels": {"team": "b", "app.kubernetes.io/managed-by": "us"}}
    expected = {"app.kubernetes.io/managed-by": "us", "team": "b", "tier": "x", **OWN}
    assert fragment("labels", *levels).labels == expected
    job = rendered(*levels)
    assert job["metadata"]["labels"] == job["spec"]["template"]["metadata"]["labels"] == expected


def test_a_long_name_is_shortened_and_stands_in_full_in_an_annotation() -> None:
    """A label value has at most 63 characters; the workflow's name may have 253."""
    name = "w" * 100
    found = fragment("labels", name=name)
    short = found.labels[f"{PREFIX}workflow-name"]
    assert len(short) == 63
    assert short.startswith("w" * 52 + "-")
    assert found.annotations == {f"{PREFIX}workflow-name": name}


def test_short_names_need_no_annotation() -> None:
    """They stand in the labels."""
    assert fragment("labels").annotations == {}


@pytest.mark.parametrize("key", RESERVED_LABELS)
def test_the_operators_keys_are_refused(key: str) -> None:
    """Whatever their value."""
    told = f"labels[{key}]: this key is the operator's own; use another one"
    assert at_each_level("labels", {"labels": {key: "x"}}) == [[told]] * 3


@pytest.mark.parametrize(
    "key",
    ["", "a b", "this/works/aswell", "-a", "a-", "/a", "a/", "UPPER.example.com/a", "x" * 64, f"{'p' * 254}/a", "ä"],
)
def test_keys_that_kubernetes_refuses(key: str) -> None:
    """Told by the key."""
    told = f'labels[{key}]: "{key}" is not a valid label key; write it as name or prefix.example.com/name'
    assert at_each_level("labels", {"labels": {key: "x"}}) == [[told]] * 3


@pytest.mark.parametrize("value", ["a b", "-a", "a-", "x" * 64, "ä", 5, True, None])
def test_values_that_it_refuses(value: Any) -> None:
    """A number or a boolean without quotes too."""
    told = (
        f'labels[a]: "{value}" is not a valid label value; '
        "use at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit"
    )
    assert at_each_level("labels", {"labels": {"a": value}}) == [[told]] * 3


@pytest.mark.parametrize(
    ("key", "value"), [("a", ""), ("A_b.c-1", "x" * 63), ("example.com/a", "1"), ("x" * 63, "A.b_c")]
)
def test_what_it_takes(key: str, value: str) -> None:
    """Up to the limits."""
    assert at_each_level("labels", {"labels": {key: value}}) == [[], [], []]
