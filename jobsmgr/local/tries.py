"""One Job from its start to its end: its tries, counted as on a cluster. No process is started here."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

import anyio
import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.status import Phase, Reason
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.local.environment import PodIdentity
from jobsmgr.local.executor import CANNOT_RUN, NOT_EXECUTABLE, START_ERROR, Attempt, Executor, Exit
from jobsmgr.local.watching import Watcher

DEFAULT_BACKOFF_LIMIT = 6
"""Kubernetes' default, for a Job that says none."""
FIRST_BACKOFF = 1.0
"""Seconds before the second try; a cluster waits 10."""
LONGEST_BACKOFF = 60.0
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names in Kubernetes."""
_LONGEST_STEM = 58
"""With five letters a name is as long as a label may be."""


@attrs.frozen(kw_only=True)
class Outcome:
    """How a Job ended."""

    result: Phase
    reason: str = ""
    message: str = ""


def pod_identity(manifest: Manifest, job_uid: str) -> PodIdentity:
    """A new pod of a Job: a name and a uid of its own, and the labels that the Job controller adds."""
    metadata, template = manifest["metadata"], manifest["spec"]["template"].get("metadata") or {}
    name = str(metadata["name"])
    labels = {
        "batch.kubernetes.io/controller-uid": job_uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": job_uid,
        "job-name": name,
    }
    return PodIdentity(
        name=f"{name}-"[:_LONGEST_STEM] + "".join(random.choices(_SUFFIX, k=5)),
        namespace=str(metadata.get("namespace") or ""),
        uid=str(uuid.uuid4()),
        labels={**(template.get("labels") or {}), **labels},
        annotations=template.get("annotations") or {},
    )


def is_last(failures: int, limit: int, restart_policy: str) -> bool:
    """Whether so many failures are too many.

    With Never a Job fails when more pods have failed than `backoffLimit`. With OnFailure container restarts are counted
    and the Job fails when they *reach* it (or at the first one, where it is 0): the restart that reaches the limit is
    killed as it begins, so it is no usable try and is left out here.
    """
    return failures >= limit if restart_policy == "OnFailure" and limit else failures > limit


def pause_after(failures: int, restart_policy: str) -> float:
    """Seconds until the next try: doubling; the kubelet restarts in place at once for the first time."""
    steps = failures - 1 if restart_policy == "Never" else failures - 2
    return 0.0 if steps < 0 else min(FIRST_BACKOFF * 2.0 ** min(steps, 30), LONGEST_BACKOFF)


class JobRun:
    """One Job that runs."""

    def __init__(
        self,
        workflow: Key,
        job: JobKey,
        manifest: Manifest,
        uid: str,
        *,
        executor: Executor,
        watcher: Watcher,
        root: Path,
    ) -> None:
        """`root` is a directory below which each of its pods gets one of its own."""
        self._workflow = workflow
        self._job = job
        self._manifest = manifest
        self._uid = uid
        self._executor = executor
        self._watcher = watcher
        self._root = root
        self._number = 0

    async def run(self) -> Outcome:
        """Try until it succeeds, may not be tried again, or its `activeDeadlineSeconds` end."""
        seconds = self._manifest["spec"].get("activeDeadlineSeconds")
        with anyio.move_on_after(None if seconds is None else float(seconds)):
            return await self._tries()
        text = f"Job was active longer than its activeDeadlineSeconds ({seconds})"
        return Outcome(result=Phase.FAILED, reason=Reason.DEADLINE_EXCEEDED.value, message=text)

    async def _tries(self) -> Outcome:
        spec = self._manifest["spec"]
        limit = DEFAULT_BACKOFF_LIMIT if spec.get("backoffLimit") is None else int(spec["backoffLimit"])
        policy = str(spec["template"]["spec"].get("restartPolicy") or "Never")
        pod, restarts = pod_identity(self._manifest, self._uid), 0
        while True:
            how = await self._one(pod, restarts)
            last = how.code == 0 or how.final or is_last(self._number, limit, policy)
            pause = None if last else pause_after(self._number, policy)
            self._watcher.on_exit(self._workflow, self._job, self._number, how, pause)
            if pause is None:
                return self._outcome(how)
            await anyio.sleep(pause)
            if policy == "OnFailure":
                restarts += 1
            else:
                pod = pod_identity(self._manifest, self._uid)

    async def _one(self, pod: PodIdentity, restarts: int) -> Exit:
        self._number += 1
        attempt = Attempt(
            key=self._job,
            job_name=str(self._manifest["metadata"]["name"]),
            number=self._number,
            manifest=self._manifest,
            pod=pod,
            directory=self._root / pod.name,
            restarts=restarts,
            write=self._watcher.on_try(self._workflow, self._job, self._number),
        )
        try:
            return await self._executor.run(attempt)
        except (JobsmgrError, OSError) as error:  # this machine cannot: no other try will do better
            return Exit(code=NOT_EXECUTABLE, reason=CANNOT_RUN, message=str(error), final=True)

    def _outcome(self, how: Exit) -> Outcome:
        if how.code == 0:
            return Outcome(result=Phase.SUCCEEDED)
        if how.final and how.reason != START_ERROR:  # for other reasons a cluster has no pod that ends
            return Outcome(result=Phase.FAILED, reason=how.reason, message=how.message)
        tries = f"{self._number} tries failed, the last" if self._number > 1 else "failed"
        why = f" ({how.reason})" if how.reason else ""
        text = f"{tries} with exit code {how.code}{why}" + (f": {how.message}" if how.message else "")
        return Outcome(result=Phase.FAILED, reason=Reason.BACKOFF_LIMIT_EXCEEDED.value, message=text)
