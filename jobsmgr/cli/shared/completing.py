"""What a shell is offered for a word: workflows, jobs, contexts, namespaces. What cannot be found out is not offered.

Nothing is said on stderr: a person is in the middle of a line.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from jobsmgr.api.errors import JobsmgrError

if TYPE_CHECKING:
    from click.shell_completion import BashComplete, CompletionItem

    from jobsmgr.api.workflow import JobKey
    from jobsmgr.client.cluster import Cluster
    from jobsmgr.connection.resources import Resource

    Offers: TypeAlias = list[CompletionItem[str]]

T = TypeVar("T")

SECONDS = 0.9
"""How long a search may take, the start of the program included; without an answer nothing is offered."""
SHORTEST = 0.01
"""Seconds of a timer that is to end at once: 0 would switch it off."""
_START_TIME = 19
"""Where it is in /proc/PID/stat (proc_pid_stat(5), field 22), counted from the state."""
SECONDS_VARIABLE = "JOBSMGR_COMPLETION_SECONDS"
"""The variable that sets another limit, for those whose cluster is far away."""

_Find: TypeAlias = Callable[[click.Context], Iterable[tuple[str, str]]]
"""Finds what there is for a word, each with a description, from the words before it."""


def begin(farewell: bytes = b"") -> None:
    """Make this process one that completes: silent but for its answer, and at its end when the time is up.

    `farewell` is what it writes in that case. Credential plugins neither write to the terminal nor read from it.
    """
    from click.shell_completion import add_completion_class

    add_completion_class(_bash())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 2)

    def leave(*_: object) -> None:
        os.write(1, farewell)
        os._exit(0)  # at once: connections would be closed in peace, which takes as long as the server likes

    signal.signal(signal.SIGALRM, leave)
    _Word.bounded = True


def _limit() -> float:
    try:
        return float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    except ValueError:
        return SECONDS


def _elapsed() -> float:
    """Seconds since the process was started, which a busy machine takes long for; 0 where the system does not say."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")


def _bash() -> type[BashComplete]:
    from click.shell_completion import BashComplete

    class Bash(BashComplete):
        """Bash takes the `=` of `--job=JOB` for a word of its own, which click knows of the last word alone."""

        def get_completion_args(self) -> tuple[list[str], str]:
            words, incomplete = super().get_completion_args()
            return [word for word in words if word != "="], incomplete

    return Bash


