"""What plugins say about a job's pod, and what they are given when asked. No folding here: that is the core's."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.workflow import Group, Job, JobKey, Workflow


@attrs.frozen(kw_only=True)
class JobContext:
    """A job that is about to be rendered, with everything that applies to it."""

    workflow: Workflow
    group: Group
    job: Job
    params: Params
    """Merged from workflow, group and job; `env` in the container's order, outermost level first."""
    layers: tuple[Layer, ...]
    """The levels that were merged, outermost first."""
    name: str
    """Name of the Job to create."""
    retries: int
    """How often its pod is tried again."""
    attempt: int = 1
    """Which time the job is run: more than 1 where somebody has asked for it to be run again."""
    waits_for_hash: str = ""
    """The same for two Jobs exactly if their jobs wait for the same jobs."""

    @property
    def key(self) -> JobKey:
        """The job's place in its workflow."""
        return JobKey(self.group.name, self.job.name)


def _at(whole: str, key: str, kind: str = "") -> dict[str, str]:
    """Where a field of a `Fragment` goes: field `key` of the pod or its container; `kind` is that of its entries."""
    return {"whole": whole, "key": key, "kind": kind}


@attrs.frozen(kw_only=True)
class Fragment:
    """A part of a Job and its pod. All fragments of a job are folded into one pod template.

    Lists are joined in the order of the plugins; an entry that is already there with the same value is dropped, one of
    the same name with another value is a `FragmentConflict`. `container` and `pod` are further fields of the Container
    and the PodSpec of Kubernetes; each key may be set once. Keys that have a field of their own here are refused there.
    """

    labels: Manifest = attrs.field(factory=dict)
    annotations: Manifest = attrs.field(factory=dict)
    env: tuple[Manifest, ...] = attrs.field(default=(), metadata=_at("container", "env", "EnvVar"))
    env_from: tuple[Manifest, ...] = attrs.field(default=(), metadata=_at("container", "envFrom", "EnvFromSource"))
    volumes: tuple[Manifest, ...] = attrs.field(default=(), metadata=_at("pod", "volumes", "Volume"))
    volume_mounts: tuple[Manifest, ...] = attrs.field(
        default=(), metadata=_at("container", "volumeMounts", "VolumeMount")
    )
    image_pull_secrets: tuple[str, ...] = attrs.field(default=(), metadata=_at("pod", "imagePullSecrets"))
    container: Manifest = attrs.field(factory=dict, metadata=_at("pod", "containers"))
    pod: Manifest = attrs.field(factory=dict)


PARTS: Mapping[tuple[str, str], str] = {
    (field.metadata["whole"], field.metadata["key"]): field.name
    for field in attrs.fields(Fragment)
    if "whole" in field.metadata
}
"""The field of a `Fragment` that says a field of the `pod` or of the `container`."""
ENTRIES: Mapping[str, str] = {
    field.name: field.metadata["kind"] for field in attrs.fields(Fragment) if field.metadata.get("kind")
}
"""The type of Kubernetes that the entries of a field of a `Fragment` have."""


@attrs.frozen(kw_only=True)
class PodTemplate:
    """The pod that all fragments together make: what `jobsmgr_job_manifest` wraps into a Job."""

    labels: Manifest
    annotations: Manifest
    spec: Manifest
