"""What plugins say about a job's pod, and what they are told when asked. No folding here: that is the core's."""

from __future__ import annotations

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

    @property
    def key(self) -> JobKey:
        """The job's place in its workflow."""
        return JobKey(self.group.name, self.job.name)


@attrs.frozen(kw_only=True)
class Fragment:
    """A part of a Job and its pod. All fragments of a job are folded into one pod template.

    Lists are joined in the order of the plugins; an entry that is already there with the same value is dropped, one of
    the same name with another value is a `FragmentConflict`. `container` and `pod` are further fields of the Container
    and the PodSpec of Kubernetes; each key may be set once.
    """

    labels: Manifest = attrs.field(factory=dict)
    annotations: Manifest = attrs.field(factory=dict)
    env: tuple[Manifest, ...] = ()
    env_from: tuple[Manifest, ...] = ()
    volumes: tuple[Manifest, ...] = ()
    volume_mounts: tuple[Manifest, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    container: Manifest = attrs.field(factory=dict)
    pod: Manifest = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class PodTemplate:
    """The pod that all fragments together make: what `jobsmgr_job_manifest` wraps into a Job."""

    labels: Manifest
    annotations: Manifest
    spec: Manifest
