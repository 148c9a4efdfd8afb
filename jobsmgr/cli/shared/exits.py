"""How a command ends, as numbers, and the error that chooses one. Nothing is printed here."""

from __future__ import annotations

from enum import IntEnum

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.status import Phase
from jobsmgr.files.errors import UnusableFile


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    WORKFLOW_FAILED = 3
    ABORTED = 4
    TIMEOUT = 124  # what timeout(1) gives
    INTERRUPT = 130  # what a shell gives after Ctrl-C


_OF_PHASE = {Phase.FAILED: ExitCode.WORKFLOW_FAILED, Phase.ABORTED: ExitCode.ABORTED}


class CommandError(JobsmgrError):
    """A command cannot go on; the message is the one sentence its user sees."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.ERROR) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class UnusableInput(CommandError):
    """An option, or what a file holds, that the command can do nothing with."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


def exit_code(error: JobsmgrError) -> ExitCode:
    """The exit code of a command that ends with this error."""
    if isinstance(error, CommandError):
        return error.exit_code
    return ExitCode.USAGE if isinstance(error, UnusableFile) else ExitCode.ERROR


def code_of(phase: Phase) -> ExitCode:
    """How a command ends that has waited for a workflow."""
    return _OF_PHASE.get(phase, ExitCode.DONE)
