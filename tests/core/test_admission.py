"""What Kubernetes would refuse of plugins' answers holds the workflow, with the plugin's name; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from jobsmgr import Condition, Fragment, JobStatus, Params, PluginError, Problem
from jobsmgr.api.fragment import PARTS
from jobsmgr.api.names import OPERATOR_LABELS
from jobsmgr.core.rebuilding import LONGEST_MESSAGE, MOST_CHARACTERS, MOST_VALUES, Rebuilder
from tests.core.test_hooks import CONTEXT, RAW, SNAPSHOT, WORKFLOW, load, plugin, wrapping
from tests.core.world import World, group, job, key, manifest


def stalled(*plugins: Any) -> str:
    """Why a workflow is held with these plugins; nothing was created."""
    one = World(RAW, load(*plugins)).settle()
    assert one.created == []
    condition = one.stored().condition("Stalled")
    assert condition is not None
    assert (condition.status, condition.reason) == (True, "PluginError")
    return condition.message


@pytest.mark.parametrize(("whole", "name"), PARTS)
def test_a_key_that_has_a_field_of_its_own(whole: str, name: str) -> None:
    """It would take the place of what the user and all other plugins have put there."""
    parts: dict[str, Any] = {whole: {name: [{"name": "x", "image": "x"}]}}
    said = stalled(plugin(pod_fragment=lambda: Fragment(**parts)))
    field = PARTS[whole, name]
    assert said == (
        f'plugin "p0" in jobsmgr_pod_fragment: returned an invalid value: {whole} has the key "{name}";'
        f" use the field {field} of the Fragment instead"
    )


def test_each_field_of_a_fragment_has_its_key() -> None:
    """All but those that are further fields themselves, or metadata."""
    assert set(PARTS.values()) == {field.name for field in attrs.fields(Fragment)} - {"labels", "annotations", "pod"}


FRAGMENTS: dict[str, Callable[[], Fragment]] = {
    "labels.team has a value": lambda: Fragment(labels={"team": "a b!"}),
    "labels.team has a value that": lambda: Fragment(labels={"team": None}),
    "labels[a b] has a key": lambda: Fragment(labels={"a b": "c"}),
    "annotations[a b] has a key": lambda: Fragment(annotations={"a b": "c"}),
    "annotations.a has a value that is not a string": lambda: Fragment(annotations={"a": 5}),
    "annotations have 270001 bytes": lambda: Fragment(annotations={"a": "x" * 270_000}),
    "env[0].name": lambda: Fragment(env=({"name": "A=1"},)),
    "env[0]": lambda: Fragment(env=({},)),
    "env[0].value": lambda: Fragment(env=({"name": "A", "value": 1},)),
    "volumes[0].name": lambda: Fragment(volumes=({"name": "A B", "emptyDir": {}},)),
    "volume_mounts[0]": lambda: Fragment(volume_mounts=({"name": "data"},)),
    "env_from[0]": lambda: Fragment(env_from=({"secretRef": {}},)),
    "image_pull_secrets[0] is not a valid name": lambda: Fragment(image_pull_secrets=("A B",)),
}


@pytest.mark.parametrize("place", FRAGMENTS)
def test_a_part_that_the_api_server_refuses(place: str) -> None:
    """It would fail the user's job for good."""
    said = stalled(plugin(pod_fragment=lambda: FRAGMENTS[place]()))
    assert said.startswith(f'plugin "p0" in jobsmgr_pod_fragment: returned an invalid value: {place}')


def test_a_field_of_a_newer_kubernetes() -> None:
    """Is nobody's fault."""
    hooks = load(plugin(pod_fragment=lambda: Fragment(env=({"name": "A", "valueOf": {"future": 1}},))))
    assert World(RAW, hooks).settle().created == ["wf-g-a"]


@pytest.mark.parametrize(
    "params",
    [
        lambda: Params(labels={"team": "a b!"}),
        lambda: Params(annotations={"a b": "c"}),
        lambda: Params(env=({"name": "A=1"},)),
        lambda: Params(restart_policy="Always"),
        lambda: Params(node_selector={"a": 5}),
    ],
)
def test_merged_parameters(params: Callable[[], Params]) -> None:
    """They go into the pod as they are."""
    with pytest.raises(PluginError, match=r'^plugin "p0" in jobsmgr_merge_params: returned an invalid value: '):
        load(plugin(merge_params=lambda: params())).merge_params(CONTEXT.layers)


