"""Which time of running a job it is, and who asked for it, as the versions of a workflow show it.

No I/O here, and no judgement: what must hold is in `rules.py`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.plane.recording import Creation, Path, Recording, Version


def attempt_of(job: dict[str, Any]) -> int:
    """Which time of running a job an entry of a status shows."""
    return int(job.get("attempt", 1))


def attempt_at(recording: Recording, creation: Creation, path: Path) -> int:
    """Which attempt of a job the newest status before a creation shows."""
    found = 1
    for version in recording.workflows.get(creation.workflow, []):
        if version.revision < creation.revision and path in version.phases():
            found = attempt_of(version.phases()[path])
    return found


def request_of(version: Version) -> str:
    """The request to run jobs again that is in the annotations."""
    annotations = version.content["metadata"].get("annotations") or {}
    return str(annotations.get("jobsmanager.raczylo.com/retry", ""))


def ends_of(versions: list[Version]) -> Iterator[Version]:
    """The versions with which a workflow ended: more than one if jobs of it were run again."""
    for old, new in pairwise([None, *versions]):
        if new is not None and new.condition("Finished") and not (old is not None and old.condition("Finished")):
            yield new


def opened_again(old: Version, new: Version) -> bool:
    """Whether a request to run jobs again was accepted with this version: the exception to what never goes back."""
    before, after = (version.status.get("retry") or {} for version in (old, new))
    return bool(after.get("accepted")) and after.get("token") != before.get("token")
