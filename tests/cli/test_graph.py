"""`jobsmgr graph` and what it prints for a file."""

import os
import subprocess

import pytest

from tests.cli.program import EXAMPLES, ONE_JOB, PROGRAM, run
from tests.views.test_graph import SEED_TREE

FILES = sorted(EXAMPLES.glob("*.yaml"))
TWO = f"{ONE_JOB}---\n{ONE_JOB.replace('name: wf', 'name: second')}"


def test_the_sample_is_the_tree_of_the_founding_readme() -> None:
    """To the letter, from the file to standard output."""
    done = run("graph", str(EXAMPLES / "seed.yaml"))
    assert (done.code, done.out, done.err) == (0, SEED_TREE, "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@pytest.mark.parametrize(
    ("output", "beginning"), [("mermaid", "flowchart LR\n"), ("dot", 'digraph "'), ("svg", "<svg xmlns="), ("text", "")]
)
def test_every_example_is_shown_in_every_form(file: str, output: str, beginning: str) -> None:
    """And ends with one line break, so that it can be redirected."""
    done = run("graph", str(file), "-o", output)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(beginning)
    assert done.out.endswith("\n")
    assert not done.out.endswith("\n\n")


def test_a_drawing_shows_one_workflow() -> None:
    """Of several, one has to be chosen."""
    done = run("graph", "-", "-o", "svg", stdin=TWO)
    assert (done.code, done.err) == (
        2,
        "Error: <stdin> has 2 workflows and a drawing shows one; choose with --name\n",
    )
    assert "<title>second</title>" in run("graph", "-", "-o", "svg", "--name", "second", stdin=TWO).out


def test_trees_of_several_workflows_follow_each_other() -> None:
    """Each begins with its name."""
    assert [line for line in run("graph", "-", stdin=TWO).out.splitlines() if line[0].isalpha()] == ["wf", "second"]


def test_a_tree_of_ascii_alone() -> None:
    """By the flag, or where the output cannot show more: the same lines."""
    seed = str(EXAMPLES / "seed.yaml")
    plain = run("graph", "--ascii", seed).out
    assert plain == SEED_TREE.translate(str.maketrans("├└│─", "|`|-"))
    assert plain.isascii()
    done = subprocess.run(
        [PROGRAM, "graph", seed], capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "latin-1"}
    )
    assert (done.returncode, done.stdout.decode("ascii")) == (0, plain)
