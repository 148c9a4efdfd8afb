"""Annotations of the Job and its pod."""

from __future__ import annotations

from typing import Any

import pytest

from jobsmgr import Fragment
from jobsmgr.api.errors import quoted
from tests.plugins.pods import at_each_level, fragment, rendered


def test_on_job_and_pod() -> None:
    """Merged by key; the Job has hashes of its spec and of what it waits for besides."""
    levels = {"annotations": {"a": "1", "b": "1"}}, None, {"annotations": {"b": "2"}}
    assert fragment("annotations", *levels) == Fragment(annotations={"a": "1", "b": "2"})
    job = rendered(*levels)
    assert job["spec"]["template"]["metadata"]["annotations"] == {"a": "1", "b": "2"}
    hashes = {"jobmanager.raczylo.com/spec-hash": "", "jobmanager.raczylo.com/waits-for-hash": ""}
    assert {**job["metadata"]["annotations"], **hashes} == {"a": "1", "b": "2", **hashes}


@pytest.mark.parametrize("name", ["workflow-name", "spec-hash", "waits-for-hash", "anything"])
def test_the_operators_keys_are_refused(name: str) -> None:
    """All of its prefix: names in full and the hash stand there."""
    key = f"jobmanager.raczylo.com/{name}"
    told = f"annotations[{key}]: keys of this prefix are the operator's own; use another one"
    assert at_each_level("annotations", {"annotations": {key: "x"}}) == [[told]] * 3


@pytest.mark.parametrize("key", ["", "a b", "this/works/aswell", "-a", "a/", "/a", "x" * 64])
def test_keys_that_kubernetes_refuses(key: str) -> None:
    """Two slashes, as in the founding README, can work nowhere."""
    told = f'annotations[{key}]: "{key}" is not a valid annotation key; write it as name or prefix.example.com/name'
    assert at_each_level("annotations", {"annotations": {key: "x"}}) == [[told]] * 3


@pytest.mark.parametrize("value", [5, True, None, ["x"], {}])
def test_a_value_is_a_string(value: Any) -> None:
    """YAML without quotes is something else."""
    told = f"annotations[a]: expected a string, found {quoted(value)}; quote it"
    assert at_each_level("annotations", {"annotations": {"a": value}}) == [[told]] * 3


def test_too_much_of_it() -> None:
    """Kubernetes' limit is of all together, keys and values in bytes."""
    half = "ä" * 65536
    assert at_each_level("annotations", {"annotations": {"a": half}}) == [[], [], []]
    told = "annotations: 262146 bytes in all; Kubernetes takes at most 262144"
    assert at_each_level("annotations", {"annotations": {"a": half, "b": half}}) == [[told]] * 3


def test_text_of_any_kind() -> None:
    """Values may hold anything, keys may be in capitals."""
    assert at_each_level("annotations", {"annotations": {"Example.com/A_b.c": "line\nline ä"}}) == [[], [], []]
