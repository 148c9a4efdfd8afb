"""Whatever a document holds, it is read or refused, never stumbled over."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jobsmgr.api.codes import Severity
from jobsmgr.api.crd import schema
from jobsmgr.core.origins import origins
from jobsmgr.files.composer import compose
from jobsmgr.files.documents import Document
from jobsmgr.lint.linter import lint
from jobsmgr.lint.validation import read_workflow
from jobsmgr.loading.plugins import load_hooks
from tests.api.forms import AVAILABLE_PARAMS, PARAMS, TAKEN, put, workflow

HOOKS = load_hooks(installed=False)
ORACLE = Draft202012Validator(schema())


def _rich() -> dict[str, Any]:
    """A valid workflow that has about everything."""
    manifest = put(workflow(), PARAMS, copy.deepcopy(AVAILABLE_PARAMS))
    for params in TAKEN[1:]:
        for key, value in params.items():
            manifest = put(manifest, f"spec.groups[1].params.{key}", value)
    manifest["spec"]["groups"][1]["params"].pop("volumeMount", None)
    manifest = put(manifest, "spec.groups[1].params.volumes[0].name", "v")
    manifest = put(manifest, "spec.groups[1].jobs[0].dependencies", [{"name": "first/load"}])
    return put(manifest, "metadata.labels", {"a": "b"})


RICH = _rich()


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _paths(inner, (*path, step))


PATHS = [path for path in _paths(RICH) if path]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2000)
    | st.just(0.5)
    | st.sampled_from(["", "a", "A b", "1Gi", "x" * 70, "g/h", "\x1b"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "key", "a.b/c", "]"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    manifest = copy.deepcopy(RICH)
    at: Any = manifest
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return manifest


def document(manifest: dict[str, Any]) -> Document:
    (composed,) = compose(json.dumps(manifest, indent=1))
    return Document("a.yaml", 0, composed.value, composed.location, composed.ambiguities)


def test_the_workflow_that_is_changed_is_valid() -> None:
    """Else the rest would show nothing."""
    assert [each for each in lint([document(RICH)], HOOKS) if each.severity is Severity.ERROR] == []
    assert len(PATHS) > 120


@settings(max_examples=300)
@given(st.sampled_from(PATHS), VALUES)
def test_any_value_anywhere_is_borne(path: tuple[str | int, ...], value: Any) -> None:
    """Findings stand inside the text; what a JSON Schema library refuses has an error; what is planned is explained."""
    manifest = changed(path, value)
    made = document(manifest)
    lines = json.dumps(manifest, indent=1).splitlines()
    findings = lint([made], HOOKS)
    for finding in findings:
        assert 1 <= finding.column <= len(lines[finding.line - 1])
    spec = manifest.get("spec")
    if isinstance(spec, dict) and not _has_null(spec) and not ORACLE.is_valid(spec):
        assert any(finding.severity is Severity.ERROR for finding in findings)
    plan = read_workflow(made.value, HOOKS).plan if isinstance(made.value, dict) else None
    if plan is not None:
        assert all(origins(plan, key, HOOKS) for key in plan.jobs)


def _has_null(value: Any) -> bool:
    """Null is absence to an API server, a type of its own to JSON Schema."""
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_anything_may_be_missing(path: tuple[str | int, ...]) -> None:
    """Each part taken away by itself."""
    manifest = copy.deepcopy(RICH)
    at: Any = manifest
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    lint([document(manifest)], HOOKS)
