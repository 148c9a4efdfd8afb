"""Which ready jobs start: all of them. Override it for limits and priorities; readiness is the core's."""

from __future__ import annotations

from jobsmgr import JobKey, hookimpl


@hookimpl
def jobsmgr_select_jobs(ready: tuple[JobKey, ...]) -> tuple[JobKey, ...]:
    """Everything that may start starts, in the order of the spec."""
    return ready
