"""How the parameters of workflow, group and job combine: the merge table, row by row, for every field there is."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Layer, Params
from jobsmgr.api.codec import encode
from jobsmgr.api.fields import json_key
from jobsmgr.api.params import MERGE
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.core.rendering import compiled_params
from jobsmgr.plugins.params import jobsmgr_merge_params
from tests.core.world import group, job, manifest

Levels = tuple[Any, Any, Any]


def var(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


CM, SECRET = {"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}
A_VOLUME, B_VOLUME, A_CLAIM = (
    {"name": "a", "emptyDir": {}},
    {"name": "b", "emptyDir": {}},
    {"name": "a", "persistentVolumeClaim": {"claimName": "c"}},
)
SPOT, GPU = {"key": "spot", "operator": "Exists"}, {"key": "gpu", "effect": "NoSchedule"}

TABLE: dict[str, tuple[Levels, Any]] = {
    # field: ((workflow, group, job) as written, merged)
    "env": (
        ([var("A", "1"), var("B", "1")], [var("C", "2"), var("B", "2")], [var("A", "3"), var("D", "3")]),
        [var("A", "3"), var("B", "2"), var("C", "2"), var("D", "3")],
    ),
    "fromEnv": (([CM, SECRET], [{**SECRET, "prefix": "P_"}], [CM]), [SECRET, {**SECRET, "prefix": "P_"}, CM]),
    "volumes": (([A_VOLUME], [B_VOLUME], [A_CLAIM]), [A_CLAIM, B_VOLUME]),
    "volumeMount": (
        (
            [{"name": "a", "mountPath": "/a"}, {"name": "a", "mountPath": "/b"}],
            [{"name": "b", "mountPath": "/a"}],
            [{"name": "a", "mountPath": "/c", "readOnly": True}],
        ),
        [
            {"name": "b", "mountPath": "/a"},
            {"name": "a", "mountPath": "/b"},
            {"name": "a", "mountPath": "/c", "readOnly": True},
        ],
    ),
    "serviceAccount": (("outer", "middle", None), "middle"),
    "restartPolicy": (("OnFailure", None, "Never"), "Never"),
    "imagePullSecrets": ((["a", {"name": "b"}], ["b"], ["c", "a"]), ["a", "b", "c"]),
    "imagePullPolicy": (("Always", ["Never"], None), "Never"),
    "labels": (({"a": "1", "b": "1"}, {"b": "2"}, {"c": "3"}), {"a": "1", "b": "2", "c": "3"}),
    "annotations": (({"a": "1", "b": "1"}, {"c": "2"}, {"a": "3"}), {"a": "3", "b": "1", "c": "2"}),
    "resources": (
        (
            {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "1"}},
            {"limits": {"cpu": "4"}},
            {"requests": {"memory": "1Gi"}},
        ),
        {"limits": {"cpu": "4", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}},
    ),
    "nodeSelector": (({"zone": "a"}, {"arch": "arm64"}, {"zone": "b"}), {"zone": "b", "arch": "arm64"}),
    "tolerations": (([SPOT], [GPU, SPOT], None), [SPOT, GPU]),
    "affinity": (({"podAffinity": {}}, {"nodeAffinity": {}}, None), {"nodeAffinity": {}}),
    "priorityClassName": (("low", None, "high"), "high"),
    "podSecurityContext": (({"fsGroup": 1}, None, {"runAsUser": 2}), {"runAsUser": 2}),
    "securityContext": (({"runAsUser": 1, "privileged": False}, {"runAsUser": 2}, None), {"runAsUser": 2}),
    "automountServiceAccountToken": ((True, None, False), False),
}


def layers(workflow: Any = None, of_group: Any = None, of_job: Any = None) -> tuple[Layer, ...]:
    """The levels of one job, read by the codec from a manifest."""
    raw = manifest(group("g", job("j", params=of_job), params=of_group), params=workflow)
    parsed = parse_workflow(raw)
    return parsed.jobs()[0].layers


def merged(workflow: Any = None, of_group: Any = None, of_job: Any = None) -> dict[str, Any]:
    """Three levels of `params` merged, in JSON form."""
    return encode(jobsmgr_merge_params(layers(workflow, of_group, of_job)))


def test_every_field_has_a_rule_and_a_row() -> None:
    """A field that is added without saying how its levels combine, or without a row here, is noticed."""
    fields = attrs.fields(Params)
    assert set(MERGE) == {field.name for field in fields}
    assert set(TABLE) == {json_key(field) for field in fields}


@pytest.mark.parametrize("field", [json_key(field) for field in attrs.fields(Params)])
def test_three_levels_combine(field: str) -> None:
    """The field's row of the table: three levels in, merged out."""
    levels, expected = TABLE[field]
    assert merged(*({} if level is None else {field: level} for level in levels)) == {field: expected}


@pytest.mark.parametrize("field", [json_key(field) for field in attrs.fields(Params)])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_one_level_alone_is_what_it_says(field: str, level: int) -> None:
    """Wherever a value stands, it reaches the job; a level that is silent, null or empty changes nothing."""
    (value, _, _), _ = TABLE[field]
    alone: list[Any] = [None, {}, {field: None}]
    alone[level] = {field: value}
    assert merged(*alone) == merged({field: value})


