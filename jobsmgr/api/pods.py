"""What is known of a Job's pods: what its own status counts, and what they and their events say. Nothing is decided."""

from __future__ import annotations

from enum import Enum, auto

import attrs

IDLE_SECONDS = 20.0
"""How long a Job may have no running pod before that is reported: pulling an image takes as long."""


class PodCount(Enum):
    """What the status of a Job counts of its pods."""

    UNKNOWN = auto()
    """It counts none: a Job on this machine, or one of a Job controller that does not say how many are ready."""
    NONE = auto()
    """None is active."""
    NOT_READY = auto()
    """Some are active, none is ready."""
    READY = auto()


@attrs.frozen
class Why:
    """Why something is as it is: one CamelCase word, and a sentence."""

    reason: str
    message: str = ""


@attrs.frozen(kw_only=True)
class Idle:
    """A Job that has no running pod. Both moments are readings of `Snapshot.clock`."""

    name: str
    """Of the Job."""
    pods: PodCount
    since: float
    due: float
    """When its pods are to be read next; the first time `IDLE_SECONDS` after `since`."""
    why: Why | None = None
    """What they and their events said last; None while that is not known."""
    note: str = ""
    """Why they could not be read."""

    def is_overdue(self, clock: float) -> bool:
        """Whether it has had none for so long that this is reported."""
        return self.since + IDLE_SECONDS <= clock


@attrs.frozen(kw_only=True)
class Ended:
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    """The termination message, or the runtime's words where the container never started."""


@attrs.frozen(kw_only=True)
class Container:
    """A container of a pod, its init containers included."""

    name: str
    image: str = ""
    memory_limit: str = ""
    restarts: int = 0
    waiting: Why | None = None
    """Why it does not run yet, or not again."""
    ended: Ended | None = None
    """How it ended; None while it runs or waits."""
    last: Ended | None = None
    """How it ended the time before."""

    @property
    def end(self) -> Ended | None:
        """How it ended last."""
        return self.ended or self.last

    @property
    def tries(self) -> int:
        """How often it has ended: the try that runs now does not count."""
        return self.restarts + (self.ended is not None or self.waiting is not None)


@attrs.frozen(kw_only=True)
class Pod:
    """What a pod says of itself."""

    uid: str
    name: str = ""
    created: str = ""
    """RFC 3339, UTC; so are all times here. They are only compared with each other."""
    phase: str = ""
    why: Why | None = None
    """`status.reason` and `status.message`: of an evicted pod, or one that a node refused."""
    unscheduled: Why | None = None
    """The condition PodScheduled where it is False."""
    unready: Why | None = None
    """The condition Ready where it does not hold."""
    deleting: bool = False
    containers: tuple[Container, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether it has finished."""
        return self.phase in ("Succeeded", "Failed")


@attrs.frozen(kw_only=True)
class PodEvent:
    """An event about a pod or a Job."""

    reason: str
    message: str = ""
    warning: bool = False
    time: str = ""


@attrs.frozen(kw_only=True)
class PodReport:
    """The pods of a Job as they are now, and the events about the one object that says most."""

    pods: tuple[Pod, ...] = ()
    events: tuple[PodEvent, ...] = ()
