"""The errors of jobsmgr, each with attributes and one sentence a user can act on. Nothing is caught here."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs

from jobsmgr.api.codes import Code


def quoted(value: object) -> str:
    """A value as an error message quotes it: its JSON, cut short after 60 characters."""
    text = json.dumps(value, default=str, ensure_ascii=False).encode(errors="backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


class Interrupted(KeyboardInterrupt):
    """A signal has interrupted the program: Ctrl-C, or another that is to stop it."""


LONGEST = 1024
"""Characters of an exception that are quoted."""


def described(error: BaseException) -> str:
    """The type and the message of an exception, cut short.

    It may be anybody's: what its own code raises when it is asked for its message is not passed on.
    """
    try:
        message = str(error)
        name = "KeyboardInterrupt" if isinstance(error, Interrupted) else type(error).__name__
        text = f"{name}: {message}" if message else name
    except BaseException:  # noqa: BLE001  isolation is the point: a plugin's exception is a plugin's code
        return "an exception whose message cannot be shown"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


@attrs.frozen
class Problem:
    """One thing that is wrong with a workflow.

    `path` is the field (`spec.groups[0].jobs[1].image`), `message` says what was found there and what to do, `code` is
    the stable code under which `jobsmgr lint` documents it.
    """

    path: str
    message: str
    code: str = Code.WRONG_VALUE

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class JobsmgrError(Exception):
    """Base of every error that jobsmgr raises on purpose."""


class InvalidWorkflow(JobsmgrError):
    """A document that cannot be read as a workflow."""

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{subject} is invalid: {self.problems[0]}{more}")


class PluginError(JobsmgrError):
    """A plugin could not be loaded, raised, or answered what its hook does not allow."""

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        self.plugin, self.hook, self.reason = plugin, hook, reason
        where = f" in {hook}" if hook else ""
        super().__init__(f'plugin "{plugin}"{where}: {reason}')


class FragmentConflict(JobsmgrError):
    """Two plugins gave one name two values."""

    def __init__(self, what: str, first: str, second: str) -> None:
        self.what, self.first, self.second = what, first, second
        super().__init__(
            f'plugins "{first}" and "{second}" set {what} to different values; only one of them may set it'
        )
