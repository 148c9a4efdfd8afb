"""What is repeated about jobs that failed, at the end of a run."""

from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.views.failures import Failure, failure_lines
from jobsmgr.views.palette import Palette
from jobsmgr.views.run_view import TAIL, JobView


def failure(name: str = "b", log: str = "out/wf/g/b-2.log", lines: int = 12) -> Failure:
    """A job that failed in its second try."""
    job = JobView(JobKey("g", name), Phase.FAILED, tries=2, note="failed with exit code 3")
    job.tail.extend(f"line {number}" for number in range(lines))
    return Failure(label=f"g/{name}", job=job, log=log, again=f"jobsmgr run --only=g/{name} wf.yaml")


def test_all_that_is_needed_to_go_on() -> None:
    """Name, try, exit code, the last ten lines, the log, the command."""
    assert list(failure_lines([failure()], Palette())) == [
        "✘ g/b failed  try 2: failed with exit code 3",
        *(f"  │ line {number}" for number in range(12 - TAIL, 12)),
        "  log: out/wf/g/b-2.log",
        "  run again: jobsmgr run --only=g/b wf.yaml",
    ]


def test_no_output_and_no_log() -> None:
    """Both are shown, and how to keep a log."""
    lines = list(failure_lines([failure(log="", lines=0)], Palette(ascii=True)))
    assert lines[1:3] == ["  | (no output)", "  log: not kept; use --output-dir DIR to keep it"]
    assert "\n".join(lines).isascii()


def test_nothing_moves_the_cursor() -> None:
    """Names of files may hold anything."""
    (*_, log, _) = failure_lines([failure(log="out\x1b[2J/b.log")], Palette())
    assert log == "  log: out\\x1b[2J/b.log"


def test_ten_at_most() -> None:
    """Of more, how many there are."""
    lines = list(failure_lines([failure(f"j{number}") for number in range(1_234)], Palette()))
    assert sum(line.startswith("✘") for line in lines) == 10
    assert lines[-1] == "1,224 more failed."
