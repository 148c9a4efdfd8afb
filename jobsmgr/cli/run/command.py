"""`jobsmgr run`: a file's workflows on this machine, from options. How they are run is `assembly`'s and `local`'s."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from jobsmgr.cli.shared.completing import jobs_of_file
from jobsmgr.cli.shared.options import ascii_option, exclude_option, name_option, namespace_option, variable_options
from jobsmgr.cli.shared.values import OneOf, WholeNumber

T = TypeVar("T")


def _rules(parse: Callable[[str], T]) -> Callable[..., tuple[tuple[str, T], ...]]:
    """A callback that reads `JOB=VALUE`, or VALUE alone for every job."""

    def read(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, T], ...]:
        from jobsmgr.local.simulation import pattern_of

        rules = []
        for value in values:
            job, equals, text = value.rpartition("=")
            try:
                rules.append((pattern_of(job) if equals else "*", parse(text)))
            except ValueError as error:
                raise click.BadParameter(str(error), ctx, param) from None
        return tuple(rules)

    return read


def _duration(text: str) -> float:
    from jobsmgr.api.durations import parse_duration

    return parse_duration(text)


def _exit_codes(text: str) -> tuple[int, ...]:
    from jobsmgr.local.simulation import parse_exit_codes

    return parse_exit_codes(text)


_FILE = click.Path(allow_dash=True)
_WORDS = "jobsmgr.words"


class _Run(click.Command):
    """Keeps the words that it was given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WORDS] = tuple(args)
        return super().parse_args(ctx, args)


@click.command(cls=_Run)
@click.argument("file", type=_FILE, metavar="FILE", required=False)
@click.option(
    "-f",
    "--file",
    "more",
    type=_FILE,
    multiple=True,
    metavar="MORE",
    help="Additional file or folder with ConfigMaps and Secrets. Repeatable.",
)
@exclude_option
@name_option
@namespace_option
@variable_options
@click.option(
    "--executor",
    type=OneOf(["container", "process", "simulate"]),
    default="container",
    help="container (default): with podman or docker; process: directly on this machine, without isolation; simulate:"
    " run nothing, in virtual time.",
)
@click.option("-j", "--parallelism", type=WholeNumber(1), metavar="N", help="Run at most N jobs at the same time.")
@click.option("--fail-fast", is_flag=True, help="Stop everything as soon as a job has failed.")
@click.option(
    "--only",
    metavar="JOB",
    multiple=True,
    shell_complete=jobs_of_file,
    help="Run only this job and ignore its dependencies. JOB is a name, GROUP/JOB or a pattern (load-*). Repeatable.",
)
@click.option(
    "--from",
    "starts",
    metavar="JOB",
    multiple=True,
    shell_complete=jobs_of_file,
    help="Run this job and all jobs that come after it; assume that the others have succeeded. Repeatable.",
)
@click.option(
    "--retry",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Continue an earlier run with --output-dir DIR: succeeded jobs are kept, all others run again.",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a log file for each try (DIR/WORKFLOW/GROUP/JOB-TRY.log) and DIR/result.json.",
)
@click.option("--allow-host-path", is_flag=True, help="Allow jobs to mount paths of this machine (hostPath volumes).")
@click.option(
    "--duration",
    "durations",
    multiple=True,
    callback=_rules(_duration),
    metavar="[JOB=]TIME",
    help="simulate: how long jobs take (90s, 250ms, 1h30m); JOB is a name, GROUP/JOB or a pattern (load-*).",
)
@click.option(
    "--exit-code",
    "exit_codes",
    multiple=True,
    callback=_rules(_exit_codes),
    metavar="[JOB=]CODES",
    help="simulate: exit codes of jobs; 1,0: the first try fails, all later tries succeed.",
)
@click.option(
    "--show-secrets", is_flag=True, help="Show values of Secrets in the output of jobs. Default: they appear as ***."
)
@click.option("--logs/--no-logs", default=True, help="Print the output of jobs, with the job's name before each line.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the last line, which is the result.")
@ascii_option
@click.pass_context
def run(
    ctx: click.Context,
    file: str | None,
    more: tuple[str, ...],
    exclude: tuple[str, ...],
    names: tuple[str, ...],
    namespace: str,
    values: Mapping[str, str],
    executor: str,
    parallelism: int | None,
    fail_fast: bool,
    only: tuple[str, ...],
    starts: tuple[str, ...],
    retry: Path | None,
    output_dir: Path | None,
    allow_host_path: bool,
    durations: tuple[tuple[str, float], ...],
    exit_codes: tuple[tuple[str, tuple[int, ...]], ...],
    show_secrets: bool,
    logs: bool,
    quiet: bool,
    only_ascii: bool,
) -> int:
    """Run the workflows in FILE ("-": standard input) on this machine, without a cluster.

    Jobs run in containers (podman or docker), as processes, or are only simulated (--executor). ConfigMaps and Secrets
    that they use must be in FILE or in a file given with -f. Ctrl-C stops the jobs and gives them their grace period; a
    second Ctrl-C kills them. docs/run.md says what is isolated and what is not.

    Exit codes: 0 if all jobs succeeded, 1 after an error of this machine, 2 for an invalid file or option, 3 if a job
    failed, 4 if jobs were not started, 130 after an interrupt.
    """
    if file is None:  # not click's own check: people write -f, as for kubectl
        hint = " Give it without -f; -f is for additional files." if more else ""
        raise click.UsageError(f"Missing argument 'FILE'.{hint}", ctx)
    if only and starts:
        raise click.UsageError("--only runs just these jobs, --from also all jobs after them; use one of the two", ctx)
    if retry is not None and (only or starts):
        raise click.UsageError("--retry selects the jobs itself; remove --only and --from", ctx)
    if (durations or exit_codes) and executor != "simulate":
        raise click.UsageError("--duration and --exit-code need --executor simulate", ctx)
    # Imported late: --help needs none of it.
    from jobsmgr.cli.run.assembly import run_file
    from jobsmgr.cli.run.inputs import RunOptions, Selection
    from jobsmgr.cli.shared.printing import draws_live, palette_of
    from jobsmgr.local.former import FormerRun

    former = None if retry is None else FormerRun.read(retry)
    options = RunOptions(
        executor=executor,
        selection=Selection(
            exclude=exclude,
            names=names,
            namespace=namespace,
            only=only,
            starts=starts,
            former=former,
            values=values,
        ),
        environment=dict(os.environ),
        palette=palette_of(only_ascii=only_ascii),
        program=ctx.command_path,
        words=ctx.meta[_WORDS],
        live=draws_live() and not quiet,
        logs=logs,
        quiet=quiet,
        parallelism=parallelism,
        fail_fast=fail_fast,
        allow_host_path=allow_host_path,
        show_secrets=show_secrets,
        output_dir=output_dir or retry,
        durations=durations,
        exit_codes=exit_codes,
    )
    return run_file(file, more, options)
