"""`jobsmgr render`: the Jobs that the operator would create, as they are stored under `tests/golden/render`.

`JOBSMGR_UPDATE_GOLDEN=1` stores them anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobsmgr.files.composer import compose
from tests.cli.program import EXAMPLES, ONE_JOB, run
from tests.core.golden import FOLDER, golden

FILES = sorted(EXAMPLES.glob("*.yaml"))


def _rendered(*arguments: str, stdin: str = "") -> list[dict[str, Any]]:
    done = run("render", *arguments, "-o", "json", stdin=stdin)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)["items"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_example_is_rendered_as_stored(file: Path) -> None:
    """To the letter, so that a change of what is created is seen."""
    done = run("render", str(file))
    assert done.code == 0
    stored = FOLDER / "render" / file.name
    if os.environ.get("JOBSMGR_UPDATE_GOLDEN"):
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(done.out)
    assert done.out == stored.read_text()


def test_there_is_no_stored_file_without_its_example() -> None:
    """None is left behind."""
    assert {path.name for path in (FOLDER / "render").iterdir()} == {path.name for path in FILES}


def test_it_is_what_a_run_creates_without_the_owner() -> None:
    """The Jobs of the sample's run, whose owner's uid nobody knows before."""
    created = golden("seed", None) if not os.environ.get("JOBSMGR_UPDATE_GOLDEN") else []
    for manifest in created:
        assert manifest["metadata"].pop("ownerReferences")
    rendered = {each["metadata"]["name"]: each for each in _rendered(str(EXAMPLES / "seed.yaml"), "-n", "default")}
    assert rendered == {each["metadata"]["name"]: each for each in created} or not created


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_yaml_and_json_are_the_same_objects(file: Path) -> None:
    """Read back as kubectl reads them, and as PyYAML does."""
    text = run("render", str(file)).out
    assert [each.value for each in compose(text)] == _rendered(str(file))
    assert list(yaml.safe_load_all(text)) == _rendered(str(file))


def test_one_job_is_chosen() -> None:
    """By group and name."""
    (job,) = _rendered(str(EXAMPLES / "etl.yaml"), "--job", "load/check")
    assert job["metadata"]["name"] == "etl-load-check"


def test_a_name_that_fits_several_jobs_asks_which() -> None:
    """With all that fit."""
    text = ONE_JOB.replace("]}]}", "]}, {name: h, jobs: [{name: j, image: b}]}]}")
    done = run("render", "-", "--job", "j", stdin=text)
    assert (done.code, done.err) == (2, 'Error: "j" matches g/j, h/j; write it as group/job\n')


@pytest.mark.parametrize(
    ("metadata", "options", "namespace"),
    [
        ("name: wf", [], "default"),
        ("name: wf", ["-n", "team"], "team"),
        ("name: wf, namespace: own", [], "own"),
        ("name: wf, namespace: own", ["-n", "team"], "own"),
    ],
)
def test_the_namespace_is_the_files_then_the_options(metadata: str, options: list[str], namespace: str) -> None:
    """With neither it is that of a run."""
    (job,) = _rendered("-", *options, stdin=ONE_JOB.replace("name: wf", metadata))
    assert job["metadata"]["namespace"] == namespace


@pytest.mark.parametrize("command", ["render", "run --executor simulate"])
def test_a_namespace_that_is_none_is_refused(command: str) -> None:
    """As an option, not as a field of the file."""
    done = run(*command.split(), "-", "-n", "My Team", stdin=ONE_JOB)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "Error: Invalid value for '-n' / '--namespace': \"My Team\" is not a valid namespace; use at most"
    )


@pytest.mark.parametrize("command", ["render", "explain"])
def test_a_job_is_of_one_workflow(command: str) -> None:
    """Of several, one has to be chosen."""
    two = f"{ONE_JOB}---\n{ONE_JOB.replace('name: wf', 'name: second')}"
    done = run(command, "-", "--job", "j", stdin=two)
    words = 'Error: --job works on one workflow, but <stdin> has "wf", "second"; choose it with --name\n'
    assert (done.code, done.out, done.err) == (2, "", words)
    assert run(command, "-", "--job", "j", "--name", "second", stdin=two).code == 0


def test_a_job_that_is_nothing_like_any_is_told_what_there_is() -> None:
    """A few are listed; of many, where to find them."""
    done = run("render", "-", "--job", "nothing-like-it", stdin=ONE_JOB)
    assert done.err == 'Error: workflow "wf" has no job "nothing-like-it"; it has g/j\n'
    many = ONE_JOB.replace("[{name: j, image: busybox}]", str([{"name": f"j{n}", "image": "b"} for n in range(30)]))
    done = run("render", "-", "--job", "nothing-like-it", stdin=many)
    assert done.err == 'Error: workflow "wf" has no job "nothing-like-it"; graph shows all 30\n'


@pytest.mark.parametrize("command", ["render", "explain", "graph", "run --executor simulate"])
def test_a_name_that_only_a_cluster_gives_is_asked_for(command: str) -> None:
    """`generateName` is no mistake, but names are made of it."""
    done = run(*command.split(), "-", stdin=ONE_JOB.replace("name: wf", "generateName: wf-"))
    assert done.err == (
        "Error: <stdin>:3:12: metadata.generateName: only a cluster can generate a name; use metadata.name instead\n"
    )


def test_of_several_mistakes_the_first_is_said_and_where_to_see_the_rest() -> None:
    """In a sentence that is right for standard input and for kubectl too."""
    done = run("render", "-", stdin=ONE_JOB.replace("image: busybox", "image: 5, args: 5"))
    assert done.err.endswith("quote it (and 1 more: lint shows all)\n")


def test_an_owner_is_never_invented() -> None:
    """Not even for a file got from a cluster: its uid may be an old one."""
    (job,) = _rendered("-", stdin=ONE_JOB.replace("name: wf", "name: wf, uid: 8a94fa45"))
    assert "ownerReferences" not in job["metadata"]


@pytest.mark.parametrize("command", ["render", "explain"])
def test_several_jobs_are_chosen_by_name_and_pattern(command: str) -> None:
    """In the workflow's order; a name and a pattern that fit nothing are refused."""
    text = ONE_JOB.replace("[{name: j,", "[{name: a, image: b}, {name: b1, image: b}, {name: b2, image: b}, {name: j,")
    out = run(command, "-", "--job", "b?", "--job", "a", stdin=text).out
    assert [name for name in ("a", "b1", "b2", "j") if f"wf-g-{name}" in out] == ["a", "b1", "b2"]
    assert out.index("wf-g-a") < out.index("wf-g-b1") < out.index("wf-g-b2")
    done = run(command, "-", "--job", "a", "--job", "x*", stdin=text)
    assert done.err == 'Error: no job matches "x*" (workflow "wf"); use one of g/a, g/b1, g/b2, g/j, or a pattern\n'
    assert run(command, "-", "--job", "g", stdin=text).err.endswith('g/a, g/b1, g/b2, g/j, or "g/*"\n')


@pytest.mark.parametrize("command", ["render", "explain", "graph", "run --executor simulate"])
def test_several_workflows_are_chosen_by_name_and_pattern(command: str) -> None:
    """Each option must fit one."""
    text = "---\n".join(ONE_JOB.replace("name: wf", f"name: {name}") for name in ("one", "etl-a", "etl-b"))
    out = run(*command.split(), "-", "--name", "etl-*", "--name", "etl-a", stdin=text).out
    assert [name for name in ("one", "etl-a", "etl-b") if name in out] == ["etl-a", "etl-b"]
    done = run(*command.split(), "-", "--name", "one", "--name", "x*", stdin=text)
    assert done.err == 'Error: <stdin> has no ManagedJob "x*"; there is "one", "etl-a", "etl-b"\n'
