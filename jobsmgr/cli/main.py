"""The program: its commands, and errors as one sentence and an exit code. No command's work is done here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import click

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.cli.shared import signals, streams
from jobsmgr.cli.shared.exits import ExitCode, exit_code
from jobsmgr.cli.shared.group import Lazy, LazyGroup
from jobsmgr.cli.shared.utf8 import ensure_utf8
from jobsmgr.views.escape import printable

COMMANDS = {
    "run": Lazy("jobsmgr.cli.run.command:run", "Run a file's workflows on this machine, without a cluster."),
    "lint": Lazy("jobsmgr.cli.lint:lint", "Check files before they are applied."),
    "explain": Lazy("jobsmgr.cli.explain:explain", "Show which level set each parameter of a job."),
    "graph": Lazy("jobsmgr.cli.graph:graph", "Show the dependency graph of a file or of a workflow on a cluster."),
    "render": Lazy("jobsmgr.cli.render:render", "Print the Jobs that the operator would create."),
    "submit": Lazy("jobsmgr.cli.submit:submit", "Run a file's workflow on a cluster."),
    "list": Lazy("jobsmgr.cli.list:list_workflows", "List the workflows on a cluster."),
    "tree": Lazy("jobsmgr.cli.tree:tree", "Show a workflow on a cluster as a tree, live with -w."),
    "visualize": Lazy("jobsmgr.cli.tree:tree", "Alias of tree."),
    "status": Lazy("jobsmgr.cli.status:status", "Show why a workflow on a cluster is waiting or has failed."),
    "logs": Lazy("jobsmgr.cli.logs:logs", "Print the logs of a workflow's jobs, merged."),
    "wait": Lazy("jobsmgr.cli.wait:wait", "Wait until workflows on a cluster have ended."),
    "suspend": Lazy("jobsmgr.cli.suspend:suspend", "Suspend a workflow: no more jobs start until it is resumed."),
    "resume": Lazy("jobsmgr.cli.resume:resume", "Resume a suspended workflow."),
    "abort": Lazy("jobsmgr.cli.abort:abort", "Stop a workflow and its running jobs."),
    "retry": Lazy("jobsmgr.cli.retry:retry", "Run the failed jobs of a workflow again, and continue from there."),
    "operator": Lazy(
        "jobsmgr.cli.operator.command:operator", "Run the operator, which runs the workflows of a cluster."
    ),
    "manifests": Lazy("jobsmgr.cli.manifests:manifests", "Print the manifests that install the operator."),
    "plugins": Lazy("jobsmgr.cli.plugins:plugins", "Show the plugins that are loaded and where they come from."),
    "version": Lazy("jobsmgr.cli.version:version", "Show the versions of jobsmgr, Python and the packages it uses."),
    "completion": Lazy("jobsmgr.cli.completion:completion", "Print the completion script for a shell."),
}
"""Every command, in the order of the help."""

COMPLETE_VARIABLE = "_JOBSMGR_COMPLETE"


@click.command(
    cls=LazyGroup,
    entries=COMMANDS,
    stand_in="list",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 error, 2 usage, 3 workflow failed, 4 aborted, 124 timeout, 130 interrupted.",
)
@click.version_option(package_name="jobsmgr", message="%(prog)s %(version)s")
def cli() -> None:
    """Run workflows of Jobs on a Kubernetes cluster, or from a file on this machine."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code.

    A user's mistake is one sentence on stderr; with `-v` the traceback comes first.
    """
    if arguments is None:
        ensure_utf8()
    if os.environ.get(COMPLETE_VARIABLE, "").endswith("_complete"):
        from jobsmgr.cli.shared.completing import begin  # no other command needs it so early

        begin()
    given = list(sys.argv[1:] if arguments is None else arguments)
    verbose = "-v" in given or "--verbose" in given
    if not verbose:
        sys.excepthook = _explain
    streams.open_streams()
    signals.see_ends_of_children()
    sys.exit(run(given, verbose))


def run(arguments: list[str], verbose: bool = False) -> int:
    """Run a command; its exit code."""
    try:
        result = cli.main(arguments, program_name(), complete_var=COMPLETE_VARIABLE, standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else ExitCode.DONE
    except click.Abort:
        return ExitCode.INTERRUPT
    except BrokenPipeError:  # the reader (`| head`) has what it wanted
        streams.discard()
        return ExitCode.ERROR
    except OSError as error:
        streams.discard()
        return _report_system(error, verbose)
    except (click.ClickException, JobsmgrError) as error:
        code = _report(error, verbose)
        # Ctrl-C while a plugin was asked comes out as that plugin's failure.
        return ExitCode.INTERRUPT if isinstance(error.__cause__, KeyboardInterrupt) else code
    except RuntimeError as error:
        # Before 3.12, Python raises this in place of what `__set_name__` raises: a signal came while a class was made.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return ExitCode.INTERRUPT
        raise


def program_name() -> str:
    """What the user typed: `jobsmgr`, or `kubectl managedjob` when kubectl called the plugin."""
    return "kubectl managedjob" if Path(sys.argv[0]).name.startswith("kubectl-") else "jobsmgr"


def _report_system(error: OSError, verbose: bool) -> int:
    """What the system refused, a full disk for example: no bug, and nothing that a command could put right."""
    if verbose:
        _show_traceback(error)
    about = f": {error.filename}" if error.filename else ""
    hint = "" if verbose else "; -v shows where"
    click.echo(f"Error: {printable(f'the operating system reports: {error.strerror or error}{about}')}{hint}", err=True)
    return ExitCode.ERROR


def _show_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error)


def _report(error: click.ClickException | JobsmgrError, verbose: bool) -> int:
    if verbose:
        _show_traceback(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return ExitCode.USAGE
    if isinstance(error, click.UsageError):
        hint = f" Try '{error.ctx.command_path} --help'." if error.ctx is not None else ""
        click.echo(f"Error: {printable(_sentence(error))}{hint}", err=True)
        return ExitCode.USAGE
    if isinstance(error, click.ClickException):
        click.echo(f"Error: {printable(error.format_message())}", err=True)
        return error.exit_code
    click.echo(f"Error: {printable(str(error))}", err=True)
    return exit_code(error)


def _sentence(error: click.UsageError) -> str:
    """Click's message on one line (it lists choices on several), ended where it is not."""
    text = " ".join(error.format_message().split())
    return text if text.endswith((".", "?")) else f"{text}."


def _explain(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """What is shown for an error that nobody foresaw."""
    click.echo(f"Error: {kind.__name__}: {error}; this is a bug in jobsmgr, -v shows where", err=True)
