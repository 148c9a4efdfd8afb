"""Fragments to a pod, a pod to a Job: laws of folding, and what no plugin can change."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Fragment, FragmentConflict, PluginError, PodTemplate, hookimpl
from jobsmgr.api.names import ATTEMPT_LABEL, OPERATOR_LABELS
from jobsmgr.core.admission import MAX_JOB_BYTES
from jobsmgr.core.hooks import Hooks
from jobsmgr.core.plan import make_plan
from jobsmgr.core.rendering import fold_fragments, render_job
from jobsmgr.loading.plugins import load_hooks
from tests.core.world import HOOKS, World, group, job, key, manifest

NAMES = st.sampled_from("abc")
MAPS = st.dictionaries(NAMES, st.sampled_from("12"), max_size=2)
NAMED = st.builds(lambda name, value: {"name": name, "value": value}, NAMES, st.sampled_from("12"))
MOUNTS = st.builds(lambda name, path: {"name": name, "mountPath": path}, NAMES, NAMES)
FRAGMENTS = st.builds(
    Fragment,
    labels=MAPS,
    annotations=MAPS,
    container=MAPS,
    pod=MAPS,
    env=st.lists(NAMED, max_size=2).map(tuple),
    volumes=st.lists(NAMED, max_size=2).map(tuple),
    volume_mounts=st.lists(MOUNTS, max_size=2).map(tuple),
    env_from=st.lists(MAPS, max_size=2).map(tuple),
    image_pull_secrets=st.lists(NAMES, max_size=2).map(tuple),
)


def fold(*fragments: Fragment) -> PodTemplate | None:
    """All of them as one pod; None if two of them differ."""
    try:
        return fold_fragments((f"p{number}", fragment) for number, fragment in enumerate(fragments))
    except FragmentConflict:
        return None


def joined(first: Fragment, second: Fragment) -> Fragment | None:
    """Two fragments as one plugin would have said both."""
    if (pod := fold(first, second)) is None:
        return None
    spec = dict(pod.spec)
    (container,) = spec.pop("containers")
    return Fragment(
        labels=pod.labels,
        annotations=pod.annotations,
        env=tuple(container.pop("env", ())),
        env_from=tuple(container.pop("envFrom", ())),
        volume_mounts=tuple(container.pop("volumeMounts", ())),
        volumes=tuple(spec.pop("volumes", ())),
        image_pull_secrets=tuple(entry["name"] for entry in spec.pop("imagePullSecrets", ())),
        container=container,
        pod=spec,
    )


class TestFolding:
    """What all plugins say of a pod becomes one."""

    @given(FRAGMENTS)
    def test_empty_is_the_identity(self, fragment: Fragment) -> None:
        """A plugin that has nothing to say changes nothing, wherever it stands."""
        assert fold(Fragment(), fragment) == fold(fragment) == fold(fragment, Fragment())

    @given(FRAGMENTS)
    def test_twice_is_once(self, fragment: Fragment) -> None:
        """The same entry from two plugins is one."""
        assert fold(fragment, fragment) == fold(fragment)

    @given(FRAGMENTS, FRAGMENTS, FRAGMENTS)
    def test_regrouping_changes_nothing(self, first: Fragment, second: Fragment, third: Fragment) -> None:
        """One plugin split in two says the same; so do two that are joined."""
        whole, left, right = fold(first, second, third), joined(first, second), joined(second, third)
        assert whole == (left and fold(left, third)) == (right and fold(first, right))

    @given(FRAGMENTS, FRAGMENTS)
    def test_a_conflict_does_not_depend_on_the_order(self, first: Fragment, second: Fragment) -> None:
        """Two that differ, differ whoever comes first."""
        assert (fold(first, second) is None) == (fold(second, first) is None)

    def test_lists_keep_the_order_of_the_plugins(self) -> None:
        """`env` depends on it: what stands before can be named by what stands behind."""
        pod = fold(Fragment(env=({"name": "B"}, {"name": "A"})), Fragment(env=({"name": "C"}, {"name": "B"})))
        assert pod is not None
        assert [entry["name"] for entry in pod.spec["containers"][0]["env"]] == ["B", "A", "C"]

    @pytest.mark.parametrize(
        ("part", "first", "second", "what"),
        [
            ("labels", {"team": "a"}, {"team": "b"}, 'labels "team"'),
            ("annotations", {"x": "1"}, {"x": "2"}, 'annotations "x"'),
            ("env", ({"name": "A", "value": "1"},), ({"name": "A", "value": "2"},), 'env "A"'),
            ("volumes", ({"name": "v", "emptyDir": {}},), ({"name": "v"},), 'volumes "v"'),
            (
                "volume_mounts",
                ({"name": "v", "mountPath": "/m"},),
                ({"name": "w", "mountPath": "/m"},),
                'volume mounts "/m"',
            ),
            ("container", {"image": "a"}, {"image": "b"}, 'container "image"'),
            ("pod", {"hostNetwork": True}, {"hostNetwork": False}, 'pod "hostNetwork"'),
        ],
    )
    def test_a_conflict_names_both_plugins(self, part: str, first: Any, second: Any, what: str) -> None:
        """And what they differ about."""
        parts = [("one", Fragment(**{part: first})), ("two", Fragment()), ("three", Fragment(**{part: second}))]
        with pytest.raises(FragmentConflict) as caught:
            fold_fragments(parts)
        assert str(caught.value) == (
            f'plugins "one" and "three" set {what} to different values; only one of them may set it'
        )

    def test_every_part_of_a_fragment_reaches_the_pod(self) -> None:
        """A field that is added to `Fragment` without being folded is noticed."""
        given: dict[str, Any] = {
            "labels": {"l": "1"},
            "annotations": {"a": "1"},
            "env": ({"name": "E"},),
            "env_from": ({"secretRef": {"name": "F"}},),
            "volumes": ({"name": "V"},),
            "volume_mounts": ({"name": "V", "mountPath": "/m"},),
            "image_pull_secrets": ("S",),
            "container": {"image": "i"},
            "pod": {"hostNetwork": True},
        }
        assert set(given) == {field.name for field in attrs.fields(Fragment)}
        pod = fold(Fragment(**given))
        assert pod == PodTemplate(
            labels={"l": "1"},
            annotations={"a": "1"},
            spec={
                "containers": [
                    {
                        "image": "i",
                        "env": [{"name": "E"}],
                        "envFrom": [{"secretRef": {"name": "F"}}],
                        "volumeMounts": [{"name": "V", "mountPath": "/m"}],
                    }
                ],
                "hostNetwork": True,
                "volumes": [{"name": "V"}],
                "imagePullSecrets": [{"name": "S"}],
            },
        )


def rendered(hooks: Hooks = HOOKS, *, uid: str = "u-1", **more: Any) -> dict[str, Any]:
    """The Job of a workflow's only job."""
    raw = manifest(group("g", job("a", **more)))
    raw["metadata"]["uid"] = uid
    return render_job(make_plan(raw, hooks).context(key("g/a")), hooks)


