"""Environment variables of the container."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import Fragment
from jobsmgr.api.errors import quoted
from tests.plugins.pods import at_each_level, fragment


def test_outermost_first() -> None:
    """So that an inner value can name an outer variable."""
    found = fragment("env", {"env": [{"name": "A", "value": "1"}]}, None, {"env": [{"name": "B", "value": "$(A)"}]})
    assert found == Fragment(env=({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}))
    assert fragment("env") == Fragment()


@pytest.mark.parametrize("name", ["A", "a.b-c", "1", "with space", "not.a-C_IDENTIFIER"])
def test_names_that_kubernetes_takes(name: str) -> None:
    """Printable ASCII without the equals sign."""
    assert at_each_level("env", {"env": [{"name": name}]}) == [[], [], []]


@pytest.mark.parametrize("name", ["", "A=B", "ä", "a\nb", "a\x1bb", None, 5])
def test_names_that_it_does_not(name: Any) -> None:
    """Told with the place in the list."""
    told = f"env[1].name: {quoted(name)} is not a valid variable name; use printable ASCII characters without '='"
    assert at_each_level("env", {"env": [{"name": "A"}, {"name": name}]}) == [[told]] * 3


def test_value_and_value_from() -> None:
    """One of them; an empty value counts as none for Kubernetes, and so it does here."""
    source = {"fieldRef": {"fieldPath": "metadata.name"}}
    told = 'env[0]: "A" has both value and valueFrom; keep one of them'
    both = {"env": [{"name": "A", "value": "x", "valueFrom": source}]}
    assert at_each_level("env", both) == [[told]] * 3
    assert at_each_level("env", {"env": [{"name": "A", "value": "", "valueFrom": source}]}) == [[], [], []]
