"""The Job around the pod: tries, deadline, hash of what was applied."""

from __future__ import annotations

import pytest

from tests.plugins.pods import rendered

HASH = "jobmanager.raczylo.com/spec-hash"


@pytest.mark.parametrize(
    ("policy", "retries", "limit"),
    [("Never", 0, 0), ("Never", 1, 1), ("Never", 3, 3), ("OnFailure", 0, 0), ("OnFailure", 1, 2), ("OnFailure", 3, 4)],
)
def test_n_retries_are_n_usable_further_tries(policy: str, retries: int, limit: int) -> None:
    """With OnFailure the controller kills the pod when the count reaches the limit, so it needs one more."""
    assert rendered({"restartPolicy": policy}, retries=retries)["spec"]["backoffLimit"] == limit


def test_one_retry_and_never_if_nothing_is_said() -> None:
    """Exact tries, logs kept."""
    spec = rendered()["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (1, "Never")


def test_the_jobs_own_deadline() -> None:
    """Is its Job's; without one there is none."""
    assert rendered(activeDeadlineSeconds=60)["spec"]["activeDeadlineSeconds"] == 60
    assert "activeDeadlineSeconds" not in rendered()["spec"]


def test_no_time_to_live() -> None:
    """The Job is the proof that the job ran, and stays with its workflow."""
    assert "ttlSecondsAfterFinished" not in rendered()["spec"]


def test_kind_and_parts() -> None:
    """A `batch/v1` Job with one container, and nothing beside."""
    job = rendered()
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job.keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert job["spec"].keys() == {"backoffLimit", "template"}
    assert len(job["spec"]["template"]["spec"]["containers"]) == 1
    assert "annotations" not in job["spec"]["template"]["metadata"]


def test_the_hash_says_what_was_applied() -> None:
    """The same spec, the same hash; another image, another one."""
    hashes = [rendered(image=image)["metadata"]["annotations"][HASH] for image in ("a", "a", "b")]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 16
