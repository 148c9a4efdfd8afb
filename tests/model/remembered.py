"""The operator's pure functions, each answer worked out once for the same arguments: it is the same again.

What tells arguments apart is the objects themselves, which are kept here: equal ones that are not the same are only
worked out once more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.snapshot import Snapshot
from jobsmgr.api.status_codec import parse_status
from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.trim import WorkflowState
from jobsmgr.core.decide import decide, review
from jobsmgr.core.plan import bare_plan, make_plan


class Remembered:
    """A pure function and its answers; `told_apart` gives what makes one call another."""

    def __init__(self, function: Callable[..., Any], told_apart: Callable[..., Hashable]) -> None:
        self._function = function
        self._told_apart = told_apart
        self._answers: dict[Hashable, Any] = {}
        self._kept: list[Any] = []

    def __get__(self, one: Any, kind: type | None = None) -> Callable[..., Any]:
        """As a method."""
        return partial(self, one)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        key = self._told_apart(*arguments, **named)
        if key not in self._answers:
            self._kept.append((arguments, named))  # so that the id of an object stays its own
            self._answers[key] = self._function(*arguments, **named)
        return self._answers[key]


def _snapshot(one: Snapshot) -> Hashable:
    return tuple(_part(field.name, getattr(one, field.name)) for field in attrs.fields(Snapshot))


def _part(name: str, value: Any) -> Hashable:
    match name:
        case "jobs":
            return tuple((key, job.uid, job.version, job.gone, job.result) for key, job in value.items())
        case "changed":
            return tuple(job.version for job in value) if value is not None else None
        case "plan" | "status" | "throttle":
            return id(value)
    if isinstance(value, Mapping):
        return tuple((key, id(inner)) for key, inner in value.items())
    hash(value)  # else it is to be told apart in a way of its own
    return value  # type: ignore[no-any-return]


def _unpacked(one: WorkflowState, raw: Any = WorkflowState.__dict__["raw"]) -> Manifest:
    return raw.__get__(one)  # type: ignore[no-any-return]


def _plan(raw: dict[str, Any], *_: Any) -> Hashable:
    metadata = {key: value for key, value in raw["metadata"].items() if key != "resourceVersion"}
    return json.dumps([metadata, raw["spec"]])


@contextmanager
def remembered() -> Iterator[None]:
    """The operator's code asks these while the block lasts."""
    functions: dict[str, Any] = {
        "jobsmgr.engine.reconciler.decide": Remembered(
            decide, lambda snapshot, hooks, batch, baseline: (_snapshot(snapshot), batch, id(baseline))
        ),
        "jobsmgr.engine.performer.review": Remembered(
            review,
            lambda snapshot, hooks, since, held: (_snapshot(snapshot), since.now, since.clock, tuple(held.items())),
        ),
        "jobsmgr.engine.gather.make_plan": Remembered(make_plan, _plan),
        "jobsmgr.engine.gather.bare_plan": Remembered(bare_plan, _plan),
        "jobsmgr.engine.memory.stored.parse_status": Remembered(parse_status, lambda raw, _: id(raw)),
        "jobsmgr.cluster.kinds.Kind.read": Remembered(Kind.read, lambda kind, raw: (id(kind), id(raw))),
        "jobsmgr.cluster.trim.WorkflowState.raw": property(Remembered(_unpacked, id)),
    }
    with ExitStack() as stack:
        for name, function in functions.items():
            stack.enter_context(patch(name, function))
        yield
