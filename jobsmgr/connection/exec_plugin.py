"""Credentials from another program, a kubeconfig's `exec`, run as kubectl runs it. No file is read here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from subprocess import DEVNULL, PIPE
from typing import Any

import attrs
import structlog

from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.connection import clock
from jobsmgr.connection.access import Access, bearer
from jobsmgr.connection.answers import NotConfigured, Unreachable
from jobsmgr.files.composer import compose
from jobsmgr.files.positions import SyntaxProblem, TooMuch

_log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds after which the log says that a plugin is waited for: it may be waiting for somebody to log in."""
_VERSIONS = tuple(f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))


@attrs.frozen
class Credential:
    """What a plugin has answered: a token, as its header, or certificate and key, until they expire."""

    authorization: str = attrs.field(default="", repr=False)
    certificate: str = ""
    key: str = attrs.field(default="", repr=False)
    expires: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Whether it has not expired."""
        return self.expires is None or clock.now() <= self.expires

    def added_to(self, access: Access) -> Access:
        """Access with this credential."""
        return attrs.evolve(
            access,
            authorization=self.authorization,
            certificate=self.certificate.encode(),
            key=self.key.encode(),
        )


class ExecPlugin:
    """One plugin for one cluster; its answer serves until it expires or is refused."""

    def __init__(self, settings: Manifest, cluster: Manifest) -> None:
        self._settings = settings
        self._cluster = cluster
        self.name = f'the credential plugin "{settings["command"]}"'
        self._known: Credential | None = None
        self._running: asyncio.Task[Credential] | None = None

    def is_for(self, access: Access) -> bool:
        """Whether this is the plugin that `access` needs."""
        return (self._settings, self._cluster) == (access.plugin, access.plugin_cluster)

    @property
    def is_running(self) -> bool:
        """Whether its answer is waited for."""
        return self._running is not None

    def forget(self) -> None:
        """Ask again next time: the API server has refused its answer."""
        self._known = None

    async def credential(self) -> Credential:
        """Its answer, which is waited for as long as it takes. Raises `NotConfigured`, `Unreachable`.

        It is started once, however many ask; and it goes on when one that asked has no more time.
        """
        if self._known is not None and self._known.is_good:
            return self._known
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(self._ended)
        return await asyncio.shield(self._running)

    def _ended(self, task: asyncio.Task[Credential]) -> None:
        self._running = None
        if not task.cancelled() and task.exception() is None:
            self._known = task.result()

    async def _run(self) -> Credential:
        if self._settings["apiVersion"] not in _VERSIONS:
            raise NotConfigured(f"{self.name}: exec.apiVersion must be one of {', '.join(_VERSIONS)}")
        command = [self._settings["command"], *self._settings.get("args", ())]
        stdin = None if (interactive := self._is_interactive()) else DEVNULL
        timer = asyncio.get_running_loop().call_later(PATIENCE, self._say_that_it_takes_long)
        try:
            code, output = await _output_of(command, stdin, self._environment(interactive))
        except (OSError, ValueError) as error:  # the latter for what cannot be an argument or a variable
            why, hint = getattr(error, "strerror", None) or error, self._settings.get("installHint", "")
            raise NotConfigured(f"{self.name} cannot be started: {why}. {hint}".rstrip()) from error
        finally:
            timer.cancel()
        if code:
            raise Unreachable(f"{self.name} failed with exit code {code}; its stderr says why")
        try:
            return _credential(output, self._settings["apiVersion"])
        except (ValueError, SyntaxProblem, TooMuch) as error:
            raise Unreachable(f"{self.name} returned an invalid answer: {error}") from error

    def _say_that_it_takes_long(self) -> None:
        _log.warning("waiting", why=f"{self.name} has not answered yet")

    def _is_interactive(self) -> bool:
        """Whether the plugin may ask on our standard input."""
        mode, terminal = self._settings.get("interactiveMode"), sys.stdin is not None and sys.stdin.isatty()
        if mode == "Always" and not terminal:
            raise NotConfigured(f"{self.name} needs a terminal (interactiveMode is Always), and there is none")
        return mode != "Never" and terminal

    def _environment(self, interactive: bool) -> Mapping[str, str]:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._settings.get("provideClusterInfo"):
            spec["cluster"] = self._cluster
        told = {"kind": "ExecCredential", "apiVersion": self._settings["apiVersion"], "spec": spec}
        added = {each["name"]: each.get("value") or "" for each in self._settings.get("env", ())}
        return {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(told)}


async def _output_of(command: list[str], stdin: int | None, environment: Mapping[str, str]) -> tuple[int, bytes]:
    """Exit code and output of a command. It is ended when we are: it may wait for a person who never comes."""
    process = await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=PIPE, env=environment)
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output


def _credential(output: bytes, version: str) -> Credential:
    """A plugin's answer. Raises `ValueError` and what `compose` raises."""
    answer: Any = next((one.value for one in compose(output.decode())), None)
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise ValueError("it is not an ExecCredential")
    if answer.get("apiVersion") != version:
        raise ValueError(f"its apiVersion is {answer.get('apiVersion')}, but {version} was requested")
    status = mapping(answer.get("status"))
    keys = ("token", "clientCertificateData", "clientKeyData", "expirationTimestamp")
    found = [status.get(key) or "" for key in keys]
    token, certificate, key, expires = found
    if not all(isinstance(each, str) for each in found):
        raise ValueError("the fields of its status must be strings")
    if not (token or certificate or key) or bool(certificate) != bool(key):
        raise ValueError("its status must have a token, or both clientCertificateData and clientKeyData")
    return Credential(bearer(token) if token else "", certificate, key, _moment(expires) if expires else None)


def _moment(text: str) -> datetime:
    """A moment with its time zone, as Kubernetes has them. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"its expirationTimestamp {text} has no time zone")
    return moment
