"""Twelve kinds of workflows whose every write is to be survived, and what a person does to each as it goes.

No I/O here: what happens is said by values.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import yaml

from tests.e2e.shapes import SEED, Spec, chain, group, job

RETRY = "jobsmanager.raczylo.com/retry"
SIZES = {"small": 1, "large": 10}
"""How many times as many jobs the large form of a workload has."""


@attrs.frozen
class Turn:
    """What a person does, once, when the stored workflow shows that it is time for it."""

    when: Callable[["Shown"], bool]
    patch: Mapping[str, Any] | None = None
    """An edit; None deletes the workflow."""
    release: str = ""
    """The job, `group/job`, that may end then."""


@attrs.frozen
class Shown:
    """A workflow as it is stored."""

    item: Mapping[str, Any]

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status."""
        status = self.item.get("status")
        return status if isinstance(status, dict) else {}

    def phase(self, path: str) -> str:
        """The phase of a job, `group/job`."""
        phases = {
            f"{one['name']}/{each['name']}": str(each.get("phase"))
            for one in self.status.get("groups", [])
            for each in one.get("jobs", [])
        }
        return phases.get(path, "")

    def holds(self, condition: str) -> bool:
        """Whether a condition is True."""
        return any(one["type"] == condition and one["status"] == "True" for one in self.status.get("conditions", []))

    @property
    def attempted(self) -> bool:
        """Whether a request to run jobs again has been accepted."""
        return bool((self.status.get("retry") or {}).get("accepted"))


@attrs.frozen
class Workload:
    """A workflow, how its jobs end, and what is done to it."""

    spec: Spec
    held: tuple[str, ...] = ()
    """Jobs, `group/job`, that run until they are released."""
    fails: tuple[str, ...] = ()
    """Jobs that fail; of those that are run again the first attempt does."""
    turns: tuple[Turn, ...] = ()
    gone: bool = False
    """Whether its end is that it is deleted."""


def _runs(path: str) -> Callable[[Shown], bool]:
    return lambda shown: shown.phase(path) == "running"


def _finished(shown: Shown) -> bool:
    return shown.holds("Finished")


def _edit(**spec: Any) -> dict[str, Any]:
    return {"spec": spec}


def _names(count: int) -> list[str]:
    return [f"j{number}" for number in range(count)]


def _failures(size: int) -> Workload:
    beside = group("beside", *_names(3 * size), parallel=True)
    load = group("load", job("breaks", parallel=True), job("fine", parallel=True), "after")
    return Workload({"groups": [load, beside, group("behind", "never")]}, fails=("load/breaks",))


def _aborted(size: int) -> Workload:
    jobs = [job("a", "done"), job("b", "done", parallel=True), *map(job, _names(size))]
    held = Workload({"groups": [group("g", "done", *jobs)]}, held=("g/a", "g/b"))
    both = Turn(lambda shown: shown.phase("g/a") == shown.phase("g/b") == "running", _edit(abort=True))
    return attrs.evolve(held, turns=(both,))


def _resumed(size: int) -> Workload:
    """Suspended from the start, then amid its run."""
    return Workload(
        {"suspend": True, "groups": [group("g", "a", *_names(2 * size))]},
        held=("g/a",),
        turns=(
            Turn(lambda shown: shown.holds("Suspended"), _edit(suspend=False)),
            Turn(_runs("g/a"), _edit(suspend=True)),
            Turn(lambda shown: shown.holds("Suspended"), release="g/a"),
            Turn(lambda shown: shown.phase("g/a") == "succeeded", _edit(suspend=False)),
        ),
    )


def _edited(size: int) -> Workload:
    """While a job runs another one is added, one is taken out, and one gets another image."""
    before = [group("g", "a", "b", "c", *_names(size))]
    after = [group("g", "a", {**job("b"), "image": "busybox:2"}, *_names(size), "d")]
    return Workload(
        {"groups": before},
        held=("g/a",),
        turns=(Turn(_runs("g/a"), _edit(groups=after)), Turn(lambda shown: shown.phase("g/d") != "", release="g/a")),
    )


def _refused(size: int) -> Workload:
    env = [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeNames"}}}]
    wrong = job("wrong", parallel=True, params={"env": env})
    fine = [job(name, parallel=True) for name in _names(2 * size)]
    return Workload({"groups": [group("g", wrong, *fine, job("after", "wrong"))]})


def workloads(size: int) -> dict[str, Workload]:
    """All of them by name, each `size` times as large as it could be."""
    wide = [job(name, parallel=True) for name in _names(4 * size)]
    long = group("g", "a", "b")
    return {
        "chain": Workload(chain(3 * size)),
        "fan": Workload({"groups": [group("out", *wide), group("in", "join")]}),
        "seed": Workload(yaml.safe_load(SEED.read_text())["spec"]),
        "failures": _failures(size),
        "deadline": Workload(
            {"groups": [long]}, held=("g/a",), turns=(Turn(_runs("g/a"), _edit(activeDeadlineSeconds=1)),)
        ),
        "abort": _aborted(size),
        "suspend": _resumed(size),
        "retry": Workload(
            {"groups": [group("g", "ok", "breaks", *_names(size))]},
            fails=("g/breaks",),
            turns=(Turn(_finished, {"metadata": {"annotations": {RETRY: "again"}}}),),
        ),
        "deletion": Workload({"groups": [long]}, held=("g/a",), turns=(Turn(_runs("g/a")),), gone=True),
        "edit": _edited(size),
        "ttl": Workload({"ttlSecondsAfterFinished": 1, **chain(2 * size)}, gone=True),
        "refused": _refused(size),
    }
