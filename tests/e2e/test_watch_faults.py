"""Watches that end, or whose place in history is gone: nothing is missed, and the server is not stormed."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.lagging import EXPIRED, only_pages
from tests.e2e.shapes import chain, fan
from tests.plane.distribution import install
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import Action, Answer, Cut, FaultProxy, Hold, Passed, Rewrite, Silence
from tests.plane.job_finisher import JobFinisher
from tests.plane.leases import wait_for_renewals
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.trace import Trace
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


JOBS = r"/jobs\?"
RESUMED = r"[?&]resourceVersion=\d"
"""In the path of a watch that goes on from where it was; the others begin with a list of everything."""


def watches(proxy: FaultProxy, plural: str) -> list[Passed]:
    """The watches of a resource so far."""
    return [one for one in proxy.passed if f"/{plural}?" in one.path and "watch=true" in one.path]


def anew(requests: list[Passed]) -> list[Passed]:
    """Those that ask for everything."""
    return [one for one in requests if not re.search(RESUMED, one.path)]


def test_a_watch_that_ends_goes_on_where_it_was(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """Each watch ends after every third event: nothing is missed, and nothing is listed a second time for it."""
    proxy.add(Cut(events=3), method="WATCH")
    operator = operators(url=proxy.url)
    operator.wait_for_log('"event": "leading"')
    before = {plural: len(anew(watches(proxy, plural))) for plural in ("jobs", "managedjobs")}
    workflows.create_spec("etl", chain(8))
    workflows.wait_for("etl", "Complete")
    assert len(watches(proxy, "jobs")) >= 2 * 8 / 3, "each Job is two events at least"
    assert {plural: len(anew(watches(proxy, plural))) for plural in before} == before
    # An end that comes after events is everyday life: no waiting, and no word about it.
    assert "waiting" not in operator.output()


def expired_event(event: dict[str, Any]) -> list[dict[str, Any]]:
    """In place of any event."""
    return [{"type": "ERROR", "object": EXPIRED.body}]


@pytest.mark.parametrize("how", [EXPIRED, Rewrite(expired_event)], ids=["status", "event"])
def test_a_place_in_history_that_is_gone_is_found_anew_by_a_list(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site, how: Action
) -> None:
    """410 to the resumed watch: a list shows what has happened meanwhile; a Job that is not in it was deleted."""
    jobs.hold("*")
    operators(url=proxy.url)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for_phases("etl", fan__job_0="running", fan__job_1="running")
    known = len(anew(watches(proxy, "jobs")))
    gate = Hold(then=how)  # an outage would not do: after a few attempts everything is listed anew in any case
    proxy.add(gate, method="WATCH", path=f"{JOBS}.*{RESUMED}", times=1)
    proxy.cut_off()
    proxy.restore()
    eventually(lambda: gate.reached, "the watch is resumed")
    site.plane.call("DELETE", _job(site.namespace, "etl-fan-job-0"))
    gate.release()
    workflows.wait_for_phases("etl", fan__job_0="failed")
    assert workflows.job("etl", "fan/job-0")["reason"] == "JobLost"
    assert len(anew(watches(proxy, "jobs"))) == known + 1
    jobs.release("*")
    workflows.wait_for("etl", "Finished")
    assert workflows.phases("etl") == {"fan/job-0": "failed", "fan/job-1": "succeeded"}


def _job(namespace: str, name: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}?propagationPolicy=Background"


@pytest.mark.parametrize("how", [EXPIRED, Rewrite(expired_event)], ids=["status", "event"])
def test_a_place_in_history_that_is_gone_is_not_asked_for_twice(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site, how: Action
) -> None:
    """Without an outage, after which everything would be listed anyway: the first refusal is believed."""
    operators(url=proxy.url).wait_for_log('"event": "leading"')
    wait_for_renewals(*site, 3)  # the watch has lived long enough for its end not to be a failure
    gone = proxy.add(how, method="WATCH", path=f"{JOBS}.*{RESUMED}")
    proxy.cut_off()
    proxy.restore()
    eventually(lambda: gone.matched, "the watch has ended, and is resumed")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert gone.matched == 1


def test_a_server_that_finds_every_place_in_history_gone_is_asked_less_and_less_often(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy
) -> None:
    """410 even to watches that begin anew: the second attempt comes at once, the others after doubling pauses."""
    operator = operators(url=proxy.url)
    operator.wait_for_log('"event": "leading"')
    rule = proxy.add(EXPIRED, method="WATCH", path=JOBS, times=4)
    proxy.cut_off()
    proxy.restore()
    eventually(lambda: rule.matched == 5, "the fifth is let through")
    refused = [one for one in watches(proxy, "jobs") if one.action is rule.action]
    pauses = [after.at - before.at for before, after in pairwise(refused)]
    assert len(pauses) == 3
    assert all(pause >= least for pause, least in zip(pauses[1:], (0.25, 0.5), strict=True)), pauses
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert "too old resource version" in operator.output()


INTERNAL = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "leader changed"}
NO_EVENTS: dict[str, dict[str, Any] | bytes] = {
    "error-500": {"type": "ERROR", "object": INTERNAL},
    "cut-short": b'{"type": "MODIFIED", "object": {"kind": "Job", "meta\n',
    "two-megabytes": b'{"type": "MODIFIED", "object": {"kind": "' + b"x" * 2_000_000 + b'"}}\n',
    "no-json": b"<html>\n",
    "no-object": b"[1]\n",
}


@pytest.mark.parametrize("broken", NO_EVENTS)
def test_what_is_no_event_costs_a_new_watch_and_nothing_else(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, broken: str
) -> None:
    """In place of the news of a Job, once: it is found out anew, and the process goes on."""
    sent: list[str] = []

    def break_one(event: dict[str, Any]) -> list[dict[str, Any] | bytes]:
        sent.append(event["type"])
        return [NO_EVENTS[broken]] if sent.count("MODIFIED") == 1 and sent[-1] == "MODIFIED" else [event]

    proxy.add(Rewrite(break_one), method="WATCH", path=JOBS)
    operator = operators(url=proxy.url)
    pid = operator.pid
    workflows.create_spec("etl", chain(3))
    workflows.wait_for("etl", "Complete")
    assert (operator.running, operator.pid) == (True, pid)
    assert len(trace.recording().creations) == 3
    assert sent.count("MODIFIED") > 1, "there was one to break, and others after it"


@pytest.mark.parametrize("again", [0, 1], ids=["twice", "late"])
def test_events_that_come_twice_or_after_newer_ones_change_nothing(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, again: int
) -> None:
    """Each event of every watch is followed by itself, or by the one before it."""
    told: dict[str, list[dict[str, Any]]] = {}

    def repeat(event: dict[str, Any]) -> list[dict[str, Any]]:
        known = told.setdefault(str(event["object"].get("kind")), [])
        known.append(event)
        return [event, *known[-1 - again :][:1]]

    proxy.add(Rewrite(repeat), method="WATCH")
    operators(url=proxy.url)
    workflows.create_spec("etl", chain(4))
    workflows.wait_for("etl", "Complete")
    assert len(trace.recording().creations) == 4


HASTE = """
# The times after which a watch ends by itself and all is listed anew are minutes: seconds will do for a test.
import jobsmgr.cluster.watch
from jobsmgr import hookimpl

