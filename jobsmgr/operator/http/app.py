"""The endpoints of the HTTP server: probes and metrics. What they answer is worked out elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jobsmgr.operator.health import Health, Reasons
from jobsmgr.operator.http.guard import Guard
from jobsmgr.operator.http.settings import HEALTHZ, METRICS, READYZ, STARTUPZ
from jobsmgr.operator.metrics.metrics import Metrics

Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(health: Health, metrics: Metrics, guard: Guard | None = None) -> Starlette:
    """The ASGI application; `guard` decides who may read the metrics, None: everybody may."""
    probes = {HEALTHZ: health.liveness, READYZ: health.readiness, STARTUPZ: health.startup}
    routes = [Route(path, _probe(ask)) for path, ask in probes.items()]
    return Starlette(routes=[*routes, Route(METRICS, _scrape(metrics, guard))], middleware=[Middleware(GZipMiddleware)])


def _probe(ask: Callable[[], Reasons]) -> Endpoint:
    """200 and `ok`, or 503 and a line for each reason."""

    async def answer(_: Request) -> Response:
        reasons = ask()
        return PlainTextResponse("\n".join(reasons or ("ok",)) + "\n", status_code=503 if reasons else 200)

    return answer


def _scrape(metrics: Metrics, guard: Guard | None) -> Endpoint:
    """All metrics in the format that is asked for; encoded in a thread, since the loop has other work."""
    one_at_a_time = anyio.CapacityLimiter(1)

    async def answer(request: Request) -> Response:
        if guard is not None:
            refusal = await guard.refusal(request.headers.get("authorization", ""), METRICS)
            if refusal is not None:
                return refusal
        moment, accept = metrics.now(), request.headers.get("accept", "")
        found = await anyio.to_thread.run_sync(moment.exposition, accept, limiter=one_at_a_time)
        return Response(found.content, media_type=found.media_type)

    return answer
