"""Twelve kinds of workflows whose every write is to be survived, and what a person does to each as it goes.

No I/O here: what happens is said by values.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import yaml

from tests.e2e.shapes import SEED, Spec, chain, group, job
from tests.plane.recording import Version

RETRY = "jobsmanager.raczylo.com/retry"
SIZES = {"small": 1, "medium": 7, "large": 12}
"""How many times as many jobs each form of a workload has; together they write more than 500 times."""


@attrs.frozen
class Turn:
    """What a person does, once, when the stored workflow shows that it is time for it."""

    when: Callable[[Version], bool]
    patch: Mapping[str, Any] | None = None
    """An edit; None deletes the workflow."""
    release: str = ""
    """The job, `group/job`, that may end then."""


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


def was_run_again(shown: Version) -> bool:
    """Whether a request to run jobs again has been accepted."""
    return bool((shown.status.get("retry") or {}).get("accepted"))


def _phase(shown: Version, path: str) -> str:
    """The phase of a job, `group/job`; empty if the status does not show it."""
    group_name, _, name = path.partition("/")
    return str(shown.phases().get((group_name, name), {}).get("phase", ""))


def _runs(*paths: str) -> Callable[[Version], bool]:
    return lambda shown: all(_phase(shown, path) == "running" for path in paths)


def _holds(condition: str) -> Callable[[Version], bool]:
    return lambda shown: bool(shown.condition(condition))


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
    both = Turn(_runs("g/a", "g/b"), _edit(abort=True))
    return attrs.evolve(held, turns=(both,))


def _resumed(size: int) -> Workload:
    """Suspended from the start, then amid its run."""
    return Workload(
        {"suspend": True, "groups": [group("g", "a", *_names(2 * size))]},
        held=("g/a",),
        turns=(
            Turn(_holds("Suspended"), _edit(suspend=False)),
            Turn(_runs("g/a"), _edit(suspend=True)),
            Turn(_holds("Suspended"), release="g/a"),
            Turn(lambda shown: _phase(shown, "g/a") == "succeeded", _edit(suspend=False)),
        ),
    )


def _edited(size: int) -> Workload:
    """While a job runs another one is added, one is taken out, and one gets another image."""
    before = [group("g", "a", "b", "c", *_names(size))]
    after = [group("g", "a", {**job("b"), "image": "busybox:2"}, *_names(size), "d")]
    return Workload(
        {"groups": before},
        held=("g/a",),
        turns=(Turn(_runs("g/a"), _edit(groups=after)), Turn(lambda shown: _phase(shown, "g/d") != "", release="g/a")),
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
            turns=(Turn(_holds("Finished"), {"metadata": {"annotations": {RETRY: "again"}}}),),
        ),
        "deletion": Workload({"groups": [long]}, held=("g/a",), turns=(Turn(_runs("g/a")),), gone=True),
        "edit": _edited(size),
        "ttl": Workload({"ttlSecondsAfterFinished": 1, **chain(2 * size)}, gone=True),
        "refused": _refused(size),
    }
