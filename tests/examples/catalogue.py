"""The files of `examples/`, and what their readers are promised of each. Nothing is run here."""

from pathlib import Path

import attrs

FOLDER = Path(__file__).parents[2] / "examples"


@attrs.frozen(kw_only=True)
class Example:
    """One example: the workflow in it, how it ends, and which of its jobs fail on the way."""

    file: str
    workflow: str
    phase: str = "succeeded"
    failing: tuple[str, ...] = ()
    """Jobs, by `group/job`, whose every try fails: a stand-in for a kubelet has to be told."""
    as_processes: bool = True
    """Whether its jobs need nothing that only a container has."""
    says: tuple[str, str] = ("", "")
    """One of its jobs, by `group/job`, and the last line that it writes when it really runs."""

    @property
    def path(self) -> Path:
        """The file."""
        return FOLDER / self.file


EXAMPLES = (
    Example(file="quickstart.yaml", workflow="quickstart", says=("serve/breakfast", "Breakfast is ready, World")),
    Example(file="seed.yaml", workflow="managedjob-sample", says=("third-group/fifth-job", "Hello world!")),
    Example(file="fan-out.yaml", workflow="fan-out", says=("shards/shard-4", "125500")),
    Example(file="etl.yaml", workflow="etl", as_processes=False, says=("load/publish", "published 7 countries")),
    Example(
        file="config.yaml",
        workflow="config",
        as_processes=False,
        says=("report/greet", "Hello, and welcome to the night shift!"),
    ),
    Example(
        file="failure.yaml",
        workflow="failure",
        phase="failed",
        failing=("build/test",),
        says=("build/test", "1 of 12 tests failed: test_login"),
    ),
)
