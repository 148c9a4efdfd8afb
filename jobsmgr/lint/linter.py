"""Documents to findings: which checks are made, in which order. No check is made here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import mapping
from jobsmgr.api.metadata import named
from jobsmgr.api.names import job_names
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import GROUP, KIND, JobKey, Workflow
from jobsmgr.core.hooks import Hooks
from jobsmgr.files.documents import Document
from jobsmgr.files.objects import is_object
from jobsmgr.lint.ambiguities import ambiguity_findings
from jobsmgr.lint.beside import findings_beside
from jobsmgr.lint.commands import command_warnings
from jobsmgr.lint.findings import Finding
from jobsmgr.lint.locations import finding
from jobsmgr.lint.parallel import idle_parallels
from jobsmgr.lint.plugins import Apart, failure_problems, render_problems, rendered_variables
from jobsmgr.lint.references import ConfigKeys, missing_keys
from jobsmgr.lint.validation import read_workflow
from jobsmgr.lint.warnings import find_warnings


def looks_like_workflow(document: Document) -> bool:
    """Whether a document is a ManagedJob or is meant as one: by its group, or by a kind that is nearly right."""
    kind = document.kind.lower()
    if kind in (KIND.lower(), f"{KIND.lower()}s"):
        return True
    version = mapping(document.value).get("apiVersion")
    if not isinstance(version, str) or version.partition("/")[0].lower() != GROUP:
        return bool(difflib.get_close_matches(kind, [KIND.lower()], cutoff=0.85))
    return kind != "list" and kind != f"{KIND.lower()}list"


def lint(documents: Sequence[Document], hooks: Hooks) -> list[Finding]:
    """All findings about the ManagedJobs among documents, and the ConfigMaps, Secrets and claims beside them.

    A plugin that fails on an object of the right shape is a finding as well.
    """
    linter = _Linter(documents, hooks)
    workflows = [document for document in documents if looks_like_workflow(document)]
    for document in workflows:
        linter.check(document)
    linter.compare()
    unclear = (each for document in documents if is_object(document.value) for each in ambiguity_findings(document))
    return [*linter.findings, *unclear, *findings_beside(documents, workflows)]


class _Linter:
    """Findings so far, and the workflows that were read."""

    def __init__(self, documents: Sequence[Document], hooks: Hooks) -> None:
        self._documents = documents
        self._hooks = hooks
        self._keys: dict[str, ConfigKeys] = {}
        self._read: list[tuple[Document, Workflow]] = []
        self.findings: list[Finding] = []

    def check(self, document: Document) -> None:
        """Check one document, alone and with the ConfigMaps and Secrets of the same files."""
        self.findings += ambiguity_findings(document)
        raw = named(document.value)
        apart = Apart(self._hooks)
        reading = read_workflow(raw, apart)
        self._add(document, reading.problems)
        if not reading.structural:  # plugins may count on the schema
            self._add(document, failure_problems(apart.failures))
        if reading.plan is not None and not apart.failures:
            self._add(document, render_problems(reading.plan, self._hooks))
        if (workflow := reading.workflow) is None:
            return
        self._read.append((document, workflow))
        if (known := self._keys.get(workflow.namespace)) is None:
            known = self._keys[workflow.namespace] = ConfigKeys(self._documents, workflow.namespace)
        self._add(document, find_warnings(workflow, known))
        self._add(document, idle_parallels(raw))
        self._add(document, command_warnings(workflow, known, _added(reading.plan, self._hooks)))
        self._add(document, missing_keys(workflow, known))

    def _add(self, document: Document, problems: Iterable[Problem]) -> None:
        self.findings += [finding(document, problem) for problem in problems]

    def compare(self) -> None:
        """Find workflows of one namespace that share a name, or whose Jobs do."""
        workflows: dict[tuple[str, str], Document] = {}
        jobs: dict[tuple[str, str], tuple[Document, Workflow]] = {}
        for document, workflow in self._read:
            identity = (workflow.namespace, workflow.name)
            if (first := workflows.setdefault(identity, document)) is not document:
                text = f'a {KIND} "{workflow.name}" is also in {first.where("metadata.name")}; rename one of them'
                self._add(document, [Problem("metadata.name", text, Code.SAME_JOB_NAME)])
                continue
            self._add(document, _taken(document, workflow, jobs))


def _added(plan: Plan | None, hooks: Hooks) -> Callable[[JobKey], Collection[str]]:
    """The variables that a rendered job has: plugins may add some."""

    def names(key: JobKey) -> Collection[str]:
        return rendered_variables(plan, key, hooks) if plan is not None and hooks.others_render else ()

    return names


def _taken(
    document: Document, workflow: Workflow, jobs: dict[tuple[str, str], tuple[Document, Workflow]]
) -> Iterator[Problem]:
    """Job names that another workflow has too; those of this one are added to `jobs`."""
    paths = {job.key: f"{job.path}.name" for job in workflow.jobs()}
    for key, name in job_names(workflow.name, paths).items():
        other, owner = jobs.setdefault((workflow.namespace, name), (document, workflow))
        if other is not document:
            text = f'its Job "{name}" is also a Job of {KIND} "{owner.name}" ({other.where("metadata.name")})'
            yield Problem(
                paths[key], f"{text}, so one of them would wait forever; rename one of them", Code.SAME_JOB_NAME
            )
