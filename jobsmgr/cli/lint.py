"""`jobsmgr lint`: what is wrong with files before they are applied. The checks are made in the room `lint`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from jobsmgr.api.codes import Code, Severity
from jobsmgr.api.workflow import KIND
from jobsmgr.cli.shared.exits import ExitCode, UnusableInput
from jobsmgr.cli.shared.options import exclude_option, files_argument, output_option
from jobsmgr.cli.shared.streams import echo_utf8
from jobsmgr.files.documents import Document, kinds
from jobsmgr.files.errors import EmptyFile, TemplateFile, UnusableFile
from jobsmgr.files.paths import expand, shown
from jobsmgr.files.positions import SyntaxProblem
from jobsmgr.files.reading import read_documents
from jobsmgr.lint.findings import Finding, as_github, as_json, as_text, counted
from jobsmgr.lint.linter import lint as find_all
from jobsmgr.lint.linter import looks_like_workflow
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.views.escape import printable

_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


@click.command()
@files_argument
@output_option(
    *("text", "json", "sarif", "github"),
    help="text: file:line:column severity code message; sarif: SARIF 2.1.0; github: for a step of GitHub Actions.",
)
@exclude_option
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
def lint(files: tuple[str, ...], output: str, exclude: tuple[str, ...], strict: bool) -> int:
    """Check the ManagedJobs in FILE... (files, folders, "-": standard input) before they are applied.

    ConfigMaps, Secrets and claims in the files are checked too; objects of other kinds are skipped. Exit codes: 1 if
    there is an error, 2 if a file cannot be used. docs/lint.md explains every code.
    """
    reading = _Reading(files)
    for path in expand(files, exclude):
        reading.read(path)
    workflows = [document for document in reading.documents if looks_like_workflow(document)]
    if not workflows and not reading.broken and not reading.unusable:
        raise UnusableInput(_nothing(files, reading.documents, reading.templates))
    findings = reading.in_order([*reading.broken, *find_all(reading.documents, load_hooks())])
    if workflows or findings or not reading.unusable:  # else there was nothing to look at
        _show(findings, output, len(workflows), reading.templates)
    for sentence in reading.unusable:
        click.echo(f"Error: {printable(sentence)}", err=True)
    if reading.unusable:
        return ExitCode.USAGE
    failing = counted(findings, Severity.ERROR) + (counted(findings, Severity.WARNING) if strict else 0)
    return ExitCode.ERROR if failing else ExitCode.DONE


class _Reading:
    """The documents of all files, and what could not be read: one bad file hides no finding of the others."""

    def __init__(self, named: Iterable[str]) -> None:
        """`named`: the paths as the user gave them."""
        self._named = frozenset(named)
        self._order: dict[str, int] = {}
        self.documents: list[Document] = []
        self.broken: list[Finding] = []
        self.unusable: list[str] = []
        self.templates = 0
        """How many files were passed over as templates."""

    def in_order(self, findings: Iterable[Finding]) -> list[Finding]:
        """Findings in the order of the files, and of the text in each."""
        return sorted(
            findings, key=lambda each: (self._order[each.source], each.line, each.column, each.code, each.message)
        )

    def read(self, path: str) -> None:
        self._order.setdefault(shown(path), len(self._order))
        try:
            self.documents += read_documents(path)
        except SyntaxProblem as error:
            text = f"kubectl cannot read this as YAML: {error}"
            self.broken.append(Finding(shown(path), *error.position, Code.NOT_YAML.severity, Code.NOT_YAML, text))
        except TemplateFile:
            self.templates += 1
        except EmptyFile as error:
            if path in self._named:  # one among others in a folder is nobody's mistake
                self.unusable.append(str(error))
        except UnusableFile as error:
            self.unusable.append(str(error))


def _nothing(files: Iterable[str], documents: Sequence[Document], templates: int) -> str:
    found = ", ".join(filter(None, (kinds(documents), _passed_over(templates))))
    return f"{', '.join(map(shown, files))} has no {KIND} (found: {found}); name a file with one"


def _passed_over(templates: int) -> str:
    return f"{templates:,} template{'' if templates == 1 else 's'} skipped" if templates else ""


def _show(findings: Sequence[Finding], output: str, workflows: int, templates: int) -> None:
    match output:
        case "json":
            click.echo(as_json(findings))
        case "sarif":
            from importlib.metadata import version

            from jobsmgr.lint.sarif import as_sarif

            rules = {code.value: (code.severity, code.heading) for code in Code}
            echo_utf8(as_sarif(findings, rules, version("jobsmgr")) + "\n")
        case "github":
            for finding in findings:
                echo_utf8(as_github(finding) + "\n")
        case _:
            for finding in findings:
                click.echo(_colored(finding))
            click.echo(_summary(findings, workflows, templates), err=True)


def _colored(finding: Finding) -> str:
    word = f" {finding.severity.value} {finding.code} "
    return as_text(finding).replace(word, click.style(word, fg=_COLORS[finding.severity]), 1)


def _summary(findings: Sequence[Finding], workflows: int, templates: int) -> str:
    counts = [(counted(findings, severity), severity.value) for severity in Severity]
    parts = [f"{count:,} {word}{'s' if count > 1 and word != 'info' else ''}" for count, word in counts if count]
    counted_files = ", ".join(
        filter(None, (f"{workflows:,} workflow{'' if workflows == 1 else 's'}", _passed_over(templates)))
    )
    return f"{counted_files}: {', '.join(parts) or 'no problems found'}"
