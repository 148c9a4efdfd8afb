"""`jobsmgr graph` and what it prints for a file, and when a word is no file."""

import os
import subprocess
from pathlib import Path

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
        "Error: <stdin> has 2 workflows, but a drawing shows one; choose it with --name\n",
    )
    assert "<title>second</title>" in run("graph", "-", "-o", "svg", "--name", "second", stdin=TWO).out


def test_trees_of_several_workflows_follow_each_other() -> None:
    """Each begins with its name."""
    assert [line for line in run("graph", "-", stdin=TWO).out.splitlines() if line[0].isalpha()] == ["wf", "second"]


def test_a_larger_workflow_is_an_outline(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits the columns of the terminal; --full shows every job and dependency, in each form."""
    jobs = "".join(f"{{name: s-{n:02}, image: busybox, parallel: true}}, " for n in range(60))
    jobs += "{name: end, image: busybox}, {name: late, image: busybox, dependencies: [{name: s-07}]}"
    text = ONE_JOB.replace("{name: j, image: busybox}", jobs)
    outline = ["wf", "└── g", "    ├── s-00 to s-59  (60 jobs, parallel)", "    ├── end", "    └── late"]
    assert run("graph", "-", stdin=text).out.splitlines() == outline
    monkeypatch.setenv("COLUMNS", "30")
    assert max(map(len, run("graph", "-", stdin=text).out.splitlines())) <= 30
    assert run("graph", "-", "--full", stdin=text).out.count("Depends on: wf-g-s-07\n") == 2
    for output, arrow in (("mermaid", "  j7 --> j61\n"), ("dot", "  j7 -> j61;\n"), ("svg", "g/s-07 → g/late")):
        assert arrow not in run("graph", "-", "-o", output, stdin=text).out
        assert arrow in run("graph", "-", "-o", output, "--full", stdin=text).out


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


# A workflow of a cluster


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without a kubeconfig."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    return tmp_path


def test_what_is_no_file_is_looked_for_on_a_cluster(folder: Path) -> None:
    """Without one the sentence names both readings; what can only be a path is nothing but a file."""
    done = run("graph", "nightly")
    both = 'Error: there is no file "nightly", and the workflow "nightly" cannot be read: no cluster is configured: '
    assert (done.code, done.out, done.err.startswith(both), done.err.count("\n")) == (2, "", True, 1)
    for path in ("nightly.yaml", "./nightly", "Nightly", "n" * 254):
        assert run("graph", path).err.startswith(f"Error: {path} does not exist; name a file"), path


def test_a_word_that_may_be_both_is_the_file(folder: Path) -> None:
    """And says so; an option for a cluster says that the workflow is meant."""
    (folder / "etl").mkdir()
    (folder / "etl" / "wf.yaml").write_text(ONE_JOB)
    done = run("graph", "etl")
    assert (done.code, done.out.splitlines()[0]) == (0, "wf")
    assert done.err == '"etl" is a folder here; to show the workflow "etl" of a cluster, add -n NAMESPACE\n'
    assert run("graph", "etl", "-n", "team").err.startswith("Error: no cluster is configured: ")


def test_options_are_for_one_of_the_two(folder: Path) -> None:
    """What a file does not have is refused for a file, and the other way round."""
    (folder / "wf.yaml").write_text(ONE_JOB)
    done = run("-n", "team", "graph", "wf.yaml")
    assert (done.code, done.err.partition(".")[0]) == (
        2,
        "Error: -n, --context and --kubeconfig are for a workflow on a cluster, not for a file",
    )
    done = run("graph", "nightly", "--name", "x")
    assert (done.code, done.err.partition(".")[0]) == (
        2,
        'Error: --name and --exclude are for files, but "nightly" is not a file here',
    )
