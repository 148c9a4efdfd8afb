"""Jobs that take and end as options and annotations say, in virtual time. Nothing is run here."""

from __future__ import annotations

import selectors
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

import anyio

from jobsmgr.api.durations import parse_duration
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import Manifest
from jobsmgr.engine.steady_loop import SteadyLoop
from jobsmgr.local.environment import PodIdentity
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Attempt, Exit

T = TypeVar("T")

DURATION_ANNOTATION = "jobsmgr.simulate/duration"
EXIT_CODE_ANNOTATION = "jobsmgr.simulate/exit-code"
DEFAULT_DURATION = 1.0


class _Selector(selectors.DefaultSelector):
    """Never waits for a moment of the loop's clock: moves the clock there instead."""

    moment = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # nothing but a signal or a thread can go on
            return super().select(None)
        if (ready := super().select(0)) or timeout <= 0:
            return ready
        self.moment += timeout
        return ready


class VirtualLoop(SteadyLoop):
    """An event loop whose clock jumps to the next timer when nothing is ready.

    ::

        anyio.run(main, backend_options={"loop_factory": VirtualLoop})
    """

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._clock.moment


def parse_exit_codes(text: str) -> tuple[int, ...]:
    """The exit codes of a job's tries (`1,1,0`); the last one counts for all later tries. Raises ValueError."""
    codes = [part.strip() for part in text.split(",")]
    if not all(code.isdigit() and int(code) <= 255 for code in codes):
        raise ValueError(f'"{text}" is not a list of exit codes; write it like 1 or 1,1,0')
    return tuple(int(code) for code in codes)


class Simulation:
    """The executor that runs nothing.

    How long a job takes and how it ends is set by options (patterns of `group/job`, the last that fits counts), else
    by the annotations `jobsmgr.simulate/duration` and `jobsmgr.simulate/exit-code`, else it succeeds after a second.
    """

    name = "simulate"

    def __init__(
        self,
        durations: Sequence[tuple[str, float]] = (),
        exit_codes: Sequence[tuple[str, tuple[int, ...]]] = (),
    ) -> None:
        self._durations = tuple(reversed(durations))
        self._exit_codes = tuple(reversed(exit_codes))

    def check(self, manifest: Manifest, pod: PodIdentity) -> None:
        """Refuse annotations that cannot be read."""
        self._annotated_duration(pod.annotations)
        self._annotated_codes(pod.annotations)

    async def run(self, attempt: Attempt) -> Exit:
        """Let the time pass."""
        annotations, key = attempt.pod.annotations, str(attempt.key)
        duration = _first_fit(self._durations, key)
        await anyio.sleep(self._annotated_duration(annotations) if duration is None else duration)
        codes = _first_fit(self._exit_codes, key) or self._annotated_codes(annotations)
        return Exit(code=codes[min(attempt.number, len(codes)) - 1])

    async def aclose(self) -> None:
        """Nothing is left."""

    def _annotated_duration(self, annotations: Mapping[str, str]) -> float:
        if (text := annotations.get(DURATION_ANNOTATION)) is None:
            return DEFAULT_DURATION
        try:
            return parse_duration(text)
        except ValueError as error:
            raise CannotRun(Problem(f"annotations[{DURATION_ANNOTATION}]", str(error))) from None

    def _annotated_codes(self, annotations: Mapping[str, str]) -> tuple[int, ...]:
        if (text := annotations.get(EXIT_CODE_ANNOTATION)) is None:
            return (0,)
        try:
            return parse_exit_codes(text)
        except ValueError as error:
            raise CannotRun(Problem(f"annotations[{EXIT_CODE_ANNOTATION}]", str(error))) from None


def _first_fit(rules: Sequence[tuple[str, T]], key: str) -> T | None:
    return next((value for pattern, value in rules if fnmatchcase(key, pattern)), None)


def pattern_of(job: str) -> str:
    """A job as an option names it, as a pattern of `group/job`: a name without a slash fits it in every group."""
    return job if "/" in job else f"*/{job}"
