"""What the operator has to be allowed to do with Leases. The shipped roles are made of this. Nothing is asked here."""

from __future__ import annotations

from jobsmgr.connection.resources import LEASES, Right

NAME = "jobsmgr"
"""The Lease's name, unless an option gives another; the shipped roles allow this one."""


def lead(name: str) -> tuple[Right, ...]:
    """To lead by the Lease of a name, in the operator's own namespace. A create cannot be limited to a name."""
    return (Right("create", LEASES), Right("get", LEASES, name=name), Right("update", LEASES, name=name))


def find_rivals(name: str) -> Right:
    """Optional: to warn of another operator that leads by a Lease of this name in another namespace."""
    return Right("list", LEASES, name=name)
