"""What a user asks of a run, and the command that asks for a part of it again. Nothing is read or run here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.run.inputs import Selection
from jobsmgr.views.palette import Palette


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
    output_dir: Path | None = None
    durations: tuple[tuple[str, float], ...] = ()
    exit_codes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether time is virtual."""
        return self.executor == "simulate"

    def again(self, job: JobKey, *workflow: str) -> str:
        """The command that runs one job as it was run; `workflow` is its own, where there are several.

        What is put in comes first: behind a `--` it would be no option.
        """
        named = [f"--name={name}" for name in workflow]
        return f"{self.program} {shlex.join([*named, f'--only={job}', *_without_selection(self.words)])}"


def _without_selection(words: Iterable[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in ("--only", "--from"):
            next(rest, None)
        elif not word.startswith(("--only=", "--from=")):
            yield word
