"""Each field of the API is set by mistake, to whatever it can say, and back: then it runs as if that had never been."""

import time
from collections import Counter
from typing import Any

import attrs
import pytest

from tests.e2e.lasting import lasting
from tests.e2e.misoperations import KINDS, Field, base, edited, fields
from tests.figures import Figures
from tests.plane.eventually import eventually
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.recording import owner
from tests.plane.site import Site
from tests.plane.workflows import Workflows

EVERY = 8
"""By default one in so many fields is tried."""
STEERING = ("abort", "suspend")
"""What ends or starts a workflow, as it is meant to: there is no way back to try."""
SPEC_HASH = "jobmanager.raczylo.com/spec-hash"
"""It depends on the workflow's name."""
PASSING = ("observedGeneration", "batch.kubernetes.io/controller-uid", "controller-uid", "selector", SPEC_HASH)
"""What workflows with other edits and names never share."""


@attrs.define
class Edited:
    """A workflow that is edited for one field."""

    name: str
    field: Field
    answers: Counter[str] = attrs.field(factory=Counter)
    """What the API server made of the edits, and what the operator made of those that it took."""


@pytest.mark.fast_plane
@pytest.mark.long
def test_whatever_is_set_and_taken_back_it_runs_as_if_it_had_never_been(
    workflows: Workflows,
    jobs: JobFinisher,
    operator: OperatorProcess,
    site: Site,
    full: bool,
    figures: Figures,
) -> None:
    """What the server takes is answered by a status of that generation; the Jobs and the end are a new workflow's."""
    began, pid = time.monotonic(), operator.pid
    known = [field for field in fields() if field.path[0] not in STEERING]
    chosen = known if full else known[::EVERY]
    cases = [Edited(f"w{number:04}", field) for number, field in enumerate(chosen)]
    for case in cases:
        workflows.create_spec(case.name, base())
    for kind in KINDS:
        begun = [case for case in cases if _set(workflows, site, case, kind)]
        _wait_until_seen(workflows)
        _count_conditions(workflows, begun)
        for case in begun:
            _put(workflows, site, case.name, base())
        _wait_until_seen(workflows)
    total = sum((case.answers for case in cases), Counter[str]())
    workflows.create_spec("w-new", base())
    names = [*(case.name for case in cases), "w-new"]
    for name in names:
        workflows.edit(name, {"spec": {"suspend": False}})
    for name in names:
        workflows.wait_for(name, "Finished")
    ends = _ends(workflows)
    broken = [case for case in cases if ends[case.name] != ends["w-new"]]
    transitions = 2 * total["taken"] + total["refused"]
    figures.record(
        "misoperation",
        fields=len(cases),
        transitions=transitions,
        **total,
        violations=len(broken),
        seconds=round(time.monotonic() - began, 1),
    )
    assert not broken, "\n".join(f"{case.field}: {ends[case.name]}" for case in broken) + f"\n\n{ends['w-new']}"
    assert min(total["taken"], total["refused"]) > len(cases) / 2, total
    assert (operator.running, operator.pid) == (True, pid)
    assert "processing a workflow failed" not in operator.output()


def _set(workflows: Workflows, site: Site, case: Edited, kind: str) -> bool:
    """Set the case's field; whether the server has taken it."""
    spec = edited(base(), case.field, kind)
    if spec is None:
        return False
    code, text = _put(workflows, site, case.name, spec)
    case.answers["taken" if code == 200 else "refused"] += 1
    assert code in (200, 400, 413, 422), f"{case.field}={kind}: {text[:500]}"
    return code == 200


def _put(workflows: Workflows, site: Site, name: str, spec: dict[str, Any]) -> tuple[int, str]:
    """Replace a workflow's spec; again if its status was written meanwhile."""

    def put() -> tuple[int, str] | None:
        manifest = workflows.get(name) | {"spec": spec}
        answer = site.plane.request("PUT", f"{workflows.path}/{name}", manifest)
        return None if answer.status_code == 409 else (answer.status_code, answer.text)

    found = eventually(put, f"{name} is edited")
    assert found is not None
    return found


def _wait_until_seen(workflows: Workflows) -> None:
    """Until the operator has answered the last edit of each workflow."""

    def seen() -> bool:
        late = [
            item["metadata"]["name"]
            for item in workflows.items()
            if (item.get("status") or {}).get("observedGeneration") != item["metadata"]["generation"]
        ]
        assert not late, f"{late}"
        return True

    eventually(seen, "each edit is answered")


def _count_conditions(workflows: Workflows, cases: list[Edited]) -> None:
    for case in cases:
        stalled = workflows.condition(case.name, "Stalled")
        assert stalled["status"] == "False" or stalled["message"], f"{case.field}: {stalled}"
        case.answers["stalled" if stalled["status"] == "True" else "valid"] += 1


def _ends(workflows: Workflows) -> dict[str, Any]:
    """Each workflow's status and Jobs, without what no two share."""
    jobs: dict[str, list[Any]] = {}
    for job in workflows.jobs():
        parts = {part: job["metadata"].get(part) for part in ("name", "labels", "annotations")}
        jobs.setdefault(owner(job), []).append({**parts, "spec": job["spec"]})
    found: dict[str, Any] = {}
    for item in workflows.items():
        name, own = item["metadata"]["name"], jobs.get(item["metadata"]["uid"], [])
        found[name] = lasting([item["status"], sorted(own, key=lambda job: str(job["name"]))], name, *PASSING)
    return found
