"""The wall clock, for times that people read in events and leases. Nothing is ever decided by it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - a shell's clock; the core gets its time as an argument
