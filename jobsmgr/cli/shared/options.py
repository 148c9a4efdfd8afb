"""Arguments and options that several commands share. What they name is looked up elsewhere."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from jobsmgr.cli.shared import completing
from jobsmgr.cli.shared.values import OneOf

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(allow_dash=True)


def file_argument(function: F) -> F:
    """FILE: one file, folder, or `-`."""
    return click.argument("file", type=_PATH)(function)


def files_argument(function: F) -> F:
    """FILE...: files, folders, or `-`."""
    return click.argument("files", metavar="FILE...", type=_PATH, nargs=-1, required=True)(function)


def exclude_option(function: F) -> F:
    """--exclude: files and folders that are not read."""
    text = "Skip files and folders that match a pattern (templates, *.tmpl.yaml, charts/*). Repeatable."
    return click.option("--exclude", metavar="PATTERN", multiple=True, help=text)(function)


def name_option(function: F) -> F:
    """--name: some workflows of a file that has several."""
    text = "Only the workflow of this name, or those that match a pattern (etl-*). Repeatable."
    return click.option(
        "--name", "names", metavar="NAME", multiple=True, shell_complete=completing.workflows_of_file, help=text
    )(function)


def job_option(function: F) -> F:
    """--job: some jobs of a workflow."""
    text = "Only this job: GROUP/JOB, JOB if only one group has it, or a pattern (load-*). Repeatable."
    return click.option(
        "--job", "jobs", metavar="JOB", multiple=True, shell_complete=completing.jobs_of_file, help=text
    )(function)


def handed_as(name: str, make: Callable[..., Any], *options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Options that a command gets as one argument of that name: what `make` makes of the values, by their names."""
    taken = inspect.signature(make).parameters

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def command(*args: Any, **kwargs: Any) -> Any:
            values = {key: kwargs.pop(key) for key in taken if key in kwargs}
            return function(*args, **kwargs, **{name: make(**values)})

        decorated: Any = command
        for option in reversed(options):
            decorated = option(decorated)
        return cast("F", decorated)

    return decorate


def _values(env: tuple[str, ...], env_files: tuple[str, ...]) -> dict[str, str]:
    from jobsmgr.files.variables import variables

    return variables(env, env_files)


variable_options = handed_as(
    "values",
    _values,
    click.option(
        "--env",
        metavar="NAME=VALUE",
        multiple=True,
        help="Set a variable that the workflow declares in spec.params.env. Repeatable.",
    ),
    click.option(
        "--env-file",
        "env_files",
        metavar="FILE",
        type=_PATH,
        multiple=True,
        help="Read such variables from a file, one per line; --env overrides it. Repeatable.",
    ),
)
"""--env and --env-file as one `values`: name to value."""


def namespace_option(function: F) -> F:
    """-n: the namespace of what names none; `default`, as for kubectl."""
    return click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        default="default",
        callback=_namespace,
        help='Namespace of documents that do not name one. Default: "default".',
    )(function)


def _namespace(ctx: click.Context, param: click.Parameter, value: str) -> str:
    from jobsmgr.api.metadata import namespace_error  # the help needs none of it

    if message := namespace_error(value):
        raise click.BadParameter(message, ctx, param)
    return value


def output_option(*choices: str, help: str = "Output format.") -> Callable[[F], F]:
    """-o: the format of the output; the first one is the default."""
    return click.option("-o", "--output", type=OneOf(choices), default=choices[0], help=help)


def ascii_option(function: F) -> F:
    """--ascii: for terminals and fonts without other characters."""
    return click.option("--ascii", "only_ascii", is_flag=True, help="Draw with ASCII characters only.")(function)
