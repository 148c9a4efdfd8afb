"""What a Lease says, and what a holder writes into it; how long others wait for one. No request and no clock here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from jobsmgr.api.codec import parse_time
from jobsmgr.api.fields import Manifest, mapping

LONGER = 0.2
"""The most, as a part of a retry period, that one that cannot lead waits beyond it: the Lease may be given back."""
_CLOSE = 0.1
"""How long after a renewal a look should come, as a part of the period: a renewal's request takes some time."""
LONGEST_DURATION = 600.0
"""Seconds: what a foreign or spoiled Lease may ask others to wait at most."""
_MOST_TRANSITIONS = 2**31 - 2


@attrs.frozen(kw_only=True)
class Timing:
    """The durations of leader election, in seconds, as in client-go.

    `duration`: how long others wait without a renewal; `renew_deadline`: how long a holder goes on without one, so it
    must be shorter; `retry`: between two attempts.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0

    def __attrs_post_init__(self) -> None:
        if not self.duration > self.renew_deadline > self.retry > 0:
            raise ValueError(
                f"lease duration ({self.duration} s) must be longer than the renew deadline ({self.renew_deadline} s),"
                f" and that longer than the retry period ({self.retry} s)"
            )


@attrs.frozen
class ObservedRecord:
    """A holder's renewal, and when (monotonic seconds) we first saw it, as client-go's `observedRecord`."""

    record: tuple[Any, ...]
    holder: str
    duration: float
    seen_at: float

    @property
    def expires(self) -> float:
        """When (monotonic seconds) we may take over if no other renewal is seen."""
        return self.seen_at + self.duration if self.holder else -math.inf


def spec_of(raw: Manifest) -> Mapping[str, Any]:
    """The spec of a Lease; empty if it has none."""
    return mapping(raw.get("spec"))


def holder_of(raw: Manifest) -> str:
    """Who holds a Lease; empty if nobody does."""
    return str(spec_of(raw).get("holderIdentity") or "")


def renewal_seen(raw: Manifest) -> tuple[Any, ...]:
    """What changes with each renewal, and with nothing else."""
    spec = spec_of(raw)
    return tuple(spec.get(key) for key in ("holderIdentity", "renewTime", "acquireTime", "leaseTransitions"))


def duration_of(raw: Manifest, timing: Timing) -> float:
    """Seconds to wait for a holder's renewal: what it says itself, if that makes sense."""
    said = spec_of(raw).get("leaseDurationSeconds")
    return min(LONGEST_DURATION, max(timing.duration, said if isinstance(said, int) else 0))


def shift(raw: Manifest, now: datetime, period: float) -> float:
    """Seconds by which a standby should put off its looks, one a period, so that they come just after renewals.

    Each waits from the moment at which it has seen a renewal, so it takes over the sooner after a crash the sooner it
    sees one. `now` is the time of a look by our own clock. If the holder's clock differs, so does the moment of the
    looks, and nothing else: they have to come at some moment. It takes a few looks where they come long after.
    """
    renewed = parse_time(spec_of(raw).get("renewTime"))
    if renewed is None:
        return 0.0
    age, close = (now - renewed).total_seconds(), period * _CLOSE
    if age >= period:  # the next renewal was on its way; or there is none any more
        return close
    return 0.0 if 0 <= age <= period / 2 else min((close - age) % period, period * LONGER)


def claim(raw: Manifest | None, identity: str, timing: Timing, now: str) -> dict[str, Any]:
    """What of its spec we write to renew a Lease, take it over, or make it (None); `now` is a `metav1.MicroTime`."""
    renewal = {
        "holderIdentity": identity,
        "leaseDurationSeconds": math.ceil(timing.duration),
        "renewTime": now,
    }
    if raw is None:
        return renewal | {"acquireTime": now, "leaseTransitions": 0}
    if holder_of(raw) == identity:
        return renewal
    before = spec_of(raw).get("leaseTransitions")
    count = before + 1 if isinstance(before, int) and 0 <= before < _MOST_TRANSITIONS else 0
    return renewal | {"acquireTime": now, "leaseTransitions": count}


def given_back(raw: Manifest, now: str) -> dict[str, Any]:
    """What of its spec we write to give a Lease back; complete, so that it differs from one that somebody emptied."""
    spec = spec_of(raw)
    return {
        "holderIdentity": "",
        "leaseDurationSeconds": 1,
        "renewTime": now,
        "acquireTime": spec.get("acquireTime") or now,
        "leaseTransitions": spec.get("leaseTransitions") or 0,
    }


def is_given_back(raw: Manifest) -> bool:
    """Whether its holder gave a Lease back, as `given_back` writes it: then nobody is waited for."""
    spec = spec_of(raw)
    complete = all(spec.get(key) is not None for key in ("renewTime", "acquireTime", "leaseTransitions"))
    return spec.get("holderIdentity") == "" and spec.get("leaseDurationSeconds") == 1 and complete