jobsmgr.cluster.watch.WATCH_SECONDS = (1, 2)
jobsmgr.cluster.watch.LIST_SECONDS = (4, 6)


@hookimpl
def jobsmgr_validate(workflow):
    return ()
"""


def test_an_event_that_a_stream_has_lost_is_found_by_the_next_list(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, trace: Trace, tmp_path: Path
) -> None:
    """No client can notice the loss; the ends of Jobs are known when all is listed anew, as it is from time to time."""
    lost: list[str] = []

    def lose(event: dict[str, Any]) -> list[dict[str, Any]]:
        item = event["object"]
        ended = any(one["type"] == "Complete" for one in item.get("status", {}).get("conditions") or [])
        if event["type"] != "MODIFIED" or item["kind"] != "Job" or not ended:
            return [event]
        lost.append(item["metadata"]["name"])
        return []

    proxy.add(Rewrite(lose), method="WATCH")
    found = install(tmp_path, "jobsmgr_haste", "1.0", {"jobsmgr_haste.py": HASTE}, {"haste": "jobsmgr_haste"})
    operators(url=proxy.url, environment=found)
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert set(lost) == {"etl-chain-job-0", "etl-chain-job-1"}
    assert len(anew(watches(proxy, "jobs"))) >= 1 + 2, "each end was found by a list of its own"
    assert len(trace.recording().creations) == 2


def test_a_list_whose_next_page_is_gone_is_begun_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, site: Site
) -> None:
    """410 to a token of `continue`, from a server that is listed by pages: half a list is no list."""
    jobs.hold("*")
    first = operators(url=proxy.url)
    workflows.create_spec("etl", fan(2))
    workflows.wait_for_phases("etl", fan__job_0="running", fan__job_1="running")
    first.kill()
    path = f"/apis/batch/v1/namespaces/{site.namespace}/jobs"
    whole = site.plane.call("GET", path)
    half = {**whole, "items": [], "metadata": {**whole["metadata"], "continue": "lost"}}
    only_pages(proxy)
    gone = proxy.add(EXPIRED, method="GET", path=rf"{JOBS}.*continue=lost")
    proxy.add(Answer(200, half), method="GET", path=rf"{JOBS}limit=500$", times=1)
    first.start()
    eventually(lambda: gone.matched == 1, "the next page is asked for, and gone")
    jobs.release("*")
    workflows.wait_for("etl", "Complete")


def test_a_watch_without_a_byte_is_begun_again(
    workflows: Workflows, jobs: JobFinisher, operators: Operators, proxy: FaultProxy, full: bool
) -> None:
    """The peer is dead, and nobody says so: 90 s without a bookmark are too long."""
    if not full:
        pytest.skip("90 seconds of silence are part of a full run")
    operators(url=proxy.url).wait_for_log('"event": "leading"')
    rule = proxy.add(Silence(), method="WATCH", path=JOBS, times=1)
    proxy.cut_off()
    proxy.restore()
    eventually(lambda: rule.matched == 1, "the watch is begun anew, and silent")
    workflows.create_spec("etl", chain(2))
    workflows.wait_for("etl", "Complete")
    assert rule.matched > 1
