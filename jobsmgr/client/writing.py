"""Workflows created and changed, and what an older CRD would drop of them. Which is written is not decided here."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from jobsmgr.api.codes import Code
from jobsmgr.api.fields import Manifest
from jobsmgr.api.validation import schema_problems
from jobsmgr.client.cluster import Cluster
from jobsmgr.client.failures import Invalid, OutdatedCrd
from jobsmgr.client.records import Record
from jobsmgr.connection.resources import WORKFLOWS


async def create(cluster: Cluster, body: Manifest, dry_run: str = "") -> Record:
    """The workflow as it is stored. Raises `OutdatedCrd` where a part of it could not be."""
    async with _explained(cluster, body):
        return Record(await cluster.create(WORKFLOWS, body["metadata"]["namespace"], body, dry_run))


async def patch(cluster: Cluster, record: Record, body: Manifest, dry_run: str = "") -> None:
    """Change a stored workflow by a merge patch. Raises `OutdatedCrd` where a part of it could not be stored."""
    async with _explained(cluster, body):
        await cluster.patch(WORKFLOWS, record.namespace, record.name, body, dry_run)


async def require(cluster: Cluster, body: Manifest) -> None:
    """Raise `OutdatedCrd` if the cluster's ManagedJob lacks fields of this part of one.

    A server that does not publish its schema is given the benefit of the doubt.
    """
    problems = schema_problems(body, await cluster.schema(WORKFLOWS), "") if body else []
    missing = [problem.path.removeprefix(".") for problem in problems if problem.code == Code.UNKNOWN_FIELD]
    if missing:
        raise OutdatedCrd(missing)


@asynccontextmanager
async def _explained(cluster: Cluster, body: Manifest) -> AsyncGenerator[None, None]:
    """A refusal that names no field in a way that a program can read: the schema is read only then."""
    try:
        yield
    except Invalid:
        await require(cluster, body)
        raise