def test_all_fields_combine_at_once() -> None:
    """No field's rule depends on another field, but for single imported keys."""
    three = [{field: levels[at] for field, (levels, _) in TABLE.items() if levels[at] is not None} for at in range(3)]
    assert merged(*three) == {field: expected for field, (_, expected) in TABLE.items()}


def test_false_is_a_word() -> None:
    """An inner `false` wins over an outer `true`; it is not silence."""
    assert merged({"automountServiceAccountToken": True}, None, {"automountServiceAccountToken": False}) == {
        "automountServiceAccountToken": False
    }


class TestSpecialForms:
    """Forms of the founding README, and what no schema can refuse."""

    def test_a_single_key_becomes_a_variable(self) -> None:
        """`fromEnv[].key` imports one key as a variable of the same name; the source itself is not imported."""
        found = merged({"fromEnv": [{"configMapRef": {"name": "c"}, "key": "KEY"}]})
        reference = {"configMapKeyRef": {"name": "c", "key": "KEY"}}
        assert found == {"env": [{"name": "KEY", "valueFrom": reference}]}

    def test_a_single_key_of_a_secret_keeps_its_optional(self) -> None:
        """`optional` stays with the reference."""
        found = merged(None, {"fromEnv": [{"secretRef": {"name": "s", "optional": True}, "key": "TOKEN"}]})
        reference = {"secretKeyRef": {"name": "s", "key": "TOKEN", "optional": True}}
        assert found == {"env": [{"name": "TOKEN", "valueFrom": reference}]}

    def test_the_levels_own_env_beats_its_imported_key(self) -> None:
        """Of one level, `env` is the more precise word."""
        level = {"fromEnv": [{**CM, "key": "A"}], "env": [var("A", "own")]}
        assert merged(level) == {"env": [var("A", "own")]}

    def test_an_inner_imported_key_beats_an_outer_env(self) -> None:
        """It is an entry of its own level, and the innermost wins, at the outermost position."""
        found = merged({"env": [var("A", "1"), var("B", "1")]}, None, {"fromEnv": [{**SECRET, "key": "A"}]})
        reference = {"secretKeyRef": {"name": "s", "key": "A"}}
        assert found == {"env": [{"name": "A", "valueFrom": reference}, var("B", "1")]}

    def test_whole_sources_stay_beside_single_keys(self) -> None:
        """Only the entries with `key` become variables."""
        found = merged({"fromEnv": [CM, {**SECRET, "key": "A"}]})
        assert found["fromEnv"] == [CM]

    def test_compiled_params_show_imported_keys_at_their_level(self) -> None:
        """Innermost level first, whether a variable is written or imported, with a prefix too."""
        three = layers(
            {"env": [var("OUT", "1")]},
            {"fromEnv": [{**CM, "key": "MID", "prefix": "P_"}]},
            {"fromEnv": [{**CM, "key": "IN"}]},
        )
        compiled = compiled_params(three, jobsmgr_merge_params(three))
        assert [entry["name"] for entry in compiled["env"]] == ["IN", "P_MID", "OUT"]

    def test_volume_mounts_is_an_alias(self) -> None:
        """`volumeMounts`, as in a container, is `volumeMount`, as in the founding README."""
        mount = {"name": "v", "mountPath": "/v"}
        assert merged({"volumeMounts": [mount]}) == {"volumeMount": [mount]}

    def test_a_pull_policy_may_be_a_list_of_one(self) -> None:
        """The form of the founding README."""
        assert merged({"imagePullPolicy": ["Always"]}) == {"imagePullPolicy": "Always"}

    def test_pull_secrets_may_be_strings_or_objects(self) -> None:
        """Both name the same secret; a null item, which no schema can refuse, is left out."""
        assert merged({"imagePullSecrets": ["a", None, {"name": "a"}]}) == {"imagePullSecrets": ["a"]}

    def test_a_name_twice_in_one_level(self) -> None:
        """As in a container: the last value counts."""
        assert merged({"env": [var("A", "1"), var("A", "2")]}) == {"env": [var("A", "2")]}


ONE_LEVEL = st.fixed_dictionaries(
    {},
    optional={
        "env": st.lists(st.builds(var, st.sampled_from("ABC"), st.sampled_from("123")), max_size=3),
        "labels": st.dictionaries(st.sampled_from("abc"), st.sampled_from("123")),
        "resources": st.dictionaries(
            st.sampled_from(["limits", "requests"]), st.dictionaries(st.sampled_from("cm"), st.sampled_from("123"))
        ),
        "serviceAccount": st.sampled_from("xyz"),
        "tolerations": st.lists(st.sampled_from([SPOT, GPU]), max_size=2),
    },
)


@given(ONE_LEVEL, ONE_LEVEL, ONE_LEVEL)
def test_regrouping_levels_changes_nothing(outer: Any, middle: Any, inner: Any) -> None:
    """Merging is associative, and an empty level is its identity."""
    first, second, third = (Layer("", one.params) for one in layers(outer, middle, inner))
    empty = Layer("", Params())
    whole = jobsmgr_merge_params((first, second, third))
    assert jobsmgr_merge_params((Layer("", jobsmgr_merge_params((first, second))), third)) == whole
    assert jobsmgr_merge_params((first, Layer("", jobsmgr_merge_params((second, third))))) == whole
    assert jobsmgr_merge_params((empty, first, empty, second, third, empty)) == whole
