"""How a command ends, as numbers, and the error that chooses one. Nothing is printed here."""

from __future__ import annotations

from enum import IntEnum

from jobsmgr.api.errors import JobsmgrError


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    WORKFLOW_FAILED = 3
    ABORTED = 4
    TIMEOUT = 124  # what timeout(1) gives
    INTERRUPT = 130  # what a shell gives after Ctrl-C


class CommandError(JobsmgrError):
    """A command cannot go on; the message is the one sentence its user sees."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.ERROR) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class UnusableInput(CommandError):
    """A file or option that the command can do nothing with."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


class EmptyInput(UnusableInput):
    """A file without any document."""
