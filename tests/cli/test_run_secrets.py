"""What a job prints of a Secret's value, in everything that a run shows and writes."""

import base64
from pathlib import Path

import pytest

from tests.cli.program import Done, run
from tests.cli.runs import file_of, sh

VALUE = "hunter2-hunter2"
SECRET = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{T: {VALUE}, S: abc}}\n"
ENV = "params: {fromEnv: [{secretRef: {name: s}}]}"
SCRIPT = f'echo "token $T $S"; printf "{VALUE[:5]}"; sleep 0.2; echo "{VALUE[5:]}"; printf "$T" | base64; exit 3'


def _ran(folder: Path, *options: str, jobs: str = "") -> Done:
    text = file_of(jobs or sh("j", SCRIPT, ENV)) + SECRET
    return run("run", "--executor", "process", "--output-dir", str(folder), *options, "-", stdin=text)


def _everything(done: Done, folder: Path) -> str:
    files = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    return done.out + done.err + files


def test_it_is_masked_everywhere(tmp_path: Path) -> None:
    """Live, in the block of the failure, and in the log, in pieces and in base64; a short one is not."""
    done = _ran(tmp_path)
    assert (tmp_path / "wf/g/j-1.log").read_text() == "token *** abc\n***\n***\n"
    assert done.out.count("token *** abc") == 2
    everything = _everything(done, tmp_path)
    assert VALUE not in everything
    assert base64.b64encode(VALUE.encode()).decode() not in everything


def test_it_is_shown_on_demand(tmp_path: Path) -> None:
    """As the job printed it."""
    done = _ran(tmp_path, "--show-secrets")
    assert (tmp_path / "wf/g/j-1.log").read_text().startswith(f"token {VALUE} abc\n{VALUE}\n")
    assert done.out.count(f"token {VALUE} abc") == 2


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--no-logs",)])
def test_it_is_in_no_message(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A command that does not exist is named in the status, in the result and at the end."""
    done = _ran(tmp_path, *options, jobs=f"name: j, command: [$(T)], {ENV}")
    assert done.code == 3
    assert VALUE not in _everything(done, tmp_path)
    assert "***" in _everything(done, tmp_path)
