"""A file with one workflow and what it refers to, as a case of what must be the same everywhere. Runs nothing."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from tests.plane.access import API

Manifest = Mapping[str, Any]

BUSYBOX = "busybox:1.37"

SHOW = """show() { stat -c '%A %u:%g %F %n' "$@"; }; """
"""A shell function: mode, owner, group and kind of files, which are the same whenever they were made."""


@attrs.frozen(kw_only=True)
class Case:
    """One file."""

    name: str
    text: str
    differs: Mapping[str, str] = {}
    """What is not the same, as `comparison.Facts` calls it, and the row of docs/run.md that says it."""
    missed: frozenset[str] = frozenset()
    """Facts that the node does not always see, so that they may be the same or not; of `differs` or not."""
    refused: str = ""
    """A part of what `jobsmgr run` says where it starts nothing of this file, though a cluster would."""
    timed: bool = False
    """Whether it has a deadline: it is run when all that has none is over, since a busy machine starts jobs late."""


def sh(script: str, **params: Any) -> dict[str, Any]:
    """A job that runs a script; what goes to standard error keeps its place among the lines."""
    return {"image": BUSYBOX, "command": ["sh", "-c", f"exec 2>&1; {script}"], "params": params}


def in_turn(**jobs: Manifest) -> dict[str, Manifest]:
    """Jobs of which each waits for the one before."""
    return {name.replace("_", "-"): {**job, "parallel": False} for name, job in jobs.items()}


def file_of(name: str, jobs: Mapping[str, Manifest], *documents: Manifest, **fields: Any) -> str:
    """A file of a workflow of one group `g`, with no second try, and the documents that it refers to."""
    listed = [{"name": job, "parallel": True, **fields_of} for job, fields_of in jobs.items()]
    spec = {"retries": 0, "groups": [{"name": "g", "jobs": listed}], **fields}
    workflow = {"apiVersion": API, "kind": "ManagedJob", "metadata": {"name": name}, "spec": spec}
    return "\n---\n".join(json.dumps(document, indent=1) for document in (*documents, workflow)) + "\n"


def config_map(name: str, **content: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **content}


def secret(name: str, **content: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **content}


def claim(name: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def at(path: str, volume: Manifest, **mount: Any) -> dict[str, Any]:
    """The parameters of a volume and where it is mounted."""
    return {"volumes": [{"name": "v", **volume}], "volumeMount": [{"name": "v", "mountPath": path, **mount}]}


def claimed(name: str) -> Manifest:
    """The volume of a claim."""
    return {"persistentVolumeClaim": {"claimName": name}}
