"""Where the Lease is by default: the same place for a deployed process and for one that is started by hand."""

from __future__ import annotations

import structlog

from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.resources import NAMESPACES
from jobsmgr.connection.session import Session

_log = structlog.get_logger(__name__)

HOME = "jobsmgr"
"""The namespace that `jobsmgr manifests` deploys to."""


async def home_namespace(session: Session, lease: str) -> str:
    """The pod's own namespace; outside of a pod `HOME` if it exists, else that of the kubeconfig's context.

    The last is logged, with the name of the `lease`: an operator that is deployed later uses another Lease. Raises
    `Unreachable`.
    """
    access = await session.access()
    if access.in_pod:
        return access.namespace
    answer = await session.call("GET", NAMESPACES, name=HOME)
    if answer.ok:
        return HOME
    if not answer.says_gone and answer.status != 403:
        raise Unreachable(f'the API server did not say whether the namespace "{HOME}" exists: {answer.message}')
    why = f'the namespace "{HOME}" does not exist' if answer.says_gone else answer.message
    _log.info("the lease is in the namespace of the kubeconfig's context", lease=f"{access.namespace}/{lease}", why=why)
    return access.namespace
