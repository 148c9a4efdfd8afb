"""Operators under constant faults for as long as one likes: what they break, and whether their memory grows.

`python -m tests.reliability.soak --minutes N`. One operator is killed every 30 to 90 seconds, and its whole run is held
against the rules, a namespace after the other. Another one lives throughout, and its memory is looked at in the second
half: in the first it is filled with what is kept, such as the uids of 10,000 objects that are gone. One in twenty
requests of both fails, one way or another.
"""

import argparse
import contextlib
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.e2e.shapes import Spec, chain, fan, group, job
from tests.figures import OPTION, Figures
from tests.plane.components import FAST_CONTROLLERS
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Action, Answer, Cut, Delay, DropReply, FaultProxy, Reset
from tests.plane.faults import Rule
from tests.plane.job_finisher import FAILS, JobFinisher, Outcome
from tests.plane.operator_forks import ForkedOperator, OperatorForks, forked_operator
from tests.plane.recording import shown
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows
from tests.reliability.memory import resident, slope

FAULTS: tuple[Action, ...] = (
    Answer(500, {"message": "trouble"}),
    Answer(503, {"message": "trouble"}),
    Answer(429, {"message": "slow down"}, {"Retry-After": "1"}),
    Reset(),
    DropReply(),
    Delay(1.0),
)
CUTS: tuple[Action, ...] = (Cut(seconds=5), Cut(events=3, cleanly=False))
"""Of watches."""
SHARE = 0.05
"""Which part of the requests has a fault."""
TOGETHER = 20
"""Workflows of one namespace that run at the same time, at most."""
ROUND = 300.0
"""Seconds until another namespace is taken: a recording is kept in memory."""
KILLS = (30.0, 90.0)
TURN = 0.5
KEPT = 20
"""Seconds that the operator which lives keeps what has ended."""
KINDS: dict[str, tuple[Spec, str]] = {
    "chain": (chain(4), "succeeded"),
    "fan": (fan(6), "succeeded"),
    "fails": ({"groups": [group("g", job("breaks", parallel=True), job("fine", parallel=True), "after")]}, "failed"),
}
"""Specs, and how each ends."""


@attrs.define
class Site:
    """One namespace with an operator behind a fault proxy, and the workflows that come into it."""

    workflows: Workflows
    proxy: FaultProxy
    operator: ForkedOperator
    ttl: int | None = None
    """Seconds that a finished workflow is kept; None is for ever."""
    rules: list[Rule] = attrs.field(factory=list)
    made: int = 0
    faults: int = 0
    """Requests that had a fault; counted when they stop."""
    samples: list[tuple[float, float]] = attrs.field(factory=list)
    """Hours by the monotonic clock, and bytes of the operator's memory then."""

    def disturb(self) -> None:
        """Have requests fail from now on."""
        for method, actions in (("WATCH", CUTS), *((one, FAULTS) for one in ("GET", "POST", "PATCH", "DELETE"))):
            self.rules += [self.proxy.add(one, method=method, chance=SHARE / len(actions)) for one in actions]

    def calm(self) -> None:
        """Let all requests through."""
        for rule in self.rules:
            self.proxy.remove(rule)
        self.rules.clear()
        self.faults = sum(one.action is not None for one in self.proxy.passed)

    def go_on(self) -> None:
        """Have the operator run, and workflows come."""
        if not self.operator.running:
            self.operator.start()
        self.samples.append((time.monotonic() / 3600, resident(self.operator.pid)))
        running = len(self._unfinished())
        for _ in range(TOGETHER - running if running < TOGETHER / 2 else 0):
            kind = random.choice([*KINDS])
            spec = {**KINDS[kind][0], **({} if self.ttl is None else {"ttlSecondsAfterFinished": self.ttl})}
            self.workflows.create_spec(f"{kind}-{self.made:05}", spec)
            self.made += 1

    def wrong(self) -> list[str]:
        """Wait until all have ended, and name those that ended otherwise than they should have."""
        eventually(lambda: not self._unfinished(), "all workflows end")
        ends = {item["metadata"]["name"]: item["status"]["phase"] for item in self.workflows.items()}
        return [f"{name} has {end}" for name, end in ends.items() if end != KINDS[name.split("-")[0]][1]]

    def _unfinished(self) -> list[str]:
        return [one.name for one in map(shown, self.workflows.items()) if not one.condition("Finished")]


@attrs.frozen
class Soak:
    """What all rounds share."""

    plane: ControlPlane
    portal: BlockingPortal
    forks: OperatorForks

    @contextlib.contextmanager
    def site(self, namespace: str, ttl: int | None = None) -> Iterator[Site]:
        """A namespace with all that belongs to it, under faults."""
        with contextlib.ExitStack() as stack:
            jobs = stack.enter_context(self.portal.wrap_async_context_manager(JobFinisher(self.plane, namespace)))
            jobs.script("*", Outcome(seconds=0.5))
            jobs.script("breaks", FAILS)
            proxy = stack.enter_context(self.portal.wrap_async_context_manager(FaultProxy(self.plane)))
            operator = stack.enter_context(forked_operator(self.forks, self.plane, namespace, proxy.url))
            made = Site(Workflows(self.plane, namespace), proxy, operator, ttl)
            made.disturb()
            yield made

    def round(self, seconds: float, beside: Site) -> tuple[Site, list[str]]:
        """Kill an operator again and again for so long; its namespace, and what was wrong at the end."""
        namespace, end = self.plane.namespace("soak"), time.monotonic() + seconds
        with self.portal.wrap_async_context_manager(Trace(self.plane, namespace)) as trace:
            with self.site(namespace) as site:
                kill_at = time.monotonic() + random.uniform(*KILLS)
                while time.monotonic() < end:
                    for one in (site, beside):
                        one.go_on()
                    if time.monotonic() >= kill_at:
                        site.operator.kill()
                        kill_at = time.monotonic() + random.uniform(*KILLS)
                    time.sleep(TURN)
                site.calm()
                if not site.operator.running:
                    site.operator.start()
                wrong = site.wrong()
            return site, [*wrong, *map(str, trace.violations())]


def main() -> int:
    """Run, and print what it took; 1 where a rule was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(OPTION)
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    broken: list[str] = []
    workflows = faults = kills = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        plane = ControlPlane.start(folder / "plane", FAST_CONTROLLERS)
        stack.callback(plane.close)
        portal = stack.enter_context(start_blocking_portal("asyncio"))
        soak = Soak(plane, portal, stack.enter_context(OperatorForks(folder / "operator.log")))
        steady = stack.enter_context(soak.site(plane.namespace("steady"), KEPT))
        steady.go_on()
        while (left := end - time.monotonic()) > 0:
            site, found = soak.round(min(left, ROUND), steady)
            broken += found
            workflows, faults, kills = workflows + site.made, faults + site.faults, kills + site.operator.starts - 1
            print(f"{workflows} workflows, {kills} kills, {faults} faults, {len(broken)} violations", flush=True)
        steady.calm()
        broken += steady.wrong()
        if steady.operator.starts > 1:
            broken.append(f"the operator that nobody killed has ended {steady.operator.starts - 1} times")
    half = steady.samples[len(steady.samples) // 2 :]
    Figures(options.figures).record(
        "soak",
        minutes=options.minutes,
        workflows=workflows + steady.made,
        faults=faults + steady.faults,
        kills=kills,
        megabytes_half_way=round(half[0][1] / 1e6, 1),
        megabytes_last=round(half[-1][1] / 1e6, 1),
        megabytes_an_hour_in_the_second_half=round(slope(half) / 1e6, 2),
        violations=len(broken),
    )
    print("\n".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
