"""Which level set each merged parameter of a job, and what it overrode. Nothing is merged here.

The merged value is the plan's own, so whatever a plugin does while merging is shown as it is: each value is looked up
in the levels, from the innermost out, and one that no level has is a plugin's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import attrs

from jobsmgr.api.fields import Merge, json_key
from jobsmgr.api.params import MERGE, MERGE_KEYS, Layer, Params, imported_name
from jobsmgr.api.plan import Plan
from jobsmgr.api.workflow import DEFAULT_RETRIES, JobKey
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.rendering import render_job


class Level(Enum):
    """Who set a parameter."""

    WORKFLOW = "workflow"
    GROUP = "group"
    JOB = "job"
    DEFAULT = "default"
    PLUGIN = "plugin"


@attrs.frozen
class Setting:
    """The value that one level sets; `path` is the field, empty for a value that no file has."""

    level: Level
    path: str
    value: Any


@attrs.frozen
class Origin:
    """A merged parameter: the part of a field that is merged by itself, who set it, and what that overrode."""

    field: str
    name: str
    """Of a variable, a volume, a label, a resource (`limits.cpu`); the path of a mount; empty for a whole field."""
    set_by: Setting
    overrode: tuple[Setting, ...] = ()
    """From the innermost level out."""


@attrs.frozen
class _Part:
    """A part of one level's parameters; parts of the same field and key are merged into one."""

    field: str
    name: str
    key: str
    path: str
    value: Any
    outermost_stays: bool = False


_LEVELS = (Level.WORKFLOW, Level.GROUP, Level.JOB)


def origins(plan: Plan, key: JobKey, hooks: Hooks) -> list[Origin]:
    """Every merged parameter of a job, with those that have a default, in the order of the API.

    Raises `PluginError` and `FragmentConflict`, as rendering the job does.
    """
    context = plan.context(key)
    levels = [list(_parts(layer, hooks)) for layer in context.layers]
    merged = list(_split("", context.params))
    found = [_origin(part, levels) for part in merged]
    set_fields = {origin.field for origin in found}
    pod = render_job(context, hooks)["spec"]["template"]["spec"]
    defaults = {"restartPolicy": pod.get("restartPolicy"), "imagePullPolicy": _pull_policy(pod)}
    found += [
        Origin(field, "", Setting(Level.DEFAULT, "", value))
        for field, value in defaults.items()
        if field not in set_fields and value is not None
    ]
    return [*found, _retries(plan, context.layers, key)]


def _pull_policy(pod: Mapping[str, Any]) -> Any:
    return next((each.get("imagePullPolicy") for each in pod.get("containers", ())), None)


def _retries(plan: Plan, layers: Sequence[Layer], key: JobKey) -> Origin:
    job = plan.jobs[key]
    values = (plan.workflow.spec.retries, job.group.retries, job.spec.retries)
    settings = [
        Setting(level, f"{layer.path}.retries", value)
        for level, layer, value in zip(_LEVELS, layers, values, strict=True)
        if value is not None
    ]
    settings.reverse()
    settings.append(Setting(Level.DEFAULT, "", DEFAULT_RETRIES))
    overrode = [each for each in settings[1:] if each.level is not Level.DEFAULT]
    return Origin("retries", "", settings[0], tuple(overrode))


def _origin(part: _Part, levels: Sequence[Sequence[_Part]]) -> Origin:
    settings = [
        Setting(level, found.path, found.value)
        for level, parts in zip(_LEVELS, levels, strict=True)
        for found in parts
        if (found.field, found.key) == (part.field, part.key)
    ]
    if not part.outermost_stays:
        settings.reverse()
    index = next((index for index, each in enumerate(settings) if each.value == part.value), None)
    if index is None:
        return Origin(part.field, part.name, Setting(Level.PLUGIN, "", part.value), tuple(settings))
    return Origin(part.field, part.name, settings[index], tuple(settings[:index] + settings[index + 1 :]))


def _parts(layer: Layer, hooks: Hooks) -> Iterator[_Part]:
    """What one level says; a key that it imports alone is the variable that merging makes of it."""
    own = {str(entry.get("name")) for entry in layer.params.env}
    for part in _split(layer.path, layer.params):
        if part.field != "fromEnv" or not part.value.get("key"):
            yield part
        elif (name := imported_name(part.value)) not in own:
            alone = {entry.get("name"): entry for entry in hooks.merge_params((layer,)).env}
            yield _Part("env", name, name, part.path, alone.get(name))


def _split(path: str, params: Params) -> Iterator[_Part]:
    for field in attrs.fields(Params):
        value, name, merge = getattr(params, field.name), json_key(field), MERGE[field.name]
        field_path = f"{path}.params.{name}"
        if merge_key := MERGE_KEYS.get(field.name):
            last = {str(entry.get(merge_key)): (index, entry) for index, entry in enumerate(value)}
            for text, (index, entry) in last.items():
                yield _Part(name, text, text, f"{field_path}[{index}]", entry)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                key = json.dumps(entry, sort_keys=True)
                yield _Part(name, "", key, f"{field_path}[{index}]", entry, merge is Merge.EACH_ONCE)
        elif merge is Merge.BY_RESOURCE:
            yield from _split_resources(name, field_path, value)
        elif merge is Merge.BY_KEY:
            for key, inner in value.items():
                yield _Part(name, key, key, f"{field_path}[{key}]", inner)
        elif value is not None:
            yield _Part(name, "", "", field_path, value)


def _split_resources(name: str, path: str, value: Mapping[str, Any]) -> Iterator[_Part]:
    for part, inner in value.items():
        if isinstance(inner, Mapping):
            for key, amount in inner.items():
                yield _Part(name, f"{part}.{key}", f"{part}.{key}", f"{path}.{part}[{key}]", amount)
        else:
            yield _Part(name, part, part, f"{path}.{part}", inner)
