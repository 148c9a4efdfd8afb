"""What a user asks for: a workflow of groups of jobs, as a frozen value. No defaults of meaning, no run state here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import attrs

from jobsmgr.api.fields import Manifest, spec_field
from jobsmgr.api.frozen import FrozenDict
from jobsmgr.api.params import Layer, Params
from jobsmgr.api.syntax import IMAGE, LABEL

GROUP = "jobsmanager.raczylo.com"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ManagedJob"
PLURAL = "managedjobs"
DEFAULT_RETRIES = 1

_NAME: Manifest = {"pattern": LABEL.pattern, "maxLength": 40, "minLength": 1}
"""Stricter than Kubernetes: a Job's name is made of three."""


class JobKey(NamedTuple):
    """A job's place in its workflow: the names of its group and its own."""

    group: str
    job: str

    def __str__(self) -> str:
        return f"{self.group}/{self.job}"


@attrs.frozen(kw_only=True)
class Job:
    """One job: a container to run to its end. Becomes one `batch/v1` Job."""

    name: str = spec_field("name", "Name of the job, unique in its group.", **_NAME)
    image: str = spec_field("image", "Container image.", ref="Image", minLength=1, maxLength=IMAGE.longest)
    command: tuple[str, ...] = spec_field(
        "command", "Entrypoint, as in a container.", factory=tuple, maxItems=256, itemMaxLength=65536
    )
    args: tuple[str, ...] = spec_field(
        "args", "Arguments of the entrypoint, as in a container.", factory=tuple, maxItems=1024, itemMaxLength=65536
    )
    working_dir: str | None = spec_field(
        "workingDir", "Working directory of the container.", default=None, maxLength=4096
    )
    parallel: bool = spec_field(
        "parallel",
        "false (the default): the job waits for all earlier jobs of its group; true: it does not wait for them.",
        default=False,
    )
    params: Params = spec_field(
        "params", "Parameters of this job; they override those of the group and the workflow.", factory=Params
    )
    retries: int | None = spec_field(
        "retries",
        "How many times a failed pod of the job is retried; overrides the outer levels.",
        default=None,
        minimum=0,
        maximum=100,
    )
    active_deadline_seconds: int | None = spec_field(
        "activeDeadlineSeconds",
        "The job fails when it runs, or cannot be created, for longer than this.",
        default=None,
        minimum=1,
        maximum=2147483647,
    )
    dependencies: tuple[str, ...] = spec_field(
        "dependencies",
        "Jobs that must succeed first, by name in the same group, by group/job, or by full name.",
        factory=tuple,
        ref="JobDependency[]",
        maxItems=256,
    )


@attrs.frozen(kw_only=True)
class Group:
    """A group of jobs with an order of their own and parameters in common."""

    name: str = spec_field("name", "Name of the group, unique in the workflow.", **_NAME)
    parallel: bool = spec_field(
        "parallel",
        "false (the default): the group waits for all earlier groups; true: it does not wait for them.",
        default=False,
    )
    params: Params = spec_field("params", "Parameters for the group's jobs.", factory=Params)
    retries: int | None = spec_field(
        "retries",
        "How many times a failed pod of a job is retried; overrides the workflow's value.",
        default=None,
        minimum=0,
        maximum=100,
    )
    dependencies: tuple[str, ...] = spec_field(
        "dependencies",
        "Groups that must succeed first, in addition to those that it waits for by order.",
        factory=tuple,
        ref="GroupDependency[]",
        maxItems=64,
    )
    jobs: tuple[Job, ...] = spec_field(
        "jobs", "Jobs of the group, in order.", minItems=1, maxItems=1024, mergeKey="name"
    )


@attrs.frozen(kw_only=True)
class Spec:
    """What `spec` of a ManagedJob says."""

    groups: tuple[Group, ...] = spec_field(
        "groups", "Groups of jobs, in order.", minItems=1, maxItems=64, mergeKey="name"
    )
    params: Params = spec_field("params", "Parameters for every job.", factory=Params)
    retries: int | None = spec_field(
        "retries", "How many times a failed pod of a job is retried (default 1).", default=None, minimum=0, maximum=100
    )
    active_deadline_seconds: int | None = spec_field(
        "activeDeadlineSeconds",
        "The workflow is stopped when it has run for longer than this, counted from status.startTime.",
        default=None,
        minimum=1,
        maximum=2147483647,
    )
    ttl_seconds_after_finished: int | None = spec_field(
        "ttlSecondsAfterFinished",
        "The finished workflow is deleted with its Jobs after this time. Default: it is kept.",
        default=None,
        minimum=0,
        maximum=2147483647,
    )
    suspend: bool = spec_field(
        "suspend",
        "While this is true, no job starts; running jobs continue. Set it to false to resume.",
        default=False,
    )
    abort: bool = spec_field(
        "abort",
        "true stops the workflow: running Jobs are deleted, and no job starts. This cannot be undone.",
        default=False,
    )


class WrittenJob(NamedTuple):
    """A job as it stands in its workflow."""

    key: JobKey
    group: Group
    job: Job
    layers: tuple[Layer, ...]
    """The levels of its parameters, outermost first."""
    place: tuple[int, int]
    """The index of its group in the workflow, and its own in the group."""

    @property
    def path(self) -> str:
        """Where it stands: `spec.groups[0].jobs[1]`."""
        return self.layers[-1].path


@attrs.frozen(kw_only=True)
class Workflow:
    """A ManagedJob as its user wrote it: identity and spec, without status."""

    name: str
    namespace: str
    spec: Spec
    uid: str = ""
    generation: int = 1
    labels: Manifest = attrs.field(factory=FrozenDict)
    annotations: Manifest = attrs.field(factory=FrozenDict)
    created: datetime | None = None
    size: int = 0
    """Bytes of the whole stored object without its status, as compact JSON."""

    def levels(self) -> Iterator[Layer]:
        """The parameters of every level once, in the order of the object, each with its path."""
        yield Layer("spec", self.spec.params)
        for group_index, group in enumerate(self.spec.groups):
            path = f"spec.groups[{group_index}]"
            yield Layer(path, group.params)
            for index, job in enumerate(group.jobs):
                yield Layer(f"{path}.jobs[{index}]", job.params)

    def jobs(self) -> tuple[WrittenJob, ...]:
        """Every job, in the order of the object."""
        return self._jobs

    @cached_property
    def _jobs(self) -> tuple[WrittenJob, ...]:
        """Kept, since plugins ask for it one after another."""
        found, outermost = list[WrittenJob](), Layer("spec", self.spec.params)
        for group_index, group in enumerate(self.spec.groups):
            outer = Layer(f"spec.groups[{group_index}]", group.params)
            for index, job in enumerate(group.jobs):
                inner = Layer(f"{outer.path}.jobs[{index}]", job.params)
                key, place = JobKey(group.name, job.name), (group_index, index)
                found.append(WrittenJob(key, group, job, (outermost, outer, inner), place))
        return tuple(found)

    def retries_of(self, group: Group, job: Job) -> int:
        """How often a job's pod is tried again: the innermost level that says so, else 1 (`retries` of the API)."""
        levels = (job.retries, group.retries, self.spec.retries, DEFAULT_RETRIES)
        return next(level for level in levels if level is not None)
