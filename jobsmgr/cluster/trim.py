"""Raw objects cut down to what counts, as they come in, since memory is what runs out first. Nothing is kept here."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from jobsmgr.api.codec import parse_time
from jobsmgr.api.cutting import cut
from jobsmgr.api.fields import Manifest
from jobsmgr.api.names import GROUP_LABEL, ID_LABEL
from jobsmgr.api.sizes import MAX_REASON
from jobsmgr.api.snapshot import JobState
from jobsmgr.api.status import Phase
from jobsmgr.api.workflow import API_VERSION, KIND, JobKey
from jobsmgr.cluster.answers import Answer, Unreachable
from jobsmgr.engine.port import Key

T = TypeVar("T")

LONGEST_MESSAGE = 1024
"""Bytes of a Job's message that are kept: it goes into a status."""
_RESULTS = {"Complete": Phase.SUCCEEDED, "Failed": Phase.FAILED}


@attrs.frozen(kw_only=True)
class StoredJob:
    """A Job and where it is."""

    namespace: str
    state: JobState

    @property
    def place(self) -> tuple[str, str]:
        """Its namespace and name."""
        return (self.namespace, self.state.name)

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.state.uid

    @property
    def version(self) -> int:
        """Its resourceVersion."""
        return self.state.version


@attrs.frozen(kw_only=True)
class StoredWorkflow:
    """A workflow as the cache keeps it: a finished one compressed, since it is looked at once more at most."""

    key: Key
    uid: str
    version: int
    finished: bool
    begun: bool
    """Whether an operator has written its status."""
    _content: Manifest | bytes

    @property
    def place(self) -> tuple[str, str]:
        """Its namespace and name."""
        return self.key

    @property
    def raw(self) -> Manifest:
        """The object, without managedFields."""
        if isinstance(self._content, bytes):
            return json.loads(zlib.decompress(self._content))  # type: ignore[no-any-return]
        return self._content


def trim_workflow(raw: Manifest) -> StoredWorkflow:
    """A ManagedJob without managedFields. Raises KeyError, TypeError or ValueError if it has no metadata."""
    metadata = {key: value for key, value in _metadata(raw).items() if key != "managedFields"}
    # A list's items may come without apiVersion and kind.
    content: Manifest = {"apiVersion": API_VERSION, "kind": KIND, **raw, "metadata": metadata}
    finished = _is_finished(raw.get("status"))
    return StoredWorkflow(
        key=Key(metadata["namespace"], metadata["name"]),
        uid=sys.intern(metadata["uid"]),
        version=int(metadata["resourceVersion"]),
        finished=finished,
        begun=_is_begun(raw.get("status")),
        content=zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 1) if finished else content,
    )


def trim_job(raw: Manifest) -> StoredJob:
    """What counts of a Job. Raises KeyError, TypeError or ValueError for an object without metadata."""
    metadata = _metadata(raw)
    spec, status = _mapping(raw.get("spec")), _mapping(raw.get("status"))
    owner = _controller(metadata.get("ownerReferences"))
    result, reason, message, ended = _result(status.get("conditions"))
    state = JobState(
        name=metadata["name"],
        uid=metadata["uid"],
        owner=sys.intern(str(owner.get("uid", ""))),
        owner_text=sys.intern(f"{owner.get('kind')} {owner.get('name')}") if owner else "",
        version=int(metadata["resourceVersion"]),
        key=_job_key(metadata),
        start_time=parse_time(status.get("startTime")),
        completion_time=(parse_time(status.get("completionTime")) or ended) if result else None,
        result=result,
        reason=sys.intern(reason),
        message=message,
        suspended=spec.get("suspend") is True,
        deleting="deletionTimestamp" in metadata,
    )
    return StoredJob(namespace=sys.intern(metadata["namespace"]), state=state)


def read(answer: Answer, trim: Callable[[Manifest], T]) -> T:
    """The object of a good answer; one that is none leaves us as wise as no answer at all: `Unreachable`."""
    try:
        return trim(answer.body)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable(f"the API server's answer is no object: {error}") from error


def controller_uid(manifest: Manifest) -> str:
    """The uid of the controller that a manifest names; empty if none."""
    return str(_controller(_mapping(manifest.get("metadata")).get("ownerReferences")).get("uid", ""))


def _metadata(raw: Manifest) -> Mapping[str, Any]:
    if not isinstance(metadata := raw["metadata"], Mapping):
        raise TypeError("metadata is no object")
    return metadata


def _controller(references: object) -> Mapping[str, Any]:
    """The owner reference with `controller: true`, of which there is at most one."""
    for reference in _sequence(references):
        if isinstance(reference, Mapping) and reference.get("controller") is True:
            return reference
    return {}


def _job_key(metadata: Mapping[str, Any]) -> JobKey | None:
    """The job that annotations (long names) or labels name."""
    texts = {**_mapping(metadata.get("labels")), **_mapping(metadata.get("annotations"))}
    group, job = texts.get(GROUP_LABEL), texts.get(ID_LABEL)
    return JobKey(sys.intern(str(group)), sys.intern(str(job))) if group and job else None


def _result(conditions: object) -> tuple[Phase | None, str, str, datetime | None]:
    """Result, reason, message and time from Complete or Failed; other conditions come earlier and may still change."""
    for condition in _sequence(conditions):
        if isinstance(condition, Mapping) and condition.get("status") == "True" and condition.get("type") in _RESULTS:
            return (
                _RESULTS[condition["type"]],
                cut(str(condition.get("reason") or ""), MAX_REASON),
                cut(str(condition.get("message") or ""), LONGEST_MESSAGE),
                parse_time(condition.get("lastTransitionTime")),
            )
    return None, "", "", None


def _is_finished(status: object) -> bool:
    """Whether the condition Finished says so. A string status (of the Go operator) is none of ours yet."""
    return any(
        isinstance(condition, Mapping) and condition.get("type") == "Finished" and condition.get("status") == "True"
        for condition in _sequence(_mapping(status).get("conditions"))
    )


def _is_begun(status: object) -> bool:
    """Whether it is more than the schema's default, which says that no operator has seen the workflow."""
    generation = _mapping(status).get("observedGeneration", -1)
    return isinstance(status, str) or (isinstance(generation, int) and generation >= 0)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
