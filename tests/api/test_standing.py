"""How jobs together stand: what counts, groups and progress say of any phases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Counts, GroupStatus, JobStatus, Phase

OF_JOBS = [phase for phase in Phase if phase is not Phase.SUSPENDED]
P, R, S, F, A = OF_JOBS


@pytest.mark.parametrize(
    ("phases", "together", "group"),
    [
        ([P, P], P, P),
        ([P, S], R, R),
        ([P, A], R, R),
        ([R, A], R, R),
        ([R, F], R, F),
        ([P, F], R, F),
        ([S, S], S, S),
        ([S, A], A, A),
        ([A, A], A, A),
        ([S, F], F, F),
        ([A, F], F, F),
    ],
)
def test_phases_together(phases: list[Phase], together: Phase, group: Phase) -> None:
    """A group has failed at once, for machines; a view says so when nothing goes on any more."""
    jobs = [JobStatus(name=str(at), phase=phase) for at, phase in enumerate(phases)]
    assert Counts.of(phases).together is together
    assert GroupStatus.of("g", jobs) == GroupStatus(name="g", phase=group, jobs=tuple(jobs))


@given(st.lists(st.tuples(st.sampled_from(OF_JOBS), st.sampled_from(OF_JOBS))))
def test_counts_follow_each_move(moves: list[tuple[Phase, Phase]]) -> None:
    """What has moved need not be counted anew; all that there is is somewhere."""
    before, after = (Counts.of(phases) for phases in ([old for old, _ in moves], [new for _, new in moves]))
    assert before.moved(moves) == after
    assert after.total == len(moves) == sum(getattr(after, phase) for phase in OF_JOBS)
    assert after.progress == f"{after.succeeded}/{len(moves)}"
    assert after.together.ended is not bool(after.pending or after.running)
