"""Shell completion of workflows, jobs, contexts and namespaces. What cannot be looked up in time is not offered.

Nothing is written to stderr: the user is in the middle of typing a command.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from jobsmgr.api.errors import JobsmgrError

if TYPE_CHECKING:
    from click.shell_completion import BashComplete, CompletionItem

    from jobsmgr.client.cluster import Cluster
    from jobsmgr.connection.resources import Resource
    from jobsmgr.files.documents import Document

    Offers: TypeAlias = list[CompletionItem[str]]

T = TypeVar("T")

SECONDS = 0.9
"""How long a search may take, including the start of the program; after that, nothing is offered."""
SHORTEST = 0.01
"""Seconds of a timer when no time is left: 0 would switch it off."""
_START_TIME = 19
"""The index of `starttime` in /proc/PID/stat, counted from the state (proc_pid_stat(5): fields 22 and 3)."""
SECONDS_VARIABLE = "JOBSMGR_COMPLETION_SECONDS"
"""The environment variable that sets another limit, for a cluster that is far away."""

_Find: TypeAlias = Callable[[click.Context], Mapping[str, str]]
"""Finds the candidates for a word, each with its description, from the words before it."""


def begin(farewell: bytes = b"") -> None:
    """Make this a process that only completes: it writes nothing but its answer, and exits when the time is up.

    `farewell` is what it writes in that case. Credential plugins can neither read from the terminal nor write to it.
    """
    from click.shell_completion import add_completion_class

    add_completion_class(_bash())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 2)

    def leave(*_: object) -> None:
        os.write(1, farewell)
        os._exit(0)  # at once: closing connections properly takes as long as the server likes

    signal.signal(signal.SIGALRM, leave)
    _Word.bounded = True


def _limit() -> float:
    try:
        return float(os.environ.get(SECONDS_VARIABLE, SECONDS))
    except ValueError:
        return SECONDS


def _elapsed() -> float:
    """Seconds since the process started, which is long ago on a busy machine; 0 where the system does not tell."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")


def _bash() -> type[BashComplete]:
    from click.shell_completion import BashComplete

    class Bash(BashComplete):
        """Bash makes the `=` of `--job=JOB` a word of its own; click expects that only in the last word."""

        def get_completion_args(self) -> tuple[list[str], str]:
            words, incomplete = super().get_completion_args()
            return [word for word in words if word != "="], incomplete

    return Bash


class _Word:
    """The completion of a word from the candidates that a function finds, as click calls it."""

    bounded = False
    """Whether this process exits when the search takes too long; commands, options and choices need no search."""

    def __init__(self, find: _Find) -> None:
        self._find = find

    def __call__(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
        from click.shell_completion import CompletionItem

        if self.bounded:
            signal.setitimer(signal.ITIMER_REAL, max(_limit() - _elapsed(), SHORTEST))
        try:
            found = self._find(ctx)
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


def _workflow_names(ctx: click.Context) -> Mapping[str, str]:
    from jobsmgr.connection.resources import WORKFLOWS

    return _undescribed(_names(ctx, WORKFLOWS))


def _namespaces(ctx: click.Context) -> Mapping[str, str]:
    from jobsmgr.connection.resources import NAMESPACES

    return _undescribed(_names(ctx, NAMESPACES))


def _names(ctx: click.Context, resource: Resource) -> Sequence[str]:
    from jobsmgr.connection.resources import NAMESPACES

    async def work(cluster: Cluster, namespace: str) -> Sequence[str]:
        from jobsmgr.client.cluster import Query

        return await cluster.names(Query(resource=resource, namespace="" if resource == NAMESPACES else namespace))

    return _asked(ctx, work)


def _jobs_of_workflows(ctx: click.Context) -> Mapping[str, str]:
    """The jobs of the workflows named before the word, each with its phase."""
    from jobsmgr.client.records import Record

    names = ctx.params.get("name") or ctx.params.get("names") or ()

    async def work(cluster: Cluster, namespace: str) -> list[Record]:
        from jobsmgr.connection.resources import WORKFLOWS

        wanted = [names] if isinstance(names, str) else names
        return [Record(await cluster.get(WORKFLOWS, namespace, name)) for name in wanted]

    found: dict[str, str] = {}
    for record in _asked(ctx, work) if names else ():
        found |= _undescribed(str(key) for key in record.job_keys())
        found |= {str(key): job.phase.value for key, job in record.status.jobs()}
    return found


def _asked(ctx: click.Context, work: Callable[[Cluster, str], Awaitable[T]]) -> T:
    """What the cluster answers that the options before the word choose."""
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


def _contexts(ctx: click.Context) -> Mapping[str, str]:
    from jobsmgr.connection.kubeconfig import contexts

    return _undescribed(contexts(_text(ctx, "kubeconfig")))


# From files


def _workflows_of_file(ctx: click.Context) -> Mapping[str, str]:
    return _undescribed(document.name for document in _documents(ctx))


def _jobs_of_file(ctx: click.Context) -> Mapping[str, str]:
    """The jobs as GROUP/JOB, and as JOB those that only one group has."""
    from jobsmgr.api.parsing import parse_workflow

    documents = _documents(ctx, _patterns(ctx, "names"))
    keys = [job.key for document in documents for job in parse_workflow(document.value).jobs()]
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(key.job, []).append(key.group)
    short = {job: f"in {found[0]}" for job, found in groups.items() if len(found) == 1}
    return {**_undescribed(map(str, keys)), **short}


def _documents(ctx: click.Context, names: Sequence[str] = ()) -> Sequence[Document]:
    """The workflows of FILE; with `names` those that fit one of them."""
    from jobsmgr.cli.shared.workflows import chosen
    from jobsmgr.files.reading import load_documents

    if not (file := _file(ctx)):
        return ()
    return chosen(load_documents([file], _patterns(ctx, "exclude")), names)


def _file(ctx: click.Context) -> str:
    """FILE, or FILE|NAME, as it was given; empty for standard input, which only the command itself may read."""
    given = _text(ctx, "file") or _text(ctx, "subject") or ""
    return "" if given == "-" else given


def _patterns(ctx: click.Context, name: str) -> tuple[str, ...]:
    given = ctx.params.get(name)
    return given if isinstance(given, tuple) else ()


def _undescribed(names: Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(names, "")


workflow_names = _Word(_workflow_names)


def workflow_names_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """Names of workflows; shells offer files if none fits."""
    return workflow_names(ctx, param, incomplete) or param.type.shell_complete(ctx, param, incomplete)


namespaces = _Word(_namespaces)
jobs_of_workflows = _Word(_jobs_of_workflows)
contexts = _Word(_contexts)
workflows_of_file = _Word(_workflows_of_file)
_all_names = _Word(_jobs_of_file)


def jobs_of_file(ctx: click.Context, param: click.Parameter, incomplete: str) -> Offers:
    """GROUP/JOB, or JOB if no group begins with the word."""
    offers = _all_names(ctx, param, incomplete)
    return [offer for offer in offers if "/" in offer.value] or offers
