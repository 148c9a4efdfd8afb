"""The rule of leadership: who was given the lease when, and who wrote meanwhile. No I/O, and nothing of jobsmgr."""

from bisect import bisect_left
from collections.abc import Iterator

from tests.plane.recording import Recording


def writes_only_while_leading(recording: Recording) -> Iterator[str]:
    """S8: a replica changes nothing after the lease was given to another, until it has it again itself.

    A write that came late and was refused (409) has changed nothing. Without leader election there are no terms.
    """
    given = sorted(
        (one.answered, one.user)
        for one in recording.by_operators
        if one.resource == "leases" and one.writes and one.code in (200, 201)
    )
    for request in recording.by_operators:
        if request.resource == "leases" or not request.writes or not 200 <= request.code < 300:
            continue
        before = bisect_left(given, (request.received, ""))
        if before and given[before - 1][1] != request.user:
            when, leader = given[before - 1]
            yield f"{request.verb} of {request.resource} {request.name} by {request.user}; {leader} leads since {when}"
