"""What a user asks for, and files to workflows that are ready to run, each with its jobs. Nothing is run here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from jobsmgr.api.frontier import downstream_of
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.shared.exits import UnusableInput
from jobsmgr.cli.shared.jobs import find_jobs, refuse_several
from jobsmgr.cli.shared.workflows import chosen, plan_document, sentence
from jobsmgr.core.hooks import Hooks
from jobsmgr.engine.port import Key
from jobsmgr.files.documents import Document
from jobsmgr.files.paths import refuse_second_stdin
from jobsmgr.files.reading import load_documents
from jobsmgr.files.variables import declared, with_variables
from jobsmgr.lint.beside import findings_beside
from jobsmgr.lint.pruning import as_stored
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Executor
from jobsmgr.local.former import FormerRun
from jobsmgr.local.objects import DEFAULT_NAMESPACE, Objects
from jobsmgr.local.preflight import check
from jobsmgr.local.selection import assume_succeeded, only, without_state
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_view import TAKEN


@attrs.frozen(kw_only=True)
class Selected:
    """A workflow, and which of its jobs are run."""

    document: Document
    plan: Plan
    raw: dict[str, Any]
    """As it is handed to the run."""
    keys: tuple[JobKey, ...]
    """The jobs that are shown."""
    run: frozenset[JobKey]
    """Those of them that are run; the others have succeeded before, or are assumed to."""
    kept: str = TAKEN
    """The note beside the others."""
    as_planned: bool = True
    """Whether `raw` has the spec that `plan` was made from."""

    @property
    def key(self) -> Key:
        """Its namespace and name."""
        return Key(self.plan.workflow.namespace, self.plan.workflow.name)


@attrs.frozen(kw_only=True)
class Selection:
    """The workflow and jobs that a user chose."""

    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    namespace: str = DEFAULT_NAMESPACE
    only: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    former: FormerRun | None = None
    """The run to go on from."""
    values: Mapping[str, str] = MappingProxyType({})
    """For variables that the workflows' own `env` declares."""

    def values_for(self, workflows: Sequence[Document]) -> dict[str, str]:
        """Those that are given, and of the former run's those that the files still declare."""
        former = {} if self.former is None else self.former.values
        known = set(declared(workflows))
        return {**{name: value for name, value in former.items() if name in known}, **self.values}


@attrs.frozen(kw_only=True)
class RunOptions:
    """What a user asks of a run."""

    executor: str
    selection: Selection
    environment: Mapping[str, str]
    """This process's own."""
    palette: Palette
    program: str
    """What the command is called."""
    words: tuple[str, ...]
    """What followed it."""
    live: bool = False
    logs: bool = True
    quiet: bool = False
    parallelism: int | None = None
    fail_fast: bool = False
    allow_host_path: bool = False
    show_secrets: bool = False
    output_dir: Path | None = None
    durations: tuple[tuple[str, float], ...] = ()
    exit_codes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    kept: Mapping[str, str] = MappingProxyType({})
    """Values of variables that a former run was given, and this one goes on with."""

    @property
    def simulated(self) -> bool:
        """Whether time is virtual."""
        return self.executor == "simulate"

    def again(self, job: JobKey, *workflow: str) -> str:
        """The command that runs one job as it was run; `workflow` is its own, where there are several.

        What is put in comes first: behind a `--` it would be no option.
        """
        named = [*(f"--name={name}" for name in workflow), *(f"--env={name}={it}" for name, it in self.kept.items())]
        words = _without(self.words, "--only", "--from", "--retry", *(("--name",) if workflow else ()))
        return f"{self.program} {shlex.join([*named, f'--only={job}', *words])}"


@attrs.frozen
class Inputs:
    """Everything that was read."""

    workflows: tuple[Selected, ...]
    objects: Objects
    values: Mapping[str, str]
    """Of the variables that were set."""


def read_inputs(file: str, more: Sequence[str], selection: Selection, hooks: Hooks) -> Inputs:
    """The workflows of a file, and ConfigMaps and Secrets of it and of further ones.

    Raises `CommandError` with one sentence for what cannot be used.
    """
    refuse_second_stdin([file, *more])
    documents, others = (load_documents(paths, selection.exclude) for paths in ([file], more))
    workflows = chosen(documents, selection.names)
    values = selection.values_for(workflows)
    picked = [_planned(document, selection, hooks) for document in with_variables(workflows, values)]
    _refuse_twins(picked)
    _refuse_held(picked)
    found = [*documents, *others]
    if findings := list(findings_beside(found, workflows)):
        raise UnusableInput(sentence(findings))
    if selection.only or selection.starts:
        refuse_several([one.plan for one in picked], file, "--only" if selection.only else "--from")
    return Inputs(
        tuple(_narrowed(one, selection) for one in picked),
        Objects((document.value for document in found), selection.namespace),
        values,
    )


def check_inputs(inputs: Inputs, executor: Executor, hooks: Hooks) -> None:
    """Refuse what the executor cannot run, before anything starts. Raises `UnusableInput` with the field's position."""
    for one in inputs.workflows:
        try:
            check(one.plan, (key for key in one.keys if key in one.run), executor, hooks)
        except CannotRun as error:
            raise UnusableInput(f"{one.document.where(error.problem.path)}: {error}") from None


def _planned(document: Document, selection: Selection, hooks: Hooks) -> Selected:
    plan = plan_document(document, hooks, selection.namespace)
    metadata = {**document.value["metadata"], "namespace": plan.workflow.namespace}
    raw = without_state({**as_stored(document.value), "metadata": metadata})
    keys = tuple(plan.jobs)
    return Selected(document=document, plan=plan, raw=raw, keys=keys, run=frozenset(keys))


def _narrowed(one: Selected, selection: Selection) -> Selected:
    if selection.only:
        keys = tuple(find_jobs(one.plan, selection.only))
        return attrs.evolve(one, raw=only(one.raw, one.plan, keys), keys=keys, run=frozenset(keys), as_planned=False)
    if selection.starts:
        run = downstream_of(one.plan, find_jobs(one.plan, selection.starts))
        status = assume_succeeded(one.plan, (key for key in one.keys if key not in run))
        return attrs.evolve(one, raw={**one.raw, "status": status}, run=run)
    if (former := selection.former) is not None:
        run = frozenset(one.keys) - former.succeeded(one.key)
        return attrs.evolve(one, raw=former.reopened(one.raw), run=run, kept="succeeded before")
    return one


def _refuse_twins(picked: Sequence[Selected]) -> None:
    seen: set[Key] = set()
    for one in picked:
        if one.key in seen:
            where = one.document.where("metadata.name")
            raise UnusableInput(f'{where}: workflow "{one.key}" appears twice; give one of them another name')
        seen.add(one.key)


def _refuse_held(picked: Iterable[Selected]) -> None:
    """A workflow that says itself that nothing is to start would make a run that does nothing, or never ends."""
    for one in picked:
        spec = one.plan.workflow.spec
        for name in (name for name, held in (("suspend", spec.suspend), ("abort", spec.abort)) if held):
            where = one.document.where(f"spec.{name}")
            raise UnusableInput(f"{where}: spec.{name} is true, so no job would start; set it to false to run this")


def _without(words: Iterable[str], *options: str) -> Iterator[str]:
    """The words of a command without some of its options and their values."""
    rest = iter(words)
    for word in rest:
        if word in options:
            next(rest, None)
        elif word.partition("=")[0] not in options:
            yield word
