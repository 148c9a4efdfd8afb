"""What is answered to HTTP requests: the probes. What they find is worked out elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jobsmgr.operator.health import Health, Reasons

HEALTHZ, READYZ, STARTUPZ = "/healthz", "/readyz", "/startupz"

Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(health: Health) -> Starlette:
    """The ASGI application."""
    probes = {HEALTHZ: health.liveness, READYZ: health.readiness, STARTUPZ: health.startup}
    return Starlette(routes=[Route(path, _probe(ask)) for path, ask in probes.items()])


def _probe(ask: Callable[[], Reasons]) -> Endpoint:
    """200 and `ok`, or 503 and a line for each reason."""

    async def answer(_: Request) -> Response:
        reasons = ask()
        return PlainTextResponse("\n".join(reasons or ("ok",)) + "\n", status_code=503 if reasons else 200)

    return answer
