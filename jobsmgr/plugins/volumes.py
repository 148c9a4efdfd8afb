"""Volumes of the pod and where the container mounts them. What a volume holds is Kubernetes' concern."""

from __future__ import annotations

from collections.abc import Iterator

from jobsmgr import Fragment, JobContext, Problem, Workflow, hookimpl
from jobsmgr.builtin import Code


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The merged volumes and mounts."""
    return Fragment(volumes=job.params.volumes, volume_mounts=job.params.volume_mounts)


@hookimpl
def jobsmgr_validate(workflow: Workflow) -> Iterator[Problem]:
    """Mounts whose volume no level of the job defines."""
    seen: set[str] = set()
    for job in workflow.jobs():
        winners = {
            mount.get("mountPath"): (f"{layer.path}.params.volumeMount[{index}].name", mount.get("name"))
            for layer in job.layers
            for index, mount in enumerate(layer.params.volume_mounts)
        }
        known = {volume.get("name") for layer in job.layers for volume in layer.params.volumes} if winners else set()
        for path, name in winners.values():
            if name not in known and path not in seen:
                seen.add(path)
                text = f'"{name}" is not a volume of job "{job.key}"; define it under volumes of this or an outer level'
                yield Problem(path, text, Code.NO_VOLUME)
