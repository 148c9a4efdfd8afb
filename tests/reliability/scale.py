"""A month of a large cluster on a virtual clock: the real engine, core and plugins on a port that lives in memory.

`python -m tests.reliability.scale [--workflows N] [--days D]`. No request is sent and no moment is waited for.
"""

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import anyio

from jobsmgr.api.status import Phase
from jobsmgr.engine.port import Created, Event, Key
from jobsmgr.local.simulation import VirtualLoop
from tests.core.world import group, job, manifest
from tests.engine.world import KEY, FakeCluster, loop
from tests.figures import OPTION, Figures
from tests.quiet import quiet
from tests.reliability.memory import resident, slope

DAY = 86_400.0
KEPT = 6 * 3600
"""Seconds that a finished workflow is kept."""
LONGEST_JOB = 4 * 3600.0
MOST_IN_A_ROW = 3
FAILING = 0.05
"""Which part of the jobs fails."""
SHAPES: tuple[tuple[dict[str, Any], ...], ...] = (
    (group("etl", "extract", "load"),),
    (group("fan", *(job(f"part-{n}", parallel=True) for n in range(4))), group("join", "sum")),
    (group("one", "only"),),
)


class Month(FakeCluster):
    """A cluster whose Jobs end by themselves, in which workflows come and go; it keeps no more than what there is."""

    def __init__(self, count: int, days: float) -> None:
        super().__init__()
        self.count, self.length = count, days * DAY
        self.random = random.Random(0)
        self.made = 0
        self.most = 0
        self.counted: Counter[str] = Counter()
        """Looks, Jobs that ended, and requests by verb."""
        self.ends: Counter[str] = Counter()
        """How workflows ended."""
        self.samples: list[tuple[float, float]] = []
        """Days, and bytes of memory."""

    def begin(self) -> None:
        """Have workflows come, evenly over the whole time."""
        moment = self.made * self.length / self.count
        asyncio.get_running_loop().call_at(moment, self._arrive)

    def sample(self) -> None:
        """Take down how much memory there is, each day."""
        self.samples.append((anyio.current_time() / DAY, resident()))
        if anyio.current_time() < self.length:
            asyncio.get_running_loop().call_later(DAY, self.sample)

    def _arrive(self) -> None:
        name = f"wf-{self.made}"
        self.made += 1
        self.apply(manifest(*self.random.choice(SHAPES), name=name, ttlSecondsAfterFinished=KEPT, retries=0))
        self.most = max(self.most, len(self.workflows))
        if self.made < self.count:
            self.begin()

    def observe(self, key: Key) -> Any:
        self.counted["looks"] += 1
        found = super().observe(key)
        del self.looks[key]
        return found

    async def create_job(self, key: Key, manifest: Mapping[str, Any]) -> Any:
        result = await super().create_job(key, manifest)
        if isinstance(result, Created):
            seconds = self.random.uniform(10, LONGEST_JOB)
            asyncio.get_running_loop().call_later(seconds, self._end, key, result.job.name)
        return result

    def _end(self, key: Key, name: str) -> None:
        if name in self.jobs.get(key, {}):
            self.counted["jobs"] += 1
            self.end(name, key=key, result=Phase.FAILED if self.random.random() < FAILING else Phase.SUCCEEDED)

    async def delete_workflow(self, key: Key, uid: str, version: str) -> Any:
        self.ends[self.status(key).phase.value] += 1
        return await super().delete_workflow(key, uid, version)

    def remove(self, key: Key = KEY) -> None:
        super().remove(key)
        self.jobs.pop(key, None)

    async def _asked(self, verb: str, key: Key, what: Any) -> Any:
        self.counted[verb] += 1
        answer = await super()._asked(verb, key, what)
        self.writes.clear()
        return answer

    def emit(self, event: Event) -> None:
        self.counted["events"] += 1


async def simulate(month: Month) -> int:
    """Let the month pass, and all that began in it end; how many workflows the engine still remembers then."""
    async with loop(month) as reconciler:
        month.begin()
        month.sample()
        await anyio.sleep(month.length)
        await anyio.sleep(LONGEST_JOB * MOST_IN_A_ROW + KEPT + DAY)  # the last ones end, and their time to live
        month.samples.append((anyio.current_time() / DAY, resident()))
        return len(reconciler._gatherer.memories)


def main() -> int:
    """Simulate, and print what it took; 1 where something is left, or has not ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflows", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument(OPTION)
    options = parser.parse_args()
    quiet()
    month, began = Month(options.workflows, options.days), time.monotonic()
    left = anyio.run(simulate, month, backend_options={"loop_factory": VirtualLoop})
    settled = [sample for sample in month.samples if sample[0] >= min(2.0, options.days / 2)]
    violations = left + abs(sum(month.ends.values()) - month.count)
    Figures(options.figures).record(
        "scale",
        workflows=month.count,
        days=options.days,
        at_once=month.most,
        ends=dict(month.ends),
        **month.counted,
        remembered_at_the_end=left,
        megabytes_first=round(settled[0][1] / 1e6, 1),
        megabytes_last=round(settled[-1][1] / 1e6, 1),
        kilobytes_a_day=round(slope(settled) / 1e3, 1),
        violations=violations,
        seconds=round(time.monotonic() - began, 1),
    )
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