def with_manifest(change: Any) -> Hooks:
    """The built-in plugins, and one that changes the Job's manifest."""

    class Changing:
        @hookimpl(wrapper=True)
        def jobsmgr_job_manifest(self) -> Any:
            found = yield
            return change(found)

    return load_hooks([("changing", Changing())], installed=False)


class TestIdentity:
    """Name, namespace and owner are set after all plugins."""

    def test_the_owner_is_the_workflow(self) -> None:
        """Its controller by uid, without blockOwnerDeletion: that would need a further right."""
        assert rendered()["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "jobsmanager.raczylo.com/v1beta1",
                "kind": "ManagedJob",
                "name": "wf",
                "uid": "u-1",
                "controller": True,
            }
        ]

    def test_no_plugin_changes_it(self) -> None:
        """Whatever it answers."""
        theirs = {
            "name": "x",
            "namespace": "kube-system",
            "ownerReferences": [{"uid": "other"}],
            "labels": {"a": "b", ATTEMPT_LABEL: "7"},
        }
        metadata = rendered(with_manifest(lambda found: {**found, "metadata": theirs}))["metadata"]
        assert (metadata["name"], metadata["namespace"]) == ("wf-g-a", "default")
        assert [owner["uid"] for owner in metadata["ownerReferences"]] == ["u-1"]
        assert metadata["labels"].pop("a") == "b"
        assert set(metadata["labels"]) == set(OPERATOR_LABELS)

    def test_a_plugin_may_change_the_rest(self) -> None:
        """A copy of what the others made."""
        found = rendered(with_manifest(lambda found: {**found, "spec": {**found["spec"], "completions": 2}}))
        assert found["spec"]["completions"] == 2

    def test_without_a_uid_there_is_no_owner(self) -> None:
        """Rendered offline; an invented owner would have the Job collected within seconds."""
        assert "ownerReferences" not in rendered(uid="")["metadata"]


class TestSize:
    """What cannot be sent or stored is told before it is tried."""

    def test_a_job_beyond_a_mebibyte(self) -> None:
        """How large, and the limit."""
        hooks = with_manifest(lambda found: {**found, "spec": {"filler": "x" * MAX_JOB_BYTES}})
        with pytest.raises(PluginError, match=r"the Job has 1048\d{3} bytes; the limit is 1048576"):
            rendered(hooks)

    @pytest.mark.parametrize("rubbish", [{1, 2}, object(), b"bytes"])
    def test_what_is_no_json(self, rubbish: Any) -> None:
        """Told with the reason, not raised from the transport."""
        with pytest.raises(PluginError, match="the Job is not valid JSON"):
            rendered(with_manifest(lambda found: {**found, "spec": rubbish}))

    def test_either_holds_the_workflow(self) -> None:
        """Nothing starts, and it says why."""
        hooks = with_manifest(lambda found: {**found, "spec": {"filler": "x" * MAX_JOB_BYTES}})
        one = World(manifest(group("g", "a")), hooks).settle()
        assert one.created == []
        assert one.conditions()["Stalled"] == (True, "PluginError")
