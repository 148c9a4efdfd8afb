"""Volumes of the pod and where the container mounts them."""

from __future__ import annotations

from jobsmgr import Fragment
from tests.plugins.pods import fragment, problems, workflow

V, W = {"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}


def mount(name: str, path: str) -> dict[str, str]:
    return {"name": name, "mountPath": path}


def test_merged_volumes_and_mounts() -> None:
    """From all levels."""
    found = fragment("volumes", {"volumes": [V], "volumeMount": [mount("v", "/v")]}, None, {"volumes": [W]})
    assert found == Fragment(volumes=(V, W), volume_mounts=(mount("v", "/v"),))


def test_a_mount_without_its_volume() -> None:
    """Told with the mount's place, the job, and what to do."""
    assert problems("volumes", workflow({"volumes": [V]}, {"volumeMount": [mount("v", "/a"), mount("x", "/b")]})) == [
        'spec.groups[0].params.volumeMount[1].name: "x" is not a volume of job "g/a"; '
        "define it under volumes of this or an outer level"
    ]


def test_the_volume_may_be_at_any_level_of_the_job() -> None:
    """Further in too: merged they are together."""
    assert problems("volumes", workflow({"volumeMount": [mount("v", "/a")]}, None, {"volumes": [V]})) == []


def test_a_mount_that_an_inner_one_replaces_does_not_count() -> None:
    """What counts is what the container gets."""
    outer, inner = {"volumeMount": [mount("x", "/a")]}, {"volumeMount": [mount("v", "/a")], "volumes": [V]}
    assert problems("volumes", workflow(outer, None, inner)) == []


def test_told_once_for_all_jobs() -> None:
    """By the first that lacks it."""
    raw = workflow({"volumeMount": [mount("x", "/a")]})
    raw["spec"]["groups"][0]["jobs"].append({"name": "b", "image": "x"})
    assert len(problems("volumes", raw)) == 1
