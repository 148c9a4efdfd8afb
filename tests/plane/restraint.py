"""The rules of restraint: nothing is written after the end, and what is refused is not asked for at once again.

No I/O, and nothing of jobsmgr.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.plane.attempts import ends_of, request_of
from tests.plane.recording import Recording, Version, owner

MOST_REFUSED = 5
"""Refusals of one request within a second that are no hot loop: several looks that have a reason of their own."""


def is_silent_after_the_end(recording: Recording) -> Iterator[str]:
    """L5: once a workflow's end is stored the operator writes nothing for it, unless somebody changes it."""
    for uid, versions in recording.workflows.items():
        for final in ends_of(versions):
            asked = (
                one.revision
                for one in versions
                if one.revision > final.revision
                and (one.generation > final.generation or request_of(one) != request_of(final))
            )
            for message in _late_writes(recording, uid, final, next(asked, None)):
                yield f"{final.name} had ended at {final.revision}: {message}"


def repeats_no_refused_request_at_once(recording: Recording) -> Iterator[str]:
    """L6: a request that is refused is not sent again and again within a second; another version of it (409) may be."""
    refused: dict[tuple[str, str, str, str], list[datetime]] = defaultdict(list)
    for request in recording.by_operators:
        name = request.name or request.content.get("metadata", {}).get("name", "")
        if request.code >= 400 and request.code != 409 and name and request.resource != "events":
            which = (request.user, request.verb, request.resource, name)
            refused[which].append(datetime.fromisoformat(request.received))
    for (_, verb, resource, name), moments in refused.items():
        for first, last in zip(sorted(moments), sorted(moments)[MOST_REFUSED:], strict=False):
            if last - first < timedelta(seconds=1):
                yield f"{verb} of {resource} {name} was refused more than {MOST_REFUSED} times within a second"
                break


def _late_writes(recording: Recording, uid: str, final: Version, edited: int | None) -> Iterator[str]:
    def excused(revision: int) -> bool:
        return edited is not None and revision >= edited

    ended = ""
    own = {version.revision for version in recording.workflows[uid]}  # a later workflow may have the same name
    for request in recording.by_operators:
        if (request.resource, request.name) != ("managedjobs/status", final.name) or not request.writes:
            continue
        # The version that a patch was computed from: one from the end on means that the end was known.
        seen = int(request.content.get("metadata", {}).get("resourceVersion") or 0)
        if request.code == 200 and seen < final.revision:
            ended = max(ended, request.answered)
        if seen >= final.revision and seen in own and not excused(seen):
            yield f"{request.verb} of its status, computed from {seen}"
    for creation in recording.creations:
        if creation.workflow == uid and creation.revision > final.revision and not excused(creation.revision):
            yield f"the Job {creation.name} was created at {creation.revision}"
    for request in recording.by_operators:
        if request.resource == "jobs" and request.verb == "delete" and ended and request.received > ended:
            target = recording.jobs.get((request.content.get("preconditions") or {}).get("uid", ""), [])
            if any(owner(version.content) == uid for version in target) and edited is None:
                yield f"its Job {request.name} was deleted"