def test_merged_parameters_may_have_more_entries_than_one_level() -> None:
    """Three levels have three times as many."""
    many = Params(env=tuple({"name": f"A{number}"} for number in range(700)))
    assert len(load(plugin(merge_params=lambda: many)).merge_params(CONTEXT.layers).env) == 700


POD = {"containers": [{"name": "a", "image": "b"}]}
JOBS: dict[str, dict[str, Any]] = {
    "is not a Job: it needs apiVersion batch/v1 and kind Job": {},
    "has no containers in spec.template.spec.containers": {"apiVersion": "batch/v1", "kind": "Job"},
    "has no image in spec.template.spec.containers[0]": {
        "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}
    },
    "has metadata that is not an object": {"metadata": "x", "spec": {"template": {"spec": POD}}},
    "has a wrong field: metadata.labels is not an object": {
        "metadata": {"labels": []},
        "spec": {"template": {"spec": POD}},
    },
    "has a wrong field: spec.template.metadata.labels.team has a value": {
        "spec": {"template": {"metadata": {"labels": {"team": "a b!"}}, "spec": POD}}
    },
}


@pytest.mark.parametrize("fault", JOBS)
def test_what_is_no_job(fault: str) -> None:
    """Whoever answers it is named, and not who wraps it."""

    def innocent() -> Any:
        return (yield)

    answer = JOBS[fault] and {"apiVersion": "batch/v1", "kind": "Job", **JOBS[fault]}
    said = stalled(plugin(job_manifest=lambda: answer), wrapping("job_manifest", innocent))
    assert said.startswith(f'plugin "p0" in jobsmgr_job_manifest: the Job {fault}')


class TestWhoseLabels:
    """The operator's own labels are set after all plugins, on the Job and on its pod."""

    def test_a_plugin_that_takes_them_away(self) -> None:
        """Or sets others: the Job would belong to nobody."""

        def without(job: Any) -> Any:
            found = yield
            found["metadata"] = {"labels": {OPERATOR_LABELS[0]: "other"}, "annotations": {OPERATOR_LABELS[3]: "b"}}
            found["spec"]["template"]["metadata"] = None
            return found

        one = World(RAW, load(wrapping("job_manifest", without))).step()
        made = one.manifests["wf-g-a"]
        for metadata in (made["metadata"], made["spec"]["template"]["metadata"]):
            assert metadata["labels"] == dict(zip(OPERATOR_LABELS, ("wf", "g", "wf-g-a", "a"), strict=True))
            assert not set(OPERATOR_LABELS) & metadata.get("annotations", {}).keys()

    def test_names_in_full(self) -> None:
        """A long name is in an annotation, whatever a plugin answers."""

        def without(job: Any) -> Any:
            found = yield
            return {**found, "metadata": {}}

        one = World(manifest(group("g", "a"), name="w" * 70), load(wrapping("job_manifest", without))).step()
        (made,) = one.manifests.values()
        assert made["metadata"]["annotations"][OPERATOR_LABELS[0]] == "w" * 70


def test_the_largest_part_of_a_job_that_is_too_large() -> None:
    """Two that fit by themselves do not fit together."""
    parts = [{f"key{number}": "x" * (500_000 + number)} for number in range(3)]
    said = stalled(*(plugin(pod_fragment=lambda part=part: Fragment(container=part)) for part in parts))
    assert said.startswith('plugin "p2" in jobsmgr_pod_fragment: adds the largest part of a Job that has 15')


