"""What the operator has to be allowed to do in the namespaces that it serves. The shipped roles are made of this, so a
right stands here and nowhere else. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jobsmgr.cluster.kinds import Kind
from jobsmgr.cluster.trim import DEPENDANTS, WORKFLOW
from jobsmgr.connection.resources import EVENTS, PODS, WORKFLOWS, Right


def rights_to(kinds: Iterable[Kind[Any]]) -> tuple[Right, ...]:
    """The rights to the kinds of objects that are kept."""
    return tuple(Right(verb, kind.resource) for kind in kinds for verb in kind.verbs)


SAVE_STATUS = Right("patch", WORKFLOWS, "status")
WRITES = (SAVE_STATUS, Right("create", EVENTS), Right("patch", EVENTS))
"""What is written besides the kinds that are kept."""
SERVING = (*rights_to((WORKFLOW, *DEPENDANTS)), *WRITES)
"""Without these workflows do not run."""

LIST_PODS, LIST_EVENTS = Right("list", PODS), Right("list", EVENTS)
PODS_AND_EVENTS = (LIST_PODS, LIST_EVENTS)
"""Optional: to say why a Job has no running pod, and how a pod ended."""

MIGRATION = (Right("patch", WORKFLOWS),)
"""Optional: takes the Go jobs-manager-operator's finalizer off workflows that are being deleted."""
