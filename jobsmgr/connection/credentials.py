"""Credentials kept fresh, the same for all sessions and never another cluster's. No request is sent here."""

from __future__ import annotations

import time

import anyio
import structlog

from jobsmgr.connection import kubeconfig
from jobsmgr.connection.access import Access
from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.exec_plugin import ExecPlugin

_log = structlog.get_logger(__name__)

MAX_AGE = 60.0
"""Seconds after which files are read again: kubelet replaces a token long before the old one expires."""


class Credentials:
    """How to reach the cluster that the files named when they were first read, for as long as the process lives."""

    def __init__(self, explicit: str | None, context: str | None) -> None:
        self._explicit, self._context = explicit, context
        self._lock = anyio.Lock()
        self._loaded: Access | None = None
        self._access: Access | None = None
        self._read_at = 0.0
        self._plugin: ExecPlugin | None = None

    @property
    def awaited(self) -> str:
        """Who has not answered, for messages: a plugin while it runs, else the API server."""
        return self._plugin.name if self._plugin is not None and self._plugin.is_running else "the API server"

    async def access(self) -> Access:
        """How to reach the cluster now; the same object while nothing has changed.

        Raises `NotConfigured`, and `Unreachable` for a plugin that fails.
        """
        async with self._lock:
            if self._loaded is None or time.monotonic() - self._read_at >= MAX_AGE:
                await self._read()
            return await self._complete()

    async def read_again(self, used: Access) -> Access:
        """After a TLS handshake that failed with `used`: what the files say now."""
        async with self._lock:
            if used is self._access:
                await self._read()
            return await self._complete()

    async def refused(self, used: Access) -> Access:
        """After a 401 to `used`: read the files again, or ask the plugin again."""
        async with self._lock:
            if used is self._access:
                if self._plugin is not None:
                    self._plugin.forget()
                await self._read()
            return await self._complete()

    async def _read(self) -> None:
        """Read the files; what cannot be read now stays as it was, the server will say if it is bad."""
        self._read_at = time.monotonic()
        try:
            loaded = await anyio.to_thread.run_sync(self._load)
        except NotConfigured as error:
            if self._loaded is None:
                raise
            _log.warning("the credentials could not be reloaded", error=str(error))
            return
        if self._loaded is not None and loaded.server != self._loaded.server:
            _log.warning("the kubeconfig now names another server; restart jobsmgr to use it", server=loaded.server)
            return
        # From now on it is this context, whichever becomes the current one.
        self._loaded, self._context = loaded, loaded.context or self._context

    def _load(self) -> Access:
        """What the files say, tried where it is new: to read all the certificates that a system trusts takes long."""
        loaded = kubeconfig.load(self._explicit, self._context)
        if loaded != self._loaded:
            loaded.ssl_context()
        return loaded

    async def _complete(self) -> Access:
        """What was read, with what the plugin answers."""
        access = self._loaded
        assert access is not None, "it was read before"
        if access.plugin is not None and access.plugin_cluster is not None:
            if self._plugin is None or not self._plugin.is_for(access):
                self._plugin = ExecPlugin(access.plugin, access.plugin_cluster)
            access = (await self._plugin.credential()).added_to(access)
        if self._access is None or access != self._access:
            self._access = access
        return self._access
