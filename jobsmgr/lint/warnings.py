"""What a cluster accepts in a workflow and what is probably a mistake. No spec is invalid for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.api.fields import json_key
from jobsmgr.api.names import MAX_NAME, job_names, plain_name
from jobsmgr.api.params import MERGE_KEYS, Layer, Params, variable_names
from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION, NoSuchJob, named_jobs, retry_request
from jobsmgr.api.workflow import JobKey, Workflow
from jobsmgr.lint.references import ConfigKeys, referenced_object

_SHOWN = 3


def find_warnings(workflow: Workflow, known: ConfigKeys) -> Iterator[Problem]:
    """All warnings of a workflow that could be read; `known` has the ConfigMaps and Secrets of the same files."""
    if workflow.spec.abort:
        text = "abort is true, so every job is aborted before it starts; remove it to run the workflow"
        yield Problem("spec.abort", text, Code.ABORTED)
    yield from _requests(workflow)
    yield from _names(workflow)
    for layer in workflow.levels():
        yield from _repeated(layer)
    yield from _unused_volumes(workflow)
    yield from _hidden_variables(workflow, known)


def _requests(workflow: Workflow) -> Iterator[Problem]:
    """What the annotation that names jobs to run again has wrong."""
    path = f"metadata.annotations[{RETRY_JOBS_ANNOTATION}]"
    named = workflow.annotations.get(RETRY_JOBS_ANNOTATION)
    if not isinstance(named, str):
        return
    try:
        named_jobs(named, [job.key for job in workflow.jobs()])
    except NoSuchJob as error:
        yield Problem(path, str(error), Code.NOT_RETRIED)
        return
    if retry_request(workflow.annotations) is None:
        text = f'it has an effect only together with the annotation "{RETRY_ANNOTATION}"; add that with a new value'
        yield Problem(path, text, Code.NOT_RETRIED)


def _names(workflow: Workflow) -> Iterator[Problem]:
    paths = {job.key: f"{job.path}.name" for job in workflow.jobs()}
    names = job_names(workflow.name, paths)
    sharing: dict[str, list[JobKey]] = {}
    for key in paths:
        sharing.setdefault(plain_name(workflow.name, key), []).append(key)
    for wanted, keys in sharing.items():
        for key in keys:
            if len(wanted) > MAX_NAME:
                text = f'the name of the Job would be "{wanted}", {len(wanted)} characters, and {MAX_NAME} are allowed'
                yield Problem(paths[key], f'{text}; its name becomes "{names[key]}"; use shorter names', Code.SHORTENED)
            elif len(keys) > 1:
                others = ", ".join(f'"{other}"' for other in keys if other != key)
                text = f'the Job would be "{wanted}", like that of {others}'
                yield Problem(paths[key], f'{text}; its name becomes "{names[key]}"; rename one of them', Code.SHARED)


def _repeated(layer: Layer) -> Iterator[Problem]:
    for attribute, key in MERGE_KEYS.items():
        field = json_key(attrs.fields_dict(Params)[attribute])
        names = [str(entry.get(key)) for entry in getattr(layer.params, attribute)]
        last = {name: index for index, name in enumerate(names)}
        for index, name in enumerate(names):
            if last[name] != index:
                text = f'{key} "{name}" appears again, and only the last counts; remove this one'
                yield Problem(f"{layer.path}.params.{field}[{index}].{key}", text, Code.REPEATED_ENTRY)


def _unused_volumes(workflow: Workflow) -> Iterator[Problem]:
    """Volumes that no job of their level mounts: of the mounts of one path only the innermost counts."""
    mounted: dict[str, set[str]] = {}
    for job in workflow.jobs():
        names = _mounted(job.layers)
        for layer in job.layers:
            mounted.setdefault(layer.path, set()).update(names)
    for layer in workflow.levels():
        for index, volume in enumerate(layer.params.volumes):
            name = str(volume.get("name"))
            if name not in mounted.get(layer.path, ()):
                text = f'no job mounts the volume "{name}"; add it to volumeMount or remove it'
                yield Problem(f"{layer.path}.params.volumes[{index}].name", text, Code.UNUSED_VOLUME)


def _mounted(layers: Iterable[Layer]) -> set[str]:
    winners = {
        str(mount.get("mountPath")): mount.get("name") for layer in layers for mount in layer.params.volume_mounts
    }
    return {str(name) for name in winners.values()}


def _hidden_variables(workflow: Workflow, known: ConfigKeys) -> Iterator[Problem]:
    """Kubernetes lets any `env` beat any `envFrom`, so an outer variable stays where an inner source has one too."""
    outermost = set(variable_names(workflow.spec.params))
    for group_index, group in enumerate(workflow.spec.groups):
        path = f"spec.groups[{group_index}]"
        own = set(variable_names(group.params))
        yield from _hidden(f"{path}.params", group.params, outermost - own, known)
        for index, job in enumerate(group.jobs):
            if job.params.from_env:
                outer = (outermost | own).difference(variable_names(job.params))
                yield from _hidden(f"{path}.jobs[{index}].params", job.params, outer, known)


def _hidden(path: str, params: Params, outer: set[str], known: ConfigKeys) -> Iterator[Problem]:
    for index, entry in enumerate(params.from_env):
        source = referenced_object(entry)
        if entry.get("key") or source is None or not outer:
            continue
        source_path, prefix = f"{path}.fromEnv[{index}]", str(entry.get("prefix") or "")
        keys = known.variables(*source)
        if keys is None:
            yield from _maybe_hidden(source_path, source, sorted(name for name in outer if name.startswith(prefix)))
        elif hidden := sorted(outer & {f"{prefix}{key}" for key in keys}):
            text = f'an env of an outer level hides {_listed(hidden)} from {source[0]} "{source[1]}"'
            yield Problem(
                source_path, f"{text}: in Kubernetes, env overrides envFrom; set it under env here too", Code.HIDDEN
            )


def _maybe_hidden(path: str, source: tuple[str, str], names: list[str]) -> Iterator[Problem]:
    if names:
        text = f'if {source[0]} "{source[1]}" has {_listed(names, "or")}, an env of an outer level hides it'
        yield Problem(path, f"{text}: in Kubernetes, env overrides envFrom", Code.MAYBE_HIDDEN)


def _listed(names: list[str], word: str = "and") -> str:
    shown = names if len(names) <= _SHOWN + 1 else [*names[:_SHOWN], f"{len(names) - _SHOWN} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"
