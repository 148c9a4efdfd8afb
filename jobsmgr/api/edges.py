"""What a job waits for, as values, and the one place that says when that has come. The core finds them."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from jobsmgr.api.status import GOOD_ENDS, Phase
from jobsmgr.api.workflow import JobKey


class Milestone(NamedTuple):
    """A point that several jobs reach together, so that 1,024 jobs in a row need no half million edges.

    It has succeeded when all that it waits for has come, and is aborted when some of that never will.
    """

    group: str
    """The group whose first jobs these are; empty for the first groups of the workflow."""
    first: int
    """How many of them."""


Node = JobKey | Milestone


class When(Enum):
    """What has to become of a job before those that wait for it may start."""

    SUCCEEDED = auto()


class Edge(NamedTuple):
    """Something that is waited for."""

    waited: Node
    when: When = When.SUCCEEDED


_SATISFYING = {When.SUCCEEDED: GOOD_ENDS}


def satisfied(edge: Edge, phase: Phase) -> bool:
    """Whether what is waited for has come, where that which is waited for is in this phase."""
    return phase in _SATISFYING[edge.when]


def unsatisfiable(edge: Edge, phase: Phase) -> bool:
    """Whether it never will come: an end stays."""
    return phase.ended and phase not in _SATISFYING[edge.when]
