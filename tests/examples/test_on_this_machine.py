"""Every example, run on this machine without a cluster: as processes where it can be, in containers, simulated."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import PROGRAM, run, run_process
from tests.examples.catalogue import EXAMPLES, FOLDER, Example
from tests.local.podman import Podman

EXIT_CODES = {"succeeded": 0, "failed": 3}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_lint_has_nothing_to_say(example: Example) -> None:
    """An example with a warning would teach it."""
    answer = run("lint", "--strict", str(example.path))
    assert (answer.code, answer.out) == (0, "")


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.as_processes], ids=lambda example: example.file)
def test_it_runs_as_processes(example: Example, tmp_path: Path) -> None:
    """The commands really run, and each job ends as on a cluster."""
    answer = run_process("run", "--executor", "process", "--output-dir", str(tmp_path), str(example.path), check=False)
    assert answer.code == EXIT_CODES[example.phase], answer.err + answer.out
    it_went_as_promised(example, tmp_path)


def it_went_as_promised(example: Example, directory: Path) -> None:
    """Each job ended as on a cluster, and what one of them wrote is there."""
    result = results(directory)[example.workflow]
    jobs = {f"{group['name']}/{job['name']}": job for group in result["groups"] for job in group["jobs"]}
    failed = {key for key, job in jobs.items() if job["phase"] == "failed"}
    assert (result["phase"], failed) == (example.phase, set(example.failing))
    job, line = example.says
    assert (directory / jobs[job]["tries"][-1]["log"]).read_text().splitlines()[-1] == line


def results(directory: Path) -> dict[str, Any]:
    """How each workflow of a run ended, by name."""
    return {one["name"]: one for one in json.loads((directory / "result.json").read_text())["workflows"]}


@pytest.mark.long
def test_all_run_in_containers(podman: Podman, tmp_path: Path) -> None:
    """The whole folder at once, side by side: in the images that they name, with volumes, limits and a Secret."""
    done = subprocess.run(
        [PROGRAM, "run", "--output-dir", tmp_path, FOLDER],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | podman.environment,
    )
    assert done.returncode == EXIT_CODES["failed"], done.stdout + done.stderr
    for example in EXAMPLES:
        it_went_as_promised(example, tmp_path)
    assert podman.containers() == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.file)
def test_it_is_simulated(example: Example) -> None:
    """What is told to fail fails; in virtual time no example takes long."""
    codes = [word for job in example.failing for word in ("--exit-code", f"{job}=1")]
    answer = run("run", "--executor", "simulate", "--quiet", *codes, str(example.path))
    assert answer.code == EXIT_CODES[example.phase], answer.err
    assert f"{example.workflow} {example.phase}" in answer.out
