"""What plugins are handed cannot be changed, to the bottom: others are handed the same, and so is the next decision."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from jobsmgr import Params, PluginError, hookspecs
from jobsmgr.api.frozen import FrozenDict, FrozenList, frozen
from jobsmgr.core.rendering import render_job
from tests.core.test_hooks import load, plugin, wrapping
from tests.core.world import World, group, job, key, manifest

PARAMS = {
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}],
    "labels": {"team": "a"},
    "resources": {"limits": {"cpu": "1"}},
    "tolerations": [{"key": "a"}],
    "affinity": {"podAffinity": {}},
    "fromEnv": [{"configMapRef": {"name": "c"}, "key": "B"}],
}
RAW = manifest(group("g", job("a", params=PARAMS), "b", params={"labels": {"x": "y"}}), params={"labels": {"z": "1"}})
RAW["metadata"] |= {"labels": {"l": "1"}, "annotations": {"a": "1"}}


def values(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """A value and all that it has in it, each with where it is."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield path, value
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from values(getattr(value, field.name), f"{path}.{field.name}", seen)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from values(inner, f"{path}[{name}]", seen)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from values(inner, f"{path}[{index}]", seen)


@pytest.mark.parametrize("hook", [name for name in vars(hookspecs) if name.startswith("jobsmgr_")])
def test_nothing_that_a_hook_is_handed_can_be_changed(hook: str) -> None:
    """Whatever it is, however deep it lies."""
    handed: dict[str, Any] = {}
    names = {"validate": "workflow", "merge_params": "layers", "pod_fragment": "job", "job_manifest": "job, pod"}
    names |= {"select_jobs": "snapshot, ready", "status": "snapshot", "conditions": "snapshot"}
    short = hook.removeprefix("jobsmgr_")
    if short not in names:
        pytest.skip("it decides nothing")
    take = eval(f"lambda {names[short]}: handed.update({{'{short}': ({names[short]},)}})", {"handed": handed})
    World(RAW, load(plugin(**{short: take}))).run(a="failed")
    found = list(values(handed[short], short, set()))
    assert len(found) > 5
    mutable = [
        path
        for path, value in found
        if isinstance(value, dict | list | set) and not isinstance(value, FrozenDict | FrozenList)
    ]
    assert mutable == []
    assert all(type(value) in (FrozenDict, MappingProxyType) for _, value in found if isinstance(value, Mapping))


WRITES: dict[str, tuple[str, Callable[..., Any]]] = {
    "a label of the workflow": ("pod_fragment", lambda job: job.workflow.labels.update(a="b")),
    "an annotation": ("conditions", lambda snapshot: snapshot.workflow.annotations.clear()),
    "parameters of a level": ("merge_params", lambda layers: layers[0].params.labels.__setitem__("team", "b")),
    "defaults": ("merge_params", lambda layers: layers[0].params.node_selector.update(a="b")),
    "merged ones": ("pod_fragment", lambda job: job.params.resources["limits"].update(cpu="2")),
    "an entry of a list": ("pod_fragment", lambda job: job.params.env[0].pop("name")),
    "a list": ("pod_fragment", lambda job: job.params.volumes[0]["projected"]["sources"].append(1)),
    "the pod": ("job_manifest", lambda job, pod: pod.spec["containers"][0].update(image="x")),
    "jobs of the plan": ("select_jobs", lambda snapshot, ready: snapshot.plan.jobs.clear()),
    "Jobs": ("status", lambda snapshot: snapshot.jobs.clear()),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_plugin_that_writes_is_named(what: str) -> None:
    """And nothing has changed."""
    hook, write = WRITES[what]
    before = json.dumps(RAW)
    hooks = load(plugin(**{hook: write}))
    try:
        one = World(RAW, hooks).settle()
    except PluginError as error:
        said = str(error)
    else:
        stalled = one.stored().condition("Stalled")
        assert stalled is not None
        said = stalled.message
    assert said.startswith(f'plugin "p0" in jobsmgr_{hook}: raised ')
    assert json.dumps(RAW) == before
    assert dict(Params().node_selector) == {}


def test_a_wrapper_may_change_the_job_that_it_is_handed() -> None:
    """It is a copy: the workflow stays as it is."""

    def change(job: Any) -> Any:
        found = yield
        found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "2"
        return found

    one = World(RAW, load(wrapping("job_manifest", change)))
    plan = one.plan()
    for _ in range(2):
        made = render_job(plan.context(key("g/a")), one.hooks)
        assert made["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "2"}
        assert plan.jobs[key("g/a")].params.resources == {"limits": {"cpu": "1"}}


def test_frozen_values_are_what_they_were() -> None:
    """As JSON, compared, and copied: copies can be changed."""
    value = {"a": [{"b": (1, {"c": 2})}], "d": "e"}
    found = frozen(value)
    assert found == value
    assert json.dumps(found) == json.dumps(value)
    assert frozen(found) is found
    for copied in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        copied["a"].append(1)
        copied["a"][0]["x"] = 1
    shallow = copy.copy(found)
    shallow["a"] = 1
    assert found == value
    for write in (
        lambda: found.update(a=1),
        lambda: found.__ior__({}),
        lambda: found["a"].append(1),
        lambda: found["a"].sort(),
        lambda: found["a"].__iadd__([1]),
    ):
        with pytest.raises(TypeError, match="this value is shared and cannot be changed; return a changed copy"):
            write()  # type: ignore[no-untyped-call]
