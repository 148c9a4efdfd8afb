"""Completion of commands, options and files in a shell, and under kubectl. Scripts are printed, not installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from click.shell_completion import ShellComplete, get_completion_class

from jobsmgr.cli.main import COMPLETE_VARIABLE, cli
from jobsmgr.cli.shared.completing import begin as completion_begins
from jobsmgr.cli.shared.utf8 import ensure_utf8
from jobsmgr.cli.shared.values import OneOf

_NO_FILES = 4
_DEFAULT = 0
"""Directives of cobra's completion, which kubectl reads: suggest no files; do as the shell does."""


@click.command()
@click.argument("shell", metavar="SHELL", type=OneOf(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish.

    \b
    bash: source <(jobsmgr completion bash)
    zsh:  source <(jobsmgr completion zsh)
    fish: jobsmgr completion fish | source
    """
    click.echo(_completer(shell).source())


def _completer(shell: str) -> ShellComplete:
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f'there is no completion for the shell "{shell}"; use bash, zsh or fish')
    return found(cli, {}, "jobsmgr", COMPLETE_VARIABLE)


def kubectl_complete() -> None:
    """The program `kubectl_complete-managedjob`: answers as kubectl expects of a plugin's completion.

    kubectl calls it with the words so far and reads one candidate a line and then a directive (cobra's protocol).
    """
    ensure_utf8()
    completion_begins(farewell=f":{_NO_FILES}\n".encode())
    answer_kubectl(sys.argv[1:] or [""])


def answer_kubectl(line: Sequence[str]) -> None:
    """Print what may stand in place of the last word, and whether files may."""
    *words, incomplete = line
    found = ShellComplete(cli, {}, "kubectl managedjob", COMPLETE_VARIABLE).get_completions(words, incomplete)
    names = [item for item in found if item.type == "plain"]
    for item in names:
        click.echo(f"{item.value}\t{item.help}" if item.help else item.value)
    click.echo(f":{_NO_FILES if len(names) == len(found) else _DEFAULT}")