class TestMegabytes:
    """An answer is read for as long as it could be stored, and not further."""

    @pytest.mark.parametrize(
        "fragment",
        [
            lambda: Fragment(annotations={"a": "x" * 100_000_000}),
            lambda: Fragment(annotations={"x" * 100_000_000: "a"}),
            lambda: Fragment(pod={"a": ["x" * 1_000_000] * 1000}),
            lambda: Fragment(env=({"name": "A", "value": "x" * 1000},) * 100_000),
        ],
    )
    def test_texts(self, fragment: Callable[[], Fragment]) -> None:
        """The length alone is looked at."""
        said = stalled(plugin(pod_fragment=lambda: fragment()))
        assert said == f'plugin "p0" in jobsmgr_pod_fragment: returned more than {MOST_CHARACTERS} characters'

    def test_values(self) -> None:
        """Of whatever they are."""
        said = stalled(plugin(pod_fragment=lambda: Fragment(pod={"a": [[]] * 10_000_000})))
        assert said == f'plugin "p0" in jobsmgr_pod_fragment: returned more than {MOST_VALUES} values'

    def test_a_number(self) -> None:
        """Of thousands of digits, which no reader of JSON takes."""
        said = stalled(plugin(pod_fragment=lambda: Fragment(pod={"a": 10**5000})))
        assert said.endswith("Fragment.pod.a is a whole number of more than 64 bits")

    def test_what_is_no_character(self) -> None:
        """Half a surrogate pair cannot be sent."""
        said = stalled(plugin(pod_fragment=lambda: Fragment(pod={"a": "\ud800"})))
        assert said.endswith("Fragment.pod.a has half a surrogate pair, which UTF-8 does not have")

    def test_sentences_are_cut(self) -> None:
        """They are for people; the status is stored all the same."""
        said = Condition(type="Clean", status=True, reason="Why", message="x" * 30_000)
        one = World(RAW, load(plugin(conditions=lambda: [said]))).settle()
        stored = one.stored().condition("Clean")
        assert stored is not None
        assert (one.conditions()["Stalled"], len(stored.message)) == ((False, "NotStalled"), LONGEST_MESSAGE)
        (problem,) = load(plugin(validate=lambda: [Problem("\ud800", "\ud800" * 9000)])).validate(WORKFLOW)
        assert problem.path == r"\ud800"

    def test_a_condition_that_nobody_could_store(self) -> None:
        """It holds the workflow, and a status says so."""
        said = stalled(
            plugin(conditions=lambda: [Condition(type="Clean", status=True, reason="Why", message="x" * 100_000)])
        )
        assert said == (
            'plugin "p0" in jobsmgr_conditions: returned a value that cannot be stored:'
            " Condition.message has 100000 characters; at most 32768 are allowed"
        )

    def test_more_conditions_than_can_be_stored(self) -> None:
        """The schema takes 32; with more no status would ever be stored."""
        many = [Condition(type=f"C{number}", status=True, reason="Why") for number in range(27)]
        hooks = load(plugin(conditions=lambda: many))
        with pytest.raises(PluginError, match='plugin "p0" in jobsmgr_conditions: returned more conditions'):
            hooks.conditions(SNAPSHOT)


def test_a_status_that_cannot_be_stored() -> None:
    """By the schema of its fields."""

    def spoilt() -> Any:
        status = yield
        (one,) = status.groups
        jobs = (attrs.evolve(one.jobs[0], reason="x" * 2000), *one.jobs[1:])
        return attrs.evolve(status, groups=(attrs.evolve(one, jobs=jobs),))

    said = stalled(wrapping("status", spoilt))
    assert said == (
        'plugin "p0" in jobsmgr_status: returned a value that cannot be stored:'
        " Status.groups[0].jobs[0].reason has 2000 characters; at most 1024 are allowed"
    )


def test_a_wrapped_status_is_read_where_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a plugin passes on as it was is not looked at again: of fifty jobs, the one that it has changed."""
    read: list[type] = []
    model = Rebuilder._model

    def counted(self: Rebuilder, value: Any, kind: Any, *rest: Any) -> Any:
        read.append(kind)
        return model(self, value, kind, *rest)

    def changing() -> Any:
        status = yield
        (one,) = status.groups
        jobs = (*one.jobs[:7], attrs.evolve(one.jobs[7], message="mine"), *one.jobs[8:])
        return attrs.evolve(status, groups=(attrs.evolve(one, jobs=jobs),))

    hooks = load(wrapping("status", changing))
    one = World(manifest(group("g", *(job(f"j{number}") for number in range(50)))), hooks).settle()
    monkeypatch.setattr(Rebuilder, "_model", counted)
    status = dict(hooks.status(one.snapshot()).jobs())
    assert status[key("g/j7")].message == "mine"
    assert read.count(JobStatus) == 1
