"""What a cluster would refuse of a ManagedJob: first its structure, then its meaning. Warnings are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import InvalidWorkflow, PluginError, Problem
from jobsmgr.api.fields import mapping
from jobsmgr.api.parsing import decode_workflow, parse_workflow
from jobsmgr.api.plan import Plan
from jobsmgr.api.validation import WrongType, schema_problems
from jobsmgr.api.workflow import Workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import plan_workflow
from jobsmgr.lint.metadata import metadata_problems
from jobsmgr.lint.pruning import as_stored


@attrs.frozen
class Reading:
    """A document as far as it could be read."""

    problems: tuple[Problem, ...]
    workflow: Workflow | None
    """None if it is too unlike a workflow to be read."""
    plan: Plan | None
    """None if there is a problem."""
    structural: bool = False
    """Whether the schema refuses it."""


def read_workflow(raw: Mapping[str, Any], hooks: Hooks) -> Reading:
    """What is wrong with an object as it would be stored, and the plan if nothing is.

    Raises `PluginError` where a plugin fails on an object of the right shape.
    """
    raw = as_stored(raw)
    outer = metadata_problems(raw)
    spec = raw.get("spec")
    if spec is None:
        missing = Problem("spec", "required, but missing", Code.MISSING)
        return Reading((*outer, missing), None, None)
    structural = schema_problems(spec, schema(), "spec")
    usable = raw if not outer else {**raw, "metadata": _usable(raw.get("metadata"))}
    try:
        workflow = parse_workflow(usable) if structural else decode_workflow(usable)
    except InvalidWorkflow:
        return Reading((*outer, *structural), None, None, structural=True)
    try:
        plan = plan_workflow(workflow, hooks)
    except PluginError:
        if not structural:
            raise
        return Reading((*outer, *structural), workflow, None, structural=True)  # plugins may count on the schema
    problems = (*outer, *_once(structural, plan.problems))
    return Reading(problems, workflow, None if problems else plan, structural=bool(structural))


def _once(structural: Sequence[Problem], semantic: Sequence[Problem]) -> Iterator[Problem]:
    """Of two problems of one field the plugins', who know its meaning; of a value of the wrong type the schema's."""
    wrong = {problem.path for problem in structural if isinstance(problem, WrongType)}
    reported = {problem.path for problem in semantic} - wrong
    yield from (problem for problem in structural if problem.path not in reported)
    yield from (problem for problem in semantic if problem.path not in wrong)


def _usable(metadata: Any) -> dict[str, Any]:
    """The name, if there is one: the rest of metadata does not change what is wrong with the spec."""
    name = mapping(metadata).get("name")
    return {"name": name if isinstance(name, str) else ""}
