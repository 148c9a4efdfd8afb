"""Commands that mean a shell and have none, and variables that nothing defines. Nothing is run or expanded here."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem, quoted
from jobsmgr.api.images import has_no_entrypoint
from jobsmgr.api.params import Layer, imported_name
from jobsmgr.api.workflow import JobKey, Workflow, WrittenJob
from jobsmgr.lint.references import ConfigKeys, referenced_object

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "fish", "csh", "tcsh", "pwsh"})
_OWN_SYNTAX = frozenset(
    {"awk", "gawk", "mawk", "sed", "perl", "php", "ruby", "node", "jq", "yq", "make", "envsubst", "psql", "mongosh"}
)
"""Programs whose arguments may have `$NAME`, `|` or `>` of their own."""
_COMPARING = frozenset({"expr", "test", "[", "grep", "egrep", "rg", "tr", "find"})
_COMPARED = frozenset({"|", ">", "<", "||", ";", "&"})
"""Programs that take an operator's sign as a word like any other, and these signs."""
_OPERATORS = _COMPARED | {"&&", "|&", ">>", "<<", "2>", "2>>", "2>&1", ">&2", "1>&2", "&>"}
_SCRIPT_FOLLOWS = re.compile("-[a-z]*c")
_REFERENCE = re.compile(r"\$(?:\$|\(([A-Za-z_][A-Za-z0-9_.-]*)\))")
_SHELL_VARIABLE = re.compile(r"(?<![\\$])\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9_]+")
"""No program has such a name, so `$(NAME)` in a shell's script is not meant as a command."""
_OF_SERVICES = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")
"""Variables that Kubernetes adds for each Service of the namespace."""
_OF_AWK = frozenset({"NF", "NR", "FNR"})
_OF_EACH_SHELL = frozenset({"HOME", "PATH", "PWD", "USER", "HOSTNAME"})
_Merged: TypeAlias = Mapping[str, tuple[str, str]]
"""The variables of a job's levels by name, each with the path of its value and the value."""


@attrs.frozen
class _Command:
    """A job's words, as far as they are known."""

    words: tuple[tuple[str, str], ...]
    """Each with its path."""
    complete: bool
    """Whether the first word is the program; otherwise it is the image's own, which may be a shell."""

    @property
    def programs(self) -> frozenset[str]:
        """What the words may call."""
        return frozenset(word.rpartition("/")[2] for _, word in self.words)

    @property
    def has_shell(self) -> bool:
        """Whether a shell reads some of the words, or may do so."""
        return not self.complete or any(name in _SHELLS or name.endswith(".sh") for name in self.programs)


def command_warnings(
    workflow: Workflow, known: ConfigKeys, added: Callable[[JobKey], Collection[str]]
) -> Iterator[Problem]:
    """Each warning once, though many jobs may share the level that it is about.

    `added` gives the variables that plugins add to a job; it is asked only where one would be missing.
    """
    seen: set[Problem] = set()
    for job in workflow.jobs():
        for problem in _of_job(job, known, added):
            if problem not in seen:
                seen.add(problem)
                yield problem


def _of_job(job: WrittenJob, known: ConfigKeys, added: Callable[[JobKey], Collection[str]]) -> Iterator[Problem]:
    command, merged = _command(job), _merged(job.layers)
    yield from _one_word(command)
    yield from _operators(command)
    yield from _shell_variables(job, command, merged)
    unresolved = [*_undefined(job.layers, command, merged, known)]
    names = added(job.key) if unresolved else ()
    for path, name in unresolved:
        if name not in names:
            before = " before it" if ".env[" in path else ""
            text = f"nothing defines $({name}){before}, so it stays as written"
            advice = f"set {name} under env{before and f',{before},'} or write $$({name}) to mean that text"
            yield Problem(path, f"{text}; {advice}", Code.UNDEFINED)


def _command(job: WrittenJob) -> _Command:
    parts = (("command", job.job.command), ("args", job.job.args))
    words = tuple((f"{job.path}.{part}[{index}]", str(word)) for part, all_ in parts for index, word in enumerate(all_))
    return _Command(words, bool(job.job.command) or has_no_entrypoint(job.job.image))


