"""Workflows of a certain shape, small and valid, for tests to which only the shape matters; what they are compared by.

No I/O here.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Spec = dict[str, Any]

SEED = Path(__file__).parents[2] / "examples" / "seed.yaml"
"""The sample of the founding README: six jobs in three groups."""


def chain(length: int) -> Spec:
    """So many jobs, each of which waits for the one before."""
    return {"groups": [{"name": "chain", "jobs": _jobs(length)}]}


def fan(width: int) -> Spec:
    """So many jobs, none of which waits for another."""
    return {"groups": [{"name": "fan", "jobs": _jobs(width, parallel=True)}]}


def waves(widths: Iterable[int]) -> Spec:
    """Groups one after another, of so many jobs at once."""
    groups = [{"name": f"wave-{place}", "jobs": _jobs(width, parallel=True)} for place, width in enumerate(widths)]
    return {"groups": groups}


def group(name: str, *jobs: str | Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A group of these jobs, each by its name alone or with more fields."""
    return {"name": name, "jobs": [job(one) if isinstance(one, str) else dict(one) for one in jobs], **fields}


def job(name: str, *needs: str, **fields: Any) -> dict[str, Any]:
    """A job that depends on others by these names."""
    dependencies = {"dependencies": [{"name": one} for one in needs]} if needs else {}
    return {"name": name, "image": "busybox", **dependencies, **fields}


def expanded(env: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A container's environment as a kubelet makes it: `$(NAME)` is replaced if NAME stands before."""
    known: dict[str, str] = {}
    for entry in env:
        value = re.sub(r"\$\((\w+)\)", lambda match: known.get(match[1], match[0]), entry.get("value", ""))
        known[entry["name"]] = value
    return known


def _jobs(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"name": f"job-{number}", "image": "busybox", **fields} for number in range(count)]
