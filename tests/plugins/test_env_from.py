"""Whole ConfigMaps and Secrets as environment variables."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import Fragment
from jobsmgr.api.errors import quoted
from tests.plugins.pods import at_each_level, fragment

CM, SECRET = {"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "P_"}


def test_outermost_first() -> None:
    """Of two sources with the same variable Kubernetes lets the later one win: the innermost."""
    assert fragment("env_from", {"fromEnv": [CM]}, {"fromEnv": [SECRET]}) == Fragment(env_from=(CM, SECRET))


def test_single_keys_are_no_sources() -> None:
    """They have become variables by then."""
    assert fragment("env_from", {"fromEnv": [{**CM, "key": "A"}]}) == Fragment()


@pytest.mark.parametrize("source", [{}, {**CM, **SECRET}, {"configMapRef": None}, {"prefix": "P_"}, {"key": "A"}])
def test_neither_or_both(source: dict[str, Any]) -> None:
    """A source is one ConfigMap or one Secret."""
    told = "fromEnv[1]: set exactly one of configMapRef, secretRef"
    assert at_each_level("env_from", {"fromEnv": [CM, source]}) == [[told]] * 3


@pytest.mark.parametrize("reference", [{}, {"optional": True}, {"name": ""}])
def test_without_a_name(reference: dict[str, Any]) -> None:
    """Told with the field that is missing."""
    told = "fromEnv[0].secretRef.name: required, but missing"
    assert at_each_level("env_from", {"fromEnv": [{"secretRef": reference}]}) == [[told]] * 3


@pytest.mark.parametrize("reference", ["name", 5, ["x"]])
def test_a_reference_of_another_shape(reference: Any) -> None:
    """An object that no schema has checked: told, not raised."""
    assert (
        at_each_level("env_from", {"fromEnv": [{"secretRef": reference}]})
        == [[f"fromEnv[0].secretRef: expected an object with a name, found {quoted(reference)}"]] * 3
    )
