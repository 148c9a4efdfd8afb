"""One fault has one sentence: what the operator reports of an object and what lint reports of a file is the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from jobsmgr.api.codec import without_none
from jobsmgr.api.codes import Code
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest, api_fields
from jobsmgr.api.params import Params
from jobsmgr.api.workflow import Group, Job, Spec
from jobsmgr.cli.shared.exits import CommandError
from jobsmgr.cli.shared.workflows import plan_document
from jobsmgr.core.plan import make_plan
from jobsmgr.files.composer import compose
from jobsmgr.files.documents import Document
from jobsmgr.lint.pruning import as_stored
from jobsmgr.lint.validation import read_workflow
from jobsmgr.loading.plugins import load_hooks
from tests.api.forms import LEVELS, REFUSED, put, workflow

HOOKS = load_hooks(installed=False)
MODELS = {"spec": Spec, "spec.groups[0]": Group, "spec.groups[0].jobs[0]": Job, **dict.fromkeys(LEVELS, Params)}
EVERY_TYPE: tuple[Any, ...] = (None, True, 7, 0.5, "text", [], ["a"], [7], [None], [[]], {}, {"name": 7}, {"a": "b"})


@attrs.frozen
class Fault:
    """A value that does not belong where it is put."""

    path: str
    value: Any
    in_pod: bool = False
    """Whether it is inside a part of a pod, whose bounds are the API server's to check."""

    def __str__(self) -> str:
        return f"{self.path}={json.dumps(self.value)[:30]}"

    def manifest(self) -> dict[str, Any]:
        """A valid workflow but for this, as an API server would be given it."""
        return put(workflow(), self.path, self.value)


def _bad_values(known: dict[str, Any]) -> Iterator[Any]:
    """Values of every type, and one beyond each bound of a schema; inside lists and objects too."""
    yield from EVERY_TYPE
    if known.get("type") == "integer" and "maximum" in known:
        yield from (known["minimum"] - 1, known["maximum"] + 1)
    if "maxLength" in known:
        yield "x" * (known["maxLength"] + 1)
    if "pattern" in known or "enum" in known:
        yield from ("", "Not a Name!", "x\n", [["Always"], ["Never"]])
    if "items" in known:
        yield from ([item] for item in _bad_values(known["items"]))
        yield from ([{"name": "first"}, item] for item in EVERY_TYPE)
        yield [{"name": f"x{index}"} for index in range(known["maxItems"] + 1)]
    for key, inner in known.get("properties", {}).items():
        yield from (
            {"name": "first", key: value} for value in (7, [7], {"a": 7}, "x" * (inner.get("maxLength", 0) + 1))
        )


def _schema_of(path: str) -> dict[str, Any]:
    known: Any = schema()
    for step in path.removeprefix("spec.").replace("[0]", ".[0]").split("."):
        known = known["items"] if step == "[0]" else known["properties"][step]
    return dict(known)


def _faults() -> Iterator[Fault]:
    """For every field of the API: absent, of every type, beyond each bound."""
    for level, model in MODELS.items():
        hints = get_type_hints(model)
        for field in api_fields(model):
            path = f"{level}.{field.metadata['key']}"
            if field.default is attrs.NOTHING:
                yield Fault(path, "DELETE")
            kind = without_none(hints[field.name])
            in_pod = Manifest in (kind, *get_args(kind))
            yield from (Fault(path, value, in_pod) for value in _bad_values(_schema_of(path)))
    yield from (Fault(path, value, in_pod=True) for path, value, _, _ in REFUSED if path != "spec")


FAULTS = list(_faults())


def _operator(raw: dict[str, Any]) -> set[Problem]:
    """What the operator reports of an object; lint knows more of it than a problem does."""
    return _plain(make_plan(as_stored(raw), HOOKS).problems)


def _lint(raw: dict[str, Any]) -> set[Problem]:
    return _plain(read_workflow(raw, HOOKS).problems)


def _plain(problems: tuple[Problem, ...]) -> set[Problem]:
    return {Problem(each.path, each.message, each.code) for each in problems}


@pytest.mark.parametrize("level", MODELS)
def test_the_operator_reports_no_other_sentence_than_lint(level: str) -> None:
    """Of any fault of a field: the same path, words and code."""
    faults = [fault for fault in FAULTS if fault.path.rpartition(".")[0] == level]
    assert len(faults) > 50
    assert {
        str(fault): found for fault in faults if (found := _operator(fault.manifest()) - _lint(fault.manifest()))
    } == {}


@pytest.mark.parametrize("level", MODELS)
def test_lint_reports_the_same_of_every_field_that_is_ours(level: str) -> None:
    """Beyond the operator it knows fields that do not exist, and the bounds of Kubernetes inside the parts of a pod."""
    ours = [fault for fault in FAULTS if fault.path.rpartition(".")[0] == level and not fault.in_pod]
    differing = {
        str(fault): (operator, lint)
        for fault in ours
        if (operator := _operator(fault.manifest())) != (lint := _lint(fault.manifest()))
        and not any(problem.code == Code.UNKNOWN_FIELD for problem in lint)
    }
    assert differing == {}


@pytest.mark.parametrize("level", MODELS)
def test_only_lint_reports_a_field_that_does_not_exist(level: str) -> None:
    """An older operator must not stumble over a newer manifest."""
    raw = put(workflow(), f"{level}.addedInVersion9", 1)
    assert _operator(raw) == set()
    assert [(each.path, each.code) for each in _lint(raw)] == [(f"{level}.addedInVersion9", Code.UNKNOWN_FIELD)]


@pytest.mark.parametrize("fault", [each for each in FAULTS if not each.in_pod][::40], ids=str)
def test_commands_that_run_or_render_refuse_with_that_sentence(fault: Fault) -> None:
    """After the position and the names of group and job."""
    (composed,) = compose(json.dumps(fault.manifest()))
    document = Document("a.yaml", 0, composed.value, composed.location, composed.ambiguities)
    if problems := read_workflow(composed.value, HOOKS).problems:
        with pytest.raises(CommandError) as caught:
            plan_document(document, HOOKS)
        assert problems[0].message in str(caught.value)
