"""The operator is killed before and after each write of twelve kinds of workflows, and gets no answer to it.

Each ends as it does without a fault, and creates the same Jobs, each once. By default some of the writes, with `--full`
every one, of larger workflows too.
"""

import time

import pytest

from tests.e2e.crash_sweep import Point, Sweep, creates, differences, points_of, some_of
from tests.e2e.crash_workloads import SIZES, workloads
from tests.figures import Figures
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_forks import ForkedOperator
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

NAMES = tuple(workloads(1))
PARTS = tuple(NAMES[start : start + 3] for start in range(0, len(NAMES), 3))
SOME = 39
"""Points of each part in the default run."""
REACHED = 0.7
"""A workflow that is killed early may need fewer writes than without: what was to happen next is in one status then,
the more of it the slower the machine is."""


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", PARTS, ids=["-".join(part) for part in PARTS])
def test_whatever_write_the_fault_comes_at_the_end_is_the_same(
    part: tuple[str, ...],
    size: str,
    workflows: Workflows,
    jobs: JobFinisher,
    proxy: FaultProxy,
    forked: ForkedOperator,
    trace: Trace,
    full: bool,
    figures: Figures,
) -> None:
    if size != "small" and not full:
        pytest.skip("larger workloads are part of a full run")
    began = time.monotonic()
    sweep = Sweep(workflows, jobs, proxy, forked, workloads(SIZES[size]))
    calm = {case.point.workload: case for case in sweep.run([Point(name) for name in part])}
    every = points_of([*calm.values()])
    points = every if full else some_of(every, SOME)
    # Those that kill nobody first, all in one process: a kill would take from them what they are there to see.
    cases = [*sweep.run([one for one in points if one.mode == "lost"])]
    cases += sweep.run([one for one in points if one.mode != "lost"])
    made = creates(trace, [*calm.values(), *cases])
    broken = [text for case in cases for text in differences(calm[case.point.workload], case, made)]
    reached = sum(case.reached for case in cases)
    figures.record(
        "crash-sweep",
        part=" ".join(part),
        size=size,
        writes=sum(case.rule.matched for case in calm.values()),
        points=len(points),
        reached=reached,
        starts=forked.starts,
        violations=len(broken),
        seconds=round(time.monotonic() - began, 1),
    )
    assert not broken, "\n".join(broken)
    assert reached >= REACHED * len(points), [case.name for case in cases if not case.reached]