def _one_word(command: _Command) -> Iterator[Problem]:
    for path, word in command.words[:1]:
        if command.complete and len(word.split()) > 1:
            text = f"this is one word, so it names a program called {quoted(word)}"
            yield Problem(path, f"{text}; write a list with one entry for each word", Code.ONE_WORD)


def _operators(command: _Command) -> Iterator[Problem]:
    if command.complete and command.has_shell and not any(_SCRIPT_FOLLOWS.fullmatch(word) for _, word in command.words):
        return  # a script from a file takes any words
    first = command.words[0][1].rpartition("/")[2] if command.words else ""
    operators = _OPERATORS - _COMPARED if first in _COMPARING | _OWN_SYNTAX else _OPERATORS
    before = ""
    for path, word in command.words:
        if word in operators and not before.startswith("-"):  # `cut -d |`
            text = f"no shell runs here, so the program gets {quoted(word)} as an argument"
            yield Problem(path, f"{text}; write the whole line as one word: [sh, -c, ...]", Code.OPERATOR)
        before = word


def _shell_variables(job: WrittenJob, command: _Command, merged: _Merged) -> Iterator[Problem]:
    if command.complete and not command.has_shell and not command.programs & _OWN_SYNTAX:
        for path, word in command.words:
            if match := _SHELL_VARIABLE.search(word):
                yield _not_replaced(path, match)
    for path, value in merged.values():
        for match in _SHELL_VARIABLE.finditer(value):
            if (match[1] or match[2]) in merged.keys() | _OF_EACH_SHELL:
                yield _not_replaced(path, match)
    if match := _SHELL_VARIABLE.search(job.job.working_dir or ""):
        text = f"{match[0]} is not replaced here, so the directory would have this name"
        yield Problem(f"{job.path}.workingDir", f"{text}; write the path out", Code.SHELL_VARIABLE)


def _not_replaced(path: str, match: re.Match[str]) -> Problem:
    name = match[1] or match[2]
    text = f"only a shell replaces {match[0]}, and no shell runs here"
    return Problem(path, f"{text}; write $({name}) if env defines it, or start a shell", Code.SHELL_VARIABLE)


def _merged(layers: tuple[Layer, ...]) -> _Merged:
    """In the order of the container: the outermost position, the innermost value."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for index, entry in enumerate(layer.params.env):
            value = entry.get("value")
            path = f"{layer.path}.params.env[{index}].value"
            merged[str(entry.get("name"))] = (path, value if isinstance(value, str) else "")
    return merged


def _undefined(
    layers: tuple[Layer, ...], command: _Command, merged: _Merged, known: ConfigKeys
) -> Iterator[tuple[str, str]]:
    """References to variables of no level and no source; none where a source is unknown, which may have any."""
    names = _imported(layers, known)
    if names is None:
        return
    for own, (path, value) in merged.items():
        yield from ((path, name) for name in _references(value) if name not in names)
        names.add(own)
    awk = bool(command.programs & _OWN_SYNTAX)
    for path, word in command.words:
        for name in _references(word):
            meant = not awk and (not command.has_shell or _CAPITALS.fullmatch(name)) and name not in _OF_AWK
            if meant and name not in names:
                yield path, name


def _references(text: str) -> Iterator[str]:
    names = (match[1] for match in _REFERENCE.finditer(text))
    return (name for name in names if name and not _OF_SERVICES.fullmatch(name))


def _imported(layers: tuple[Layer, ...], known: ConfigKeys) -> set[str] | None:
    names: set[str] = set()
    for layer in layers:
        for entry in layer.params.from_env:
            if entry.get("key"):
                names.add(imported_name(entry))
                continue
            source = referenced_object(entry)
            keys = known.variables(*source) if source is not None else None
            if keys is None:
                return None
            names.update(f"{entry.get('prefix') or ''}{key}" for key in keys)
    return names
