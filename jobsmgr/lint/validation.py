"""What a cluster would refuse of a ManagedJob: its shape, then its meaning. Warnings are not given here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from jobsmgr.api.codec import parse_workflow
from jobsmgr.api.crd import schema
from jobsmgr.api.errors import InvalidWorkflow, PluginError, Problem
from jobsmgr.api.workflow import Workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import Plan, plan_workflow
from jobsmgr.lint.codes import MISSING
from jobsmgr.lint.metadata import identity_problems
from jobsmgr.lint.pruning import as_stored
from jobsmgr.lint.schema import WrongType, shape_problems


@attrs.frozen
class Reading:
    """A document as far as it could be read."""

    problems: tuple[Problem, ...]
    workflow: Workflow | None
    """None if its shape is too far from a workflow's."""
    plan: Plan | None
    """None if there is a problem."""


def read_workflow(raw: Mapping[str, Any], hooks: Hooks) -> Reading:
    """What is wrong with an object as it would be stored, and the plan if nothing is.

    Raises `PluginError` where a plugin fails on an object of the right shape.
    """
    raw = as_stored(raw)
    outer = identity_problems(raw)
    spec = raw.get("spec")
    if spec is None:
        missing = Problem("spec", "required, but missing", MISSING)
        return Reading((*outer, missing), None, None)
    shape = shape_problems(spec, schema(), "spec")
    try:
        workflow = parse_workflow(raw if not outer else {**raw, "metadata": _usable(raw.get("metadata"))})
    except InvalidWorkflow as error:
        return Reading((*outer, *(shape or error.problems)), None, None)  # the schema has said the same, and better
    try:
        plan = plan_workflow(workflow, hooks)
    except PluginError:
        if not shape:
            raise
        return Reading((*outer, *shape), workflow, None)  # plugins may count on the schema
    problems = (*outer, *_once(shape, plan.problems))
    return Reading(problems, workflow, None if problems else plan)


def _once(shape: Sequence[Problem], meaning: Sequence[Problem]) -> Iterator[Problem]:
    """Of the same field what plugins say, who know its meaning; unless it has none, being of another type."""
    wrong = {problem.path for problem in shape if isinstance(problem, WrongType)}
    said = {problem.path for problem in meaning} - wrong
    yield from (problem for problem in shape if problem.path not in said)
    yield from (problem for problem in meaning if problem.path not in wrong)


def _usable(metadata: Any) -> dict[str, Any]:
    """A name, if there is one: what the rest of metadata says does not change what is wrong with the spec."""
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return {"name": name if isinstance(name, str) else ""}
