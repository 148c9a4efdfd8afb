"""Who may read the metrics, as a real API server says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from jobsmgr.connection.exchange import Exchange
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from jobsmgr.operator.http.guard import Guard
from tests.plane.eventually import eventually
from tests.plane.site import Site

pytestmark = pytest.mark.fast_plane

PATH = "/metrics"
ROLE = {
    "metadata": {"name": "metrics-reader"},
    "rules": [{"nonResourceURLs": [PATH], "verbs": ["get"]}],
}
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@asynccontextmanager
async def guarded(site: Site, user: str, sent: list[Exchange]) -> AsyncIterator[Guard]:
    """A guard of an operator that is this user."""
    target = Target(kubeconfig=str(site.plane.kubeconfig(user)), observe=sent.append)
    session = Session(target, "reviews", connections=2)
    yield Guard(session)
    await session.aclose()


def token(site: Site, account: str) -> str:
    """The token of a service account in the test's namespace."""
    return site.plane.service_account_token(site.namespace, account, secret=account)


def allow(site: Site, account: str) -> None:
    """Let a service account read the metrics."""
    site.plane.create_if_missing(f"{RBAC}/clusterroles", ROLE)
    binding = {
        "metadata": {"name": f"{site.namespace}-{account}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "metrics-reader"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": site.namespace}],
    }
    site.plane.create_if_missing(f"{RBAC}/clusterrolebindings", binding)
    user = f"system:serviceaccount:{site.namespace}:{account}"
    asked = {"spec": {"user": user, "nonResourceAttributes": {"path": PATH, "verb": "get"}}}
    review = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    eventually(lambda: site.plane.call("POST", review, asked)["status"]["allowed"], "the role is in force")


async def code(guard: Guard, authorization: str) -> int:
    """The code that a request is answered with."""
    refusal = await guard.refusal(authorization, PATH)
    return 200 if refusal is None else refusal.status_code


async def test_only_those_who_may_get_the_path(site: Site) -> None:
    """By their role; a token that nobody has, and none at all, is another answer. Prometheus is asked about once."""
    allow(site, "prometheus")
    sent: list[Exchange] = []
    async with guarded(site, "admin", sent) as guard:
        good = f"Bearer {token(site, 'prometheus')}"
        assert [await code(guard, good) for _ in range(5)] == [200] * 5
        assert [exchange.resource for exchange in sent] == ["tokenreviews", "subjectaccessreviews"]
        assert await code(guard, f"bearer {token(site, 'stranger')}") == 403
        assert await code(guard, "Bearer nonsense") == 401
        asked = len(sent)
        assert [await code(guard, wrong) for wrong in ("", "Bearer ", "Basic dXNlcjpwYXNz")] == [401] * 3
        assert len(sent) == asked


async def test_an_operator_without_the_right_to_ask(site: Site) -> None:
    """Nobody may read them then, and the operator's log says which right is missing."""
    async with guarded(site, "operator", []) as guard:
        refusal = await guard.refusal(f"Bearer {token(site, 'prometheus')}", PATH)
    assert refusal is not None
    assert (refusal.status_code, refusal.body) == (503, b"the API server has not said whether you may read this\n")
    assert "tokenreviews.authentication.k8s.io" in guard._said
