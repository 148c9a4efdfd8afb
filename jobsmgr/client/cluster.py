"""One cluster as one user sees it: objects read, written and watched, logs read. What they mean is not known here."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import attrs

from jobsmgr.api.fields import Manifest, mapping, sequence
from jobsmgr.client.failures import refusal
from jobsmgr.connection.answers import Answer
from jobsmgr.connection.decoding import code_of, items_of, lines_of, metadata_of, status_of, version_of, watch_event
from jobsmgr.connection.resources import MERGE_PATCH, METADATA_ALONE, OPENAPI, PODS, Resource
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target

PAGE = 500
"""Objects of one page of a list, as kubectl asks for."""
WATCH_SECONDS = (240, 300)
"""How long a watch lasts before it is opened anew."""
SILENCE = 90.0
"""Seconds without even a bookmark, of which a server sends one a minute, after which a watch is taken for dead."""
CONNECTIONS = 20


@attrs.frozen(kw_only=True)
class Query:
    """Which objects: all of a resource in a namespace (empty: in all), narrowed by label and field selectors."""

    resource: Resource
    namespace: str = ""
    labels: str = ""
    fields: str = ""

    @classmethod
    def named(cls, resource: Resource, namespace: str, name: str) -> Query:
        """The one object of that name."""
        return cls(resource=resource, namespace=namespace, fields=f"metadata.name={name}")

    def params(self) -> dict[str, str]:
        """The request's query."""
        selectors = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {key: value for key, value in selectors.items() if value}


@attrs.frozen
class Listing:
    """The objects of a list, and the version from which a watch goes on."""

    items: tuple[Manifest, ...]
    version: str


class Cluster:
    """A session with the rights of the kubeconfig's user. Each method raises `RequestRefused` or `Unreachable`."""

    def __init__(self, session: Session, timeout: float | None) -> None:
        self._session = session
        self._limits: dict[str, Any] = {} if timeout is None else {"timeout": timeout}

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, kubeconfig: str | None, context: str | None, timeout: float | None
    ) -> AsyncGenerator[Cluster, None]:
        """The cluster that a kubeconfig names, until the block ends.

        `timeout` is the limit of each request that is no watch, in seconds; None: the default's.
        """
        target = Target(kubeconfig=kubeconfig, context=context, identity="kubectl-managedjob")
        async with Session.connect(target, "client", CONNECTIONS) as session:
            yield cls(session, timeout)

    async def own_namespace(self) -> str:
        """The namespace of the kubeconfig's context."""
        return (await self._session.access()).namespace

    async def list(self, query: Query) -> Listing:
        """All that the query names, page by page."""
        items: list[Manifest] = []
        params: dict[str, Any] = {**query.params(), "limit": PAGE}
        while True:
            body = await self._call("GET", query.resource, query.namespace, params=params)
            # An item of a list does not say what it is; what is printed must.
            kind = {"apiVersion": query.resource.group_version, "kind": query.resource.kind}
            items += ({**kind, **item} for item in items_of(body) if isinstance(item, dict))
            metadata = metadata_of(body)
            if not (token := metadata.get("continue")):
                return Listing(tuple(items), version_of(metadata))
            params["continue"] = token

    async def names(self, query: Query) -> Sequence[str]:
        """The names of all that the query names; of each object the server sends its metadata alone."""
        body = await self._call("GET", query.resource, query.namespace, params=query.params(), accept=METADATA_ALONE)
        return tuple(str(metadata_of(mapping(item)).get("name")) for item in items_of(body))

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest:
        """One object; `name` may go on with a subresource. Raises `DoesNotExist`."""
        return await self._call("GET", resource, namespace, name)

    async def create(self, resource: Resource, namespace: str, body: Manifest, dry_run: str = "") -> Manifest:
        """The object as the server has stored it, or with `dry_run="All"` would store it."""
        return await self._call("POST", resource, namespace, body=body, params=_strict(dry_run))

    async def patch(self, resource: Resource, namespace: str, name: str, body: Manifest, dry_run: str = "") -> Manifest:
        """The object after a merge patch."""
        params = _strict(dry_run)
        return await self._call("PATCH", resource, namespace, name, body=body, params=params, content_type=MERGE_PATCH)

    async def schema(self, resource: Resource) -> Manifest:
        """The schema of a group's objects that the server publishes; empty where it does not, or not to this user."""
        document = Resource(resource.group, resource.version, resource.kind)
        answer = await self._session.call("GET", document, base=OPENAPI, **self._limits)
        for schema in mapping(mapping(answer.body.get("components")).get("schemas")).values():
            for kind in sequence(mapping(schema).get("x-kubernetes-group-version-kind")):
                if mapping(kind).get("kind") == resource.kind:
                    return mapping(schema)
        return {}

    async def events(self, query: Query, version: str) -> AsyncGenerator[tuple[str, Manifest], None]:
        """What happens to the query's objects after a version, by type, until the server ends the watch.

        Bookmarks are among them. Raises `Expired` for a version that is too old.
        """
        params = {
            **query.params(),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": random.randint(*WATCH_SECONDS),
        }
        opened = self._opened(query.resource, query.namespace, params, SILENCE)
        async with opened as response, aclosing(lines_of(response)) as lines:
            async for line in lines:
                kind, raw = watch_event(line)
                if kind == "ERROR":
                    raise refusal(Answer(status=code_of(raw), body=raw), query.resource, query.namespace, "")
                yield kind, raw

    async def log(self, namespace: str, pod: str, params: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """A pod's log in pieces as they come; with `follow` among the parameters until its container ends."""
        path = f"{pod}/log"
        async with self._opened(PODS, namespace, params, None, path) as response:
            async for chunk in response.aiter_bytes():
                yield chunk

    @asynccontextmanager
    async def _opened(
        self, resource: Resource, namespace: str, params: Mapping[str, Any], silence: float | None, name: str = ""
    ) -> AsyncGenerator[Any, None]:
        """The response, httpx's, of a watch or a log that the server has agreed to send."""
        async with self._session.stream(resource, namespace, params, silence, name) as response:
            if not response.is_success:  # 204: the log of a pod that has no node yet
                answer = Answer(status=response.status_code, body=status_of(await response.aread()))
                raise refusal(answer, resource, namespace, name)
            yield response

    async def _call(self, method: str, resource: Resource, namespace: str, name: str = "", **request: Any) -> Manifest:
        answer = await self._session.call(method, resource, namespace, name, **self._limits, **request)
        if not answer.ok:
            raise refusal(answer, resource, namespace, name)
        return answer.body


def _strict(dry_run: str) -> dict[str, str]:
    """A write whose mistyped fields are refused, as kubectl's are."""
    return {"fieldValidation": "Strict", **({"dryRun": dry_run} if dry_run else {})}
