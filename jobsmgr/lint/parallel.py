"""`parallel: true` where it changes nothing, in a document as it is written. No order is worked out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import mapping, sequence


def idle_parallels(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """`parallel: true` of a first group or job, which waits for nothing anyway.

    Where a later one says `parallel` too, be it true or false, the author says it of each, and means no more by it.
    """
    groups = sequence(mapping(raw.get("spec")).get("groups"))
    yield from _idle("spec.groups", groups, "group")
    for index, group in enumerate(groups):
        yield from _idle(f"spec.groups[{index}].jobs", sequence(mapping(group).get("jobs")), "job")


def _idle(path: str, siblings: Any, what: str) -> Iterator[Problem]:
    first, *later = [mapping(each) for each in siblings] or [{}]
    if first.get("parallel") is True and later and not any("parallel" in each for each in later):
        text = f"this has no effect: the first {what} waits for nothing, and the next one still waits for it"
        yield Problem(f"{path}[0].parallel", f"{text}; set it on the {what} that should not wait", Code.NO_EFFECT)
