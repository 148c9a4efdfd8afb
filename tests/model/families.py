"""What is let happen together: each family is explored on every graph. All of it at once would never end."""

from __future__ import annotations

import gc
from typing import Any

import attrs

from tests.core.world import group, job
from tests.model.budget import Budget
from tests.model.explore import Broken, Coverage, explored
from tests.model.graphs import Graph, spec_of
from tests.model.others import Edit


def _jobs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return list(spec["groups"][0]["jobs"])


def add(spec: dict[str, Any]) -> dict[str, Any]:
    """One more job, which waits for the first."""
    return {"groups": [group("g", *_jobs(spec), job("new", parallel=True, dependencies=[{"name": "j0"}]))]}


def remove(spec: dict[str, Any]) -> dict[str, Any]:
    """The last job is taken out; nothing waits for it."""
    return {"groups": [group("g", *_jobs(spec)[:-1])]} if len(_jobs(spec)) > 1 else {}


def free(spec: dict[str, Any]) -> dict[str, Any]:
    """No job waits for another any more, and they come in another order."""
    return {"groups": [group("g", *({**one, "dependencies": []} for one in reversed(_jobs(spec))))]}


def turn(spec: dict[str, Any]) -> dict[str, Any]:
    """Each job waits for those that waited for it."""
    behind: dict[str, list[dict[str, str]]] = {one["name"]: [] for one in _jobs(spec)}
    for one in _jobs(spec):
        for other in one.get("dependencies", ()):
            behind[other["name"]].append({"name": one["name"]})
    return {"groups": [group("g", *({**one, "dependencies": behind[one["name"]]} for one in _jobs(spec)))]}


@attrs.frozen(kw_only=True)
class Family:
    """What may happen, and how often, on the way to a state."""

    name: str
    budget: Budget
    replicas: int = 1
    edit: Edit | None = None

    def explore(self, graph: Graph, most: int) -> Coverage:
        """All states, or so many. Raises `Broken`."""
        return explored(spec_of(graph), self.replicas, self.budget, most, edit=self.edit)


FAMILIES = (
    Family(name="crashes", budget=Budget(crash=2, fail=1)),
    Family(name="answers lost", budget=Budget(lost=1, crash=1, fail=1)),
    Family(name="news early, twice, late", budget=Budget(race=1, lost=1, fail=1)),
    Family(name="requests that outlive their sender", budget=Budget(late=1, fail=1)),
    Family(name="requests that outlive their sender, Jobs deleted", budget=Budget(late=1, take=1)),
    Family(name="old lists, Jobs deleted", budget=Budget(crash=1, lag=1, take=1)),
    Family(name="old lists, failures", budget=Budget(crash=1, lag=1, fail=1)),
    Family(name="deletions missed", budget=Budget(relist=2, take=1, lost=1)),
    Family(name="two leaders", replicas=2, budget=Budget(fail=1)),
    Family(name="two leaders, one crashes", replicas=2, budget=Budget(crash=1)),
    Family(name="two leaders, answers lost", replicas=2, budget=Budget(lost=1)),
    Family(name="two leaders, run again", replicas=2, budget=Budget(retry=1, fail=1)),
    Family(name="two leaders, aborted", replicas=2, budget=Budget(abort=1)),
    Family(name="suspended, resumed", budget=Budget(suspend=2, crash=1)),
    Family(name="aborted, taken back", budget=Budget(abort=2, crash=1, fail=1)),
    Family(name="aborted, answers lost", budget=Budget(abort=1, lost=1, race=1)),
    Family(name="run again", budget=Budget(retry=1, crash=1, fail=1)),
    Family(name="run again, answers lost", budget=Budget(retry=1, lost=1, fail=1)),
    Family(name="run again twice", budget=Budget(retry=2, fail=2)),
    Family(name="run again, aborted, suspended", budget=Budget(retry=1, abort=1, suspend=1, fail=1)),
    Family(name="deleted", budget=Budget(delete=1, crash=1, late=1)),
    Family(name="status wiped", budget=Budget(wipe=1, crash=1, fail=1)),
    Family(name="a job added", budget=Budget(edit=1, crash=1, fail=1), edit=add),
    Family(name="a job removed", budget=Budget(edit=1, crash=1, fail=1), edit=remove),
    Family(name="dependencies removed", budget=Budget(edit=1, crash=1, fail=1), edit=free),
    Family(name="dependencies turned round", budget=Budget(edit=1, crash=1, fail=1), edit=turn),
    Family(name="dependencies turned round, answers lost", budget=Budget(edit=1, lost=1, crash=1), edit=turn),
    Family(name="dependencies turned round, late requests", budget=Budget(edit=1, late=1), edit=turn),
    Family(name="dependencies turned round twice", budget=Budget(edit=2, crash=1), edit=turn),
    Family(name="dependencies turned round, status wiped", budget=Budget(edit=1, wipe=1, crash=1), edit=turn),
    Family(name="two leaders, dependencies removed", replicas=2, budget=Budget(edit=1), edit=free),
    Family(name="two leaders, dependencies turned round", replicas=2, budget=Budget(edit=1), edit=turn),
)


def explore(number: int, graph: Graph, most: int) -> Coverage | str:
    """One family on one graph, in a process of its own; as text what breaks a rule."""
    gc.set_threshold(100_000, 1_000)  # nearly all stays: to go through it over and over takes a fifth of the time
    try:
        return FAMILIES[number].explore(graph, most)
    except Broken as broken:
        return str(broken)
    finally:
        gc.collect()
