"""A run shown as it goes: events and output as lines, and a tree where the screen has one. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jobsmgr.api.fields import Manifest
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import ConditionType, Counts, Phase, holding
from jobsmgr.api.workflow import JobKey
from jobsmgr.cli.run.inputs import RunOptions
from jobsmgr.engine.port import Key
from jobsmgr.local.executor import Exit
from jobsmgr.views.durations import duration
from jobsmgr.views.endings import ending_line
from jobsmgr.views.escape import printable, shortened
from jobsmgr.views.log_lines import LogLines
from jobsmgr.views.palette import Palette
from jobsmgr.views.prefixes import Prefixes
from jobsmgr.views.run_view import JobView, WorkflowView
from jobsmgr.views.screen import Screen

LONGEST_KEPT = 1000
"""Characters of a line that is kept for the end of the run."""


class Display:
    """Takes what happens in a run, and prints it: the `Watcher` that people see."""

    def __init__(
        self, views: Mapping[Key, WorkflowView], screen: Screen, clock: Callable[[], float], options: RunOptions
    ) -> None:
        """`views` are kept up to date here; `clock` counts the run's seconds."""
        self._views = views
        self._screen = screen
        self._palette = options.palette
        self._clock = clock
        self._logs, self._events, self._live = options.logs, not options.quiet, options.live
        self._splitters: dict[tuple[Key, JobKey], LogLines] = {}
        self._aborted = dict.fromkeys(views, 0)
        names = {(key, job): self.label(key, job) for key, view in views.items() for job in view.jobs}
        self._prefixes = Prefixes(names, self._palette)

    def on_try(self, workflow: Key, job: JobKey, number: int) -> Callable[[bytes], None]:
        """See `Watcher`."""
        view = self._view(workflow, job)
        view.tries, view.note = number, ""
        view.tail.clear()
        self._screen.changed()
        if not self._events:
            return _nothing
        prefix = self._prefixes.before((workflow, job), self.label(workflow, job))

        def take(line: str) -> None:
            view.tail.append(shortened(line, LONGEST_KEPT, self._palette.drawn("…")))
            if self._logs:
                self._screen.line(f"{prefix} {line}")

        splitter = self._splitters[workflow, job] = LogLines(take)
        return splitter.write

    def on_exit(self, workflow: Key, job: JobKey, number: int, how: Exit, retry_in: float | None) -> None:
        """See `Watcher`."""
        self._finish_output(workflow, job)
        if retry_in is None:
            return
        view = self._view(workflow, job)
        when = f"next try in {duration(retry_in)}" if retry_in else "next try now"
        view.note = f"{_ending(how)}; {when}"
        self._event(workflow, view, f"try {number} failed: {view.note}")

    def on_job(self, workflow: Key, state: JobState) -> None:
        """See `Watcher`."""
        if state.key is None:
            return
        view, now = self._view(workflow, state.key), self._clock()
        if state.result is None and not state.gone:
            view.phase, view.started = Phase.RUNNING, now
            self._event(workflow, view, "")
            return
        self._finish_output(workflow, state.key)
        view.phase, view.ended = state.result or Phase.FAILED, now
        view.note, view.reason = state.message, state.reason
        length = duration(view.seconds(now) or 0.0)
        said = "" if self._live else state.message  # the tree has it at this moment, and what failed comes once more
        self._event(workflow, view, f"{length}{'  ' if said else ''}{said}")

    def on_status(self, workflow: Key, status: Manifest) -> None:
        """See `Watcher`."""
        view = self._views[workflow]
        view.phase = Phase(status["phase"])
        if view.phase.ended:
            view.ended = self._clock()
            view.message = str(holding(status).get(ConditionType.FINISHED, {}).get("message") or "")
        if (aborted := int(status["counts"]["aborted"])) > self._aborted[workflow]:
            self._aborted[workflow] = aborted
            self._take_aborted(workflow, status)
        self._screen.changed()

    def _take_aborted(self, workflow: Key, status: Manifest) -> None:
        """Jobs that will never start have no Job: the status alone says so."""
        for group in status["groups"]:
            for job in group["jobs"]:
                view = self._view(workflow, JobKey(group["name"], job["name"]))
                if job["phase"] == Phase.ABORTED and view.phase is Phase.PENDING:
                    view.phase, view.note = Phase.ABORTED, job.get("message") or ""
                    self._event(workflow, view, view.note)

    def _event(self, workflow: Key, view: JobView, text: str) -> None:
        if self._events:
            name = f"{self.label(workflow, view.key):<{self._prefixes.width}}"
            head = self._palette.phase(view.phase, f"{name} {view.phase.value}")
            self._screen.line(f"{head}  {printable(text)}".rstrip())
        self._screen.changed()

    def _finish_output(self, workflow: Key, job: JobKey) -> None:
        if (splitter := self._splitters.pop((workflow, job), None)) is not None:
            splitter.finish()

    def _view(self, workflow: Key, job: JobKey) -> JobView:
        return self._views[workflow].jobs[job]

    def label(self, workflow: Key, job: JobKey) -> str:
        """A job's name before its lines; with its workflow's where there are several."""
        return str(job) if len(self._views) == 1 else f"{self._views[workflow].name}:{job}"


def summary(view: WorkflowView, palette: Palette, note: str = "") -> str:
    """How a workflow ended, in one line; `note` follows its duration."""
    jobs = view.jobs.values()
    others = [job.note for job in jobs if not job.runs]
    done = f"{Counts.of(job.phase for job in jobs).progress} jobs" + (f" ({len(others)} {others[0]})" if others else "")
    seconds = (view.started if view.ended is None else view.ended) - view.started
    why = view.message if view.phase is not Phase.SUCCEEDED else ""
    return ending_line(palette, view.name, view.phase, done, seconds, why, note)


def _nothing(_: bytes) -> None:
    """Output that nobody wants to see."""


def _ending(how: Exit) -> str:
    why = how.reason or how.message
    return f"exit code {how.code}" + (f" ({why})" if why else "")
