"""What is remembered of a workflow altogether."""

from jobsmgr import Phase, Status
from jobsmgr.api.snapshot import Scope
from jobsmgr.core.plan import bare_plan
from jobsmgr.core.shrinking import WHOLE
from jobsmgr.engine.memory import Memory
from jobsmgr.engine.memory.pace import Pace
from jobsmgr.engine.memory.refusals import Refusals
from jobsmgr.engine.port import Refused
from tests.core.world import group, key, manifest

QUOTA = Refused(reason="QuotaExceeded", message="exceeded quota", scope=Scope.WORKFLOW)
DENIED = Refused(reason="AdmissionDenied", message="denied")


def test_an_end_needs_no_memory_of_work() -> None:
    """Once it is stored."""
    one = Memory(uid="u")
    one.refusals = one.refusals.refused(key("g/a"), QUOTA, 0)
    one.saved(Status(observed_generation=1, phase=Phase.RUNNING), None, 0, 0)
    assert one.refusals.throttle is not None
    one.saved(Status(observed_generation=1, phase=Phase.FAILED), None, 0, 0)
    assert (one.plan, one.baseline, one.refusals) == (None, None, Refusals())


def test_an_edit_is_tried_as_if_nothing_had_been_refused() -> None:
    """With the whole status, and without a rest."""
    one, plan = Memory(uid="u", form=WHOLE + 1, pace=Pace(rests_until=5)), bare_plan(manifest(group("g", "a")))
    one.refusals = one.refusals.refused(key("g/a"), DENIED, 0)
    one.edited(plan)
    assert (one.plan, one.refusals, one.form, one.pace) == (plan, Refusals(), WHOLE, Pace())
