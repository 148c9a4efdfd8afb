"""Fragments to a pod, a pod to the Job that is created. Pure; what a field means is for plugins to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from jobsmgr.api.codec import encode
from jobsmgr.api.cutting import stored_bytes
from jobsmgr.api.errors import FragmentConflict, PluginError
from jobsmgr.api.fields import Manifest
from jobsmgr.api.fragment import Fragment, JobContext, PodTemplate
from jobsmgr.api.names import RESERVED_LABELS, WAITS_FOR_ANNOTATION, owned_metadata
from jobsmgr.api.params import MERGE_KEYS, Layer, Params, variable_names
from jobsmgr.api.workflow import API_VERSION, KIND, Workflow
from jobsmgr.core.admission import size_fault
from jobsmgr.core.hooks import Hooks


def render_job(job: JobContext, hooks: Hooks) -> dict[str, Any]:
    """The whole Job that is sent to the API server.

    Name, namespace, owner and the operator's own labels are set here, after all plugins: who owns a Job is never a
    plugin's to say. A workflow without uid (rendered offline) gives a Job without owner. Raises `PluginError` and
    `FragmentConflict`.
    """
    fragments = hooks.pod_fragments(job)
    manifest = dict(hooks.job_manifest(job, fold_fragments(fragments)))
    labels, annotations = owned_metadata(job.workflow.name, job.key, job.name, job.attempt)
    recorded = {WAITS_FOR_ANNOTATION: job.waits_for_hash} if job.waits_for_hash else {}
    metadata = _labelled(manifest.get("metadata"), labels, annotations | recorded)
    metadata |= {"name": job.name, "namespace": job.workflow.namespace}
    metadata.pop("ownerReferences", None)
    if job.workflow.uid:
        metadata["ownerReferences"] = [owner_reference(job.workflow)]
    spec = manifest["spec"]
    template = {**spec["template"], "metadata": _labelled(spec["template"].get("metadata"), labels, annotations)}
    manifest |= {"metadata": metadata, "spec": {**spec, "template": template}}
    if fault := size_fault(manifest):
        plugin, _ = max(fragments, key=lambda each: stored_bytes(attrs.asdict(each[1], recurse=False)))
        raise PluginError(plugin, "jobsmgr_pod_fragment", f"adds the largest part of a Job that {fault}")
    return manifest


def _labelled(metadata: Manifest | None, labels: Manifest, annotations: Manifest) -> dict[str, Any]:
    """Metadata with the operator's own labels, and with the annotations that have the names for which labels are too
    short, whatever plugins have set: they identify the owner of a Job."""
    found: dict[str, Any] = dict(metadata or {})
    others = {key: value for key, value in (found.get("labels") or {}).items() if key not in RESERVED_LABELS}
    found["labels"] = {**others, **labels}
    kept = {key: value for key, value in (found.get("annotations") or {}).items() if key not in labels}
    if kept or annotations:
        found["annotations"] = {**kept, **annotations}
    else:
        found.pop("annotations", None)
    return found


def owner_reference(workflow: Workflow) -> dict[str, Any]:
    """The controller reference to a workflow.

    Without `blockOwnerDeletion`: setting it needs a right on the owner's finalizers where
    OwnerReferencesPermissionEnforcement is on.
    """
    return {"apiVersion": API_VERSION, "kind": KIND, "name": workflow.name, "uid": workflow.uid, "controller": True}


def fold_fragments(fragments: Iterable[tuple[str, Fragment]]) -> PodTemplate:
    """All fragments as one pod, in the order given. Raises `FragmentConflict` where two plugins differ on one name."""
    fold = _Fold()
    for plugin, fragment in fragments:
        fold.add(plugin, fragment)
    return fold.pod()


class _Fold:
    """Fragments joined so far, and who said what."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, tuple[str, Any]]] = {}
        self._lists: dict[str, list[Any]] = {"env_from": [], "image_pull_secrets": []}

    def add(self, plugin: str, fragment: Fragment) -> None:
        for part in ("labels", "annotations", "container", "pod"):
            for key, value in getattr(fragment, part).items():
                self._set(part, key, value, plugin)
        for part, name in MERGE_KEYS.items():
            for item in getattr(fragment, part):
                self._set(part, str(item.get(name, "")), item, plugin)
        for part, items in self._lists.items():
            items += [item for item in getattr(fragment, part) if item not in items]

    def _set(self, part: str, key: str, value: Any, plugin: str) -> None:
        known = self._values.setdefault(part, {})
        if key in known and known[key][1] != value:
            raise FragmentConflict(f'{part.replace("_", " ")} "{key}"', known[key][0], plugin)
        known.setdefault(key, (plugin, value))

    def _get(self, part: str) -> dict[str, Any]:
        return {key: value for key, (_, value) in self._values.get(part, {}).items()}

    def pod(self) -> PodTemplate:
        container = self._get("container") | _filled(
            env=list(self._get("env").values()),
            envFrom=self._lists["env_from"],
            volumeMounts=list(self._get("volume_mounts").values()),
        )
        spec = (
            {"containers": [container]}
            | self._get("pod")
            | _filled(
                volumes=list(self._get("volumes").values()),
                imagePullSecrets=[{"name": name} for name in self._lists["image_pull_secrets"]],
            )
        )
        return PodTemplate(labels=self._get("labels"), annotations=self._get("annotations"), spec=spec)


def _filled(**fields: list[Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def compiled_params(layers: Sequence[Layer], merged: Params) -> dict[str, Any]:
    """Merged parameters as `compiledParams` shows them: what is set, and `env` with the innermost level first.

    The order is that of the founding README's sample (POO of the job, FEE of its group, FOO and QUE of the workflow);
    in the container it is the other way round.
    """
    document = encode(merged)
    if merged.env:
        document["env"] = _innermost_first(layers, merged.env)
    return document


def _innermost_first(layers: Sequence[Layer], env: Sequence[Manifest]) -> list[Manifest]:
    merged = {str(entry.get("name")): entry for entry in env}
    names = [name for layer in reversed(layers) for name in variable_names(layer.params)]
    ordered = {name: merged[name] for name in names if name in merged}
    return list((ordered | merged).values())
