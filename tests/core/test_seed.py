"""The sample of the founding README, from its first look to its end."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.core.golden import golden
from tests.core.world import World

SEED: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "examples" / "seed.yaml").read_text())
NAMES = {
    "first": "first-group-first-job",
    "second": "first-group-second-job",
    "half": "first-group-second-half-job",
    "third": "second-group-third-job",
    "fourth": "second-group-fourth-job",
    "fifth": "third-group-fifth-job",
}


@pytest.fixture
def world() -> World:
    metadata = {"namespace": "default", "uid": "8a94fa45", "generation": 1}
    return World({**SEED, "metadata": {**SEED["metadata"], **metadata}})


def test_what_waits_for_nothing_starts_first(world: World) -> None:
    """Both parallel groups start, each with its first job; a job without `parallel` waits for those before it."""
    world.step()
    assert world.running() == [NAMES["first"], NAMES["third"]]


def test_jobs_follow_each_other_in_order(world: World) -> None:
    """Each job starts as soon as those that it waits for have succeeded, and no sooner."""
    world.settle().succeed(NAMES["first"])
    assert world.running() == sorted([NAMES["second"], NAMES["third"]])
    world.succeed(NAMES["third"])
    assert world.running() == sorted([NAMES["second"], NAMES["fourth"]])
    world.succeed(NAMES["second"], NAMES["fourth"])
    assert world.running() == [NAMES["half"]]


def test_a_group_that_is_not_parallel_waits_for_all_earlier_groups(world: World) -> None:
    """The third group starts after both parallel groups before it."""
    world.settle().succeed(NAMES["first"]).succeed(NAMES["second"]).succeed(NAMES["half"]).succeed(NAMES["third"])
    assert world.running() == [NAMES["fourth"]]
    world.succeed(NAMES["fourth"])
    assert world.running() == [NAMES["fifth"]]
    assert world.group_phases() == {"first-group": "succeeded", "second-group": "succeeded", "third-group": "running"}


def test_it_ends_well(world: World) -> None:
    """`succeeded 6/6`, Finished, and nothing is written or created any more."""
    world.run()
    status = world.stored()
    assert (status.phase.value, status.progress) == ("succeeded", "6/6")
    assert world.conditions()["Finished"] == (True, "Succeeded")
    assert len(world.created) == len(set(world.created)) == 6
    writes = world.writes
    assert world.settle().writes == writes


def test_compiled_params_name_the_innermost_level_first(world: World) -> None:
    """`POO FEE FOO QUE`, as the founding README shows the first job."""
    world.settle()
    compiled = world.status_of("first-group/first-job").compiled_params
    assert compiled == {
        "env": [
            {"name": "POO", "value": "paz"},
            {"name": "FEE", "value": "bee"},
            {"name": "FOO", "value": "bar"},
            {"name": "QUE", "value": "pasa"},
        ]
    }


def test_the_container_has_the_outermost_level_first(world: World) -> None:
    """So that `$(FOO)` in an inner value can name an outer variable: Kubernetes expands what stands before it."""
    world.settle()
    container = world.manifests[f"managedjob-sample-{NAMES['first']}"]["spec"]["template"]["spec"]["containers"][0]
    assert [entry["name"] for entry in container["env"]] == ["FOO", "QUE", "FEE", "POO"]


def test_every_job_is_as_stored(world: World) -> None:
    """The whole manifest of each Job, in the order of creation."""
    world.run()
    manifests = [json.loads(json.dumps(world.manifests[name])) for name in world.created]
    assert manifests == golden("seed", manifests)


def test_the_status_is_as_stored(world: World) -> None:
    """The whole status in the middle of the run and at its end."""
    world.settle().succeed(NAMES["first"], NAMES["third"])
    middle = json.loads(json.dumps(world.raw["status"]))
    world.run()
    found = {"middle": middle, "end": world.raw["status"]}
    assert found == golden("seed-status", found)