class _Word:
    """A word's completion by what some function finds, as click asks for it."""

    bounded = False
    """Whether the search ends this process when the time is up; commands, options and choices need no search."""

    def __init__(self, find: _Find) -> None:
        self._find = find

    def __call__(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
        from click.shell_completion import CompletionItem

        if self.bounded:
            signal.setitimer(signal.ITIMER_REAL, max(_limit() - _elapsed(), SHORTEST))
        try:
            found = dict(self._find(ctx))
        except JobsmgrError:
            return []
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        given = ctx.params.get(param.name or "")
        without = set(given) if isinstance(given, tuple) else set()
        return [
            CompletionItem(value, help=text or None)
            for value, text in found.items()
            if value.startswith(incomplete) and value not in without
        ]


# From a cluster


def _workflow_names(ctx: click.Context) -> Iterator[tuple[str, str]]:
    from jobsmgr.connection.resources import WORKFLOWS

    yield from ((name, "") for name in _names(ctx, WORKFLOWS))


def _namespaces(ctx: click.Context) -> Iterator[tuple[str, str]]:
    from jobsmgr.connection.resources import NAMESPACES

    yield from ((name, "") for name in _names(ctx, NAMESPACES))


def _names(ctx: click.Context, resource: Resource) -> Sequence[str]:
    from jobsmgr.connection.resources import NAMESPACES

    async def work(cluster: Cluster, namespace: str) -> Sequence[str]:
        from jobsmgr.client.cluster import Query

        return await cluster.names(Query(resource=resource, namespace="" if resource == NAMESPACES else namespace))

    return _asked(ctx, work)


def _jobs_of_workflows(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Of those that are named before, each job with its phase."""
    from jobsmgr.client.records import Record

    names = ctx.params.get("name") or ctx.params.get("names") or ()

    async def work(cluster: Cluster, namespace: str) -> list[Record]:
        from jobsmgr.connection.resources import WORKFLOWS

        wanted = [names] if isinstance(names, str) else names
        return [Record(await cluster.get(WORKFLOWS, namespace, name)) for name in wanted]

    for record in _asked(ctx, work) if names else ():
        phases = {key: job.phase for key, job in record.status.jobs()}
        for key in record.job_keys():
            yield str(key), phases[key].value if key in phases else ""


def _asked(ctx: click.Context, work: Callable[[Cluster, str], Awaitable[T]]) -> T:
    """What a cluster answers, the one that the options before the word choose."""
    import anyio

    from jobsmgr.cli.shared.connecting import Connection
    from jobsmgr.client.cluster import Cluster

    connection = Connection(
        **{name: _text(ctx, name) for name in ("kubeconfig", "context", "namespace")},
        timeout=None,
        everywhere=ctx.params.get("everywhere") is True,
    )

    async def ask() -> T:
        async with Cluster.connect(connection.kubeconfig, connection.context, connection.timeout) as cluster:
            return await work(cluster, await connection.chosen_namespace(cluster))

    return anyio.run(ask)


def _text(ctx: click.Context, name: str) -> str | None:
    value = ctx.params.get(name)
    return value if isinstance(value, str) else None


def _contexts(ctx: click.Context) -> Iterator[tuple[str, str]]:
    from jobsmgr.connection.kubeconfig import contexts

    yield from ((name, "") for name in contexts(_text(ctx, "kubeconfig")))


# From files


def _workflows_of_file(ctx: click.Context) -> Iterator[tuple[str, str]]:
    from jobsmgr.cli.shared.workflows import chosen
    from jobsmgr.files.reading import load_documents

    if file := _file(ctx):
        yield from ((document.name, "") for document in chosen(load_documents([file], _patterns(ctx, "exclude"))))


def _jobs_of_file(ctx: click.Context) -> Iterator[tuple[str, str]]:
    yield from ((str(key), "") for key in _keys_of_file(ctx))


def _jobs_of_one_group(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """By their own names those that only one group has."""
    groups: dict[str, list[str]] = {}
    for key in _keys_of_file(ctx):
        groups.setdefault(key.job, []).append(key.group)
    yield from ((job, f"in {found[0]}") for job, found in groups.items() if len(found) == 1)


def _keys_of_file(ctx: click.Context) -> list[JobKey]:
    from jobsmgr.api.parsing import parse_workflow
    from jobsmgr.cli.shared.workflows import chosen
    from jobsmgr.files.reading import load_documents

    if not (file := _file(ctx)):
        return []
    documents = chosen(load_documents([file], _patterns(ctx, "exclude")), _patterns(ctx, "names"))
    return [job.key for document in documents for job in parse_workflow(document.value).jobs()]


def _file(ctx: click.Context) -> str:
    """FILE as it was given, or what may be one; empty for standard input, which the command itself is to read."""
    given = _text(ctx, "file") or _text(ctx, "subject") or ""
    return "" if given == "-" else given


def _patterns(ctx: click.Context, name: str) -> tuple[str, ...]:
    given = ctx.params.get(name)
    return given if isinstance(given, tuple) else ()


workflow_names = _Word(_workflow_names)


def workflow_names_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Where no workflow has such a name, shells offer files."""
    return workflow_names(ctx, param, incomplete) or param.type.shell_complete(ctx, param, incomplete)


namespaces = _Word(_namespaces)
jobs_of_workflows = _Word(_jobs_of_workflows)
contexts = _Word(_contexts)
workflows_of_file = _Word(_workflows_of_file)
_full_names, _short_names = _Word(_jobs_of_file), _Word(_jobs_of_one_group)


def jobs_of_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """GROUP/JOB, or JOB where no group begins so."""
    return _full_names(ctx, param, incomplete) or _short_names(ctx, param, incomplete)
