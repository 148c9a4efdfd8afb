"""Who may read the metrics: the API server is asked, and its answer cached for a while. No role is known here."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import anyio
import structlog
from starlette.responses import PlainTextResponse, Response

from jobsmgr.connection.answers import Unreachable
from jobsmgr.connection.reviews import Verdict, may_get
from jobsmgr.connection.session import Session

_log = structlog.get_logger(__name__)

KEPT_SECONDS = 60.0
"""How long a verdict is cached: a permission that is revoked still works for this time."""
MOST_KEPT = 100
"""Size of the cache; Prometheus has one token."""
_SCHEME = "bearer "
_REFUSALS = {
    Verdict.UNKNOWN: (401, "the token is not known to the API server, or has expired"),
    Verdict.DENIED: (403, 'the holder of the token has no right to "get" this path (nonResourceURLs of a ClusterRole)'),
}


class Guard:
    """Lets requests with a bearer token pass whose holder may `get` their path."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._verdicts: OrderedDict[bytes, tuple[Verdict, float]] = OrderedDict()
        self._said = ""

    async def refusal(self, authorization: str, path: str) -> Response | None:
        """The answer to a request that may not pass; None if it may."""
        scheme, token = authorization[: len(_SCHEME)], authorization[len(_SCHEME) :].strip()
        if scheme.lower() != _SCHEME or not token:
            return _answer(401, "a bearer token is required")
        try:
            verdict = await self._verdict(token, path)
        except Unreachable as error:
            self._say(str(error))
            return _answer(503, "the API server has not said whether you may read this")
        if verdict is Verdict.ALLOWED:
            return None
        return _answer(*_REFUSALS[verdict])

    async def _verdict(self, token: str, path: str) -> Verdict:
        """From the cache, by the token's hash, or from the API server; the token itself is stored nowhere."""
        name, now = hashlib.sha256(f"{path}\0{token}".encode()).digest(), anyio.current_time()
        verdict, until = self._verdicts.get(name, (Verdict.UNKNOWN, now))
        if until > now:
            return verdict
        verdict = await may_get(self._session, token, path)
        self._said = ""
        self._verdicts[name] = verdict, now + KEPT_SECONDS
        self._verdicts.move_to_end(name)
        while len(self._verdicts) > MOST_KEPT:
            self._verdicts.popitem(last=False)
        return verdict

    def _say(self, why: str) -> None:
        """Log why nobody can read the metrics now, once for each reason."""
        if why != self._said:
            self._said = why
            _log.warning("metrics are not served", why=why)


def _answer(code: int, text: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if code == 401 else {}
    return PlainTextResponse(f"{text}\n", status_code=code, headers=headers)
