"""Raw objects to workflows: every form that is taken, every error with the path of its field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr import Workflow
from jobsmgr.api.codec import decode, encode, format_time, parse_time
from jobsmgr.api.errors import InvalidWorkflow
from jobsmgr.api.params import Params
from jobsmgr.api.parsing import parse_workflow
from jobsmgr.api.workflow import Group, Job, Spec
from tests.api.forms import AVAILABLE_PARAMS, LEVELS, PARAMS, REFUSED, SHAPES, TAKEN, put, workflow

JOB = "spec.groups[0].jobs[0]"


def parsed(path: str, value: Any) -> Workflow:
    return parse_workflow(put(workflow(), path, value))


def errors(raw: Any) -> list[str]:
    """What is wrong, each with its path."""
    try:
        parse_workflow(raw)
    except InvalidWorkflow as error:
        return [str(problem) for problem in error.problems]
    return []


class TestForms:
    """What the API promises to take."""

    @pytest.mark.parametrize("name", SHAPES)
    def test_whole_workflows(self, name: str) -> None:
        """What a real API server takes."""
        assert errors(SHAPES[name]) == []

    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("params", TAKEN)
    def test_params_at_every_level(self, level: str, params: Any) -> None:
        """The same at workflow, group and job."""
        assert errors(put(workflow(), level, params)) == []

    def test_identity(self) -> None:
        """From metadata; what is missing is empty."""
        raw = workflow()
        raw["metadata"] |= {
            "namespace": "team",
            "uid": "u",
            "generation": 3,
            "labels": {"a": "b"},
            "annotations": {"c": "d"},
            "creationTimestamp": "2026-05-04T12:00:00Z",
        }
        found = parse_workflow(raw)
        assert (found.name, found.namespace, found.uid, found.generation) == ("wf", "team", "u", 3)
        assert (found.labels, found.annotations) == ({"a": "b"}, {"c": "d"})
        assert found.created == datetime(2026, 5, 4, 12, tzinfo=UTC)
        bare = parse_workflow({**raw, "metadata": None})
        assert (bare.name, bare.namespace, bare.uid, bare.generation, bare.created) == ("", "", "", 1, None)

    def test_the_founding_readmes_params(self) -> None:
        """Each in the form that it is written there."""
        params = parsed(PARAMS, AVAILABLE_PARAMS).spec.groups[0].jobs[0].params
        assert params.from_env == ({"configMapRef": {"name": "configmap-name"}, "key": "key-name"},)
        assert params.volume_mounts[0]["mountPath"] == "/mnt/secrets-api"
        assert params.image_pull_secrets == ("ghcr-token",)
        assert params.image_pull_policy == "Always"
        assert (params.service_account, params.restart_policy) == ("service-account-name", "Never")

    def test_volume_mounts_under_both_names(self) -> None:
        """The alias means the same; both at once is an error, for nobody could say which counts."""
        mount = {"name": "v", "mountPath": "/a"}
        for name in ("volumeMount", "volumeMounts"):
            assert parsed(PARAMS, {name: [mount]}).spec.groups[0].jobs[0].params.volume_mounts == (mount,)
        both = put(workflow(), PARAMS, {"volumeMount": [mount], "volumeMounts": [mount]})
        assert errors(both) == [f"{PARAMS}.volumeMounts: is an alias of volumeMount: set only one of them"]

    def test_pull_secrets_as_strings_or_objects(self) -> None:
        """Also mixed; a null item, which no schema can refuse, is left out."""
        found = parsed(f"{PARAMS}.imagePullSecrets", ["a", {"name": "b"}, None])
        assert found.spec.groups[0].jobs[0].params.image_pull_secrets == ("a", "b")

    def test_dependencies_that_the_go_operator_generated(self) -> None:
        """Its run state beside them is ignored; one that it repeated is dropped, one that a user repeated is kept."""
        state = [{"name": "a"}, {"name": "a", "status": "pending"}, {"name": "b", "status": "succeeded"}]
        assert parsed(f"{JOB}.dependencies", state).spec.groups[0].jobs[0].dependencies == ("a", "b")
        twice = parsed(f"{JOB}.dependencies", [{"name": "a"}, {"name": "a"}])
        assert twice.spec.groups[0].jobs[0].dependencies == ("a", "a")

    @pytest.mark.parametrize("path", ["spec", "spec.groups[0]", JOB, "spec.params", PARAMS, "metadata"])
    def test_unknown_fields_are_left_alone(self, path: str) -> None:
        """An older operator must not stumble over a newer manifest."""
        assert errors(put(workflow(), f"{path}.addedInVersion9", {"any": ["thing"]})) == []

    @pytest.mark.parametrize(
        "path",
        ["spec.retries", "spec.params", "spec.groups[0].params", f"{JOB}.args", f"{JOB}.parallel", f"{PARAMS}.env"],
    )
    def test_null_is_absence(self, path: str) -> None:
        """As for the API server."""
        assert parse_workflow(put(workflow(), path, None)).spec == parse_workflow(workflow()).spec


class TestErrors:
    """A wrong shape is told with the path of the field."""

    @pytest.mark.parametrize(
        ("path", "value", "sentence"),
        [
            ("spec", [], "spec: expected an object, found []"),
            ("spec", None, "spec.groups: required, but missing"),
            ("spec.groups", {}, "spec.groups: expected a list, found {}"),
            ("spec.groups", [], "spec.groups: must not be empty"),
            ("spec.groups[0]", "first", 'spec.groups[0]: expected an object, found "first"'),
            ("spec.groups[0].name", "DELETE", "spec.groups[0].name: required, but missing"),
            ("spec.groups[0].name", 5, "spec.groups[0].name: expected a string, found 5; quote it"),
            (
                "spec.groups[0].name",
                "My_Group!",
                "spec.groups[0].name: \"My_Group!\" is not valid: use lower-case letters, digits and '-',"
                " starting and ending with a letter or digit",
            ),
            ("spec.groups[0].name", "a" * 41, "spec.groups[0].name: must have at most 40 characters, has 41"),
            ("spec.groups[1].name", "first", 'spec.groups[1].name: duplicate name "first"; rename one of them'),
            ("spec.groups[0].parallel", "yes", 'spec.groups[0].parallel: expected true or false, found "yes"'),
            (f"{JOB}.image", "DELETE", f"{JOB}.image: required, but missing"),
            (f"{JOB}.image", "", f"{JOB}.image: must not be empty"),
            (f"{JOB}.args", "echo", f'{JOB}.args: expected a list, found "echo"; put it in a list'),
            (f"{JOB}.command", {"sh": "-c"}, f'{JOB}.command: expected a list, found {{"sh": "-c"}}'),
            (f"{JOB}.args", ["a", 1], f"{JOB}.args[1]: expected a string, found 1; quote it"),
            (
                f"{JOB}.dependencies[0]",
                "a",
                f'{JOB}.dependencies[0]: expected an object, found "a"; write it as name: a',
            ),
            (f"{JOB}.dependencies[0]", {}, f"{JOB}.dependencies[0].name: required, but missing"),
            ("spec.retries", -1, "spec.retries: must be at least 0, found -1"),
            ("spec.retries", 101, "spec.retries: must be at most 100, found 101"),
            ("spec.retries", "3", 'spec.retries: expected a whole number, found "3"; remove the quotes'),
            ("spec.retries", True, "spec.retries: expected a whole number, found true"),
            ("spec.retries", 1.5, "spec.retries: expected a whole number, found 1.5"),
            (PARAMS, "x", f'{PARAMS}: expected an object, found "x"'),
            (f"{PARAMS}.env", {}, f"{PARAMS}.env: expected a list, found {{}}; write an empty list: []"),
            (
                f"{PARAMS}.env",
                [{"name": "A"}, "B"],
                f'{PARAMS}.env[1]: expected an object, found "B"; write it as name: B',
            ),
            (f"{PARAMS}.labels", [], f"{PARAMS}.labels: expected an object, found []"),
            (f"{PARAMS}.affinity", "x", f'{PARAMS}.affinity: expected an object, found "x"'),
            (
                f"{PARAMS}.restartPolicy",
                "Always",
                f'{PARAMS}.restartPolicy: must be one of Never, OnFailure, found "Always"',
            ),
            (
                f"{PARAMS}.imagePullSecrets",
                [5],
                f"{PARAMS}.imagePullSecrets[0]: expected a string or an object, found 5; quote it",
            ),
            (
                f"{PARAMS}.imagePullPolicy",
                ["a", "b"],
                f'{PARAMS}.imagePullPolicy: must be one of Always, Never, IfNotPresent, found ["a", "b"]',
            ),
        ],
    )
    def test_one_wrong_field(self, path: str, value: Any, sentence: str) -> None:
        """Path, what was found, what is expected."""
        assert errors(put(workflow(), path, value)) == [sentence]

    def test_all_wrong_fields_at_once(self) -> None:
        """So that one edit can mend all of them."""
        raw = put(put(workflow(), "spec.groups[0].name", 1), "spec.groups[1].jobs[0].image", None)
        raw = put(raw, "spec.retries", "x")
        assert sorted(error.partition(":")[0] for error in errors(raw)) == [
            "spec.groups[0].name",
            "spec.groups[1].jobs[0].image",
            "spec.retries",
        ]

    def test_a_long_value_is_cut_short(self) -> None:
        """A megabyte of text is no error message."""
        (error,) = errors(put(workflow(), "spec.retries", "x" * 1_000_000))
        assert len(error) < 200

    def test_the_sentence_of_the_whole_error(self) -> None:
        """It names the workflow, the first problem and how many more there are."""
        with pytest.raises(InvalidWorkflow) as caught:
            parse_workflow(put(put(workflow(), "spec.retries", "x"), "spec.groups[0].name", 1))
        assert str(caught.value).startswith('workflow "wf" is invalid: spec.')
        assert str(caught.value).endswith("(and 1 more)")

    @pytest.mark.parametrize(("path", "value"), [(path, value) for path, value, _, _ in REFUSED])
    def test_whatever_a_server_refuses_raises_nothing_else(self, path: str, value: Any) -> None:
        """No shape, however wrong, escapes as another error than the one that users can read."""
        errors(put(workflow(), path, value))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = ["spec", "spec.groups", "spec.groups[0]", "spec.groups[0].jobs", JOB, f"{JOB}.dependencies", PARAMS]
PLACES += [
    f"{PARAMS}.{name}" for name in ("env", "fromEnv", "labels", "imagePullSecrets", "imagePullPolicy", "affinity")
]


@given(st.sampled_from(PLACES), ANY)
def test_anything_anywhere(path: str, value: Any) -> None:
    """It is read, or told with a path below `spec`."""
    assert all(error.startswith("spec") for error in errors(put(workflow(), path, value)))


WORD = st.text(max_size=4)
MAPS = st.dictionaries(WORD, WORD, max_size=2)
PARTS = st.lists(MAPS, max_size=2).map(tuple)
WORDS = st.lists(WORD, max_size=3).map(tuple)
RETRIES = st.none() | st.integers(0, 100)
PARAMS_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("env", "from_env", "volumes", "volume_mounts", "tolerations"), PARTS),
    **dict.fromkeys(("labels", "annotations", "resources", "node_selector"), MAPS),
    **dict.fromkeys(("affinity", "pod_security_context", "security_context"), st.none() | MAPS),
    **dict.fromkeys(
        ("service_account", "restart_policy", "image_pull_policy", "priority_class_name"), st.none() | WORD
    ),
    "image_pull_secrets": WORDS,
    "automount_service_account_token": st.none() | st.booleans(),
}
# All of them at every level would take minutes to draw.
SOME_PARAMS = st.lists(st.sampled_from(sorted(PARAMS_FIELDS)), max_size=3).flatmap(
    lambda names: st.builds(Params, **{name: PARAMS_FIELDS[name] for name in names})
)
JOB_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("name", "image"), WORD),
    **dict.fromkeys(("command", "args", "dependencies"), WORDS),
    **dict.fromkeys(("retries", "active_deadline_seconds"), RETRIES),
    "working_dir": st.none() | WORD,
    "parallel": st.booleans(),
    "params": SOME_PARAMS,
}
GROUP_FIELDS: dict[str, Any] = {
    "name": WORD,
    "parallel": st.booleans(),
    "params": SOME_PARAMS,
    "retries": RETRIES,
    "dependencies": WORDS,
    "jobs": st.lists(st.builds(Job, **JOB_FIELDS), max_size=2).map(tuple),
}
SPEC_FIELDS: dict[str, Any] = {
    "groups": st.lists(st.builds(Group, **GROUP_FIELDS), max_size=2).map(tuple),
    "params": SOME_PARAMS,
    **dict.fromkeys(("retries", "active_deadline_seconds", "ttl_seconds_after_finished"), RETRIES),
    **dict.fromkeys(("suspend", "abort"), st.booleans()),
}
FIELDS = {Spec: SPEC_FIELDS, Group: GROUP_FIELDS, Job: JOB_FIELDS, Params: PARAMS_FIELDS}


@pytest.mark.parametrize("model", FIELDS)
@given(st.data())
def test_round_trip(model: type, data: st.DataObject) -> None:
    """What is written is read back the same, through JSON; every field takes part."""
    assert FIELDS[model].keys() == attrs.fields_dict(model).keys()
    drawn = data.draw(st.builds(model, **FIELDS[model]))
    assert decode(model, json.loads(json.dumps(encode(drawn)))) == drawn


class TestTimes:
    """RFC 3339, as Kubernetes writes them."""

    @given(st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
    def test_round_trip(self, moment: datetime) -> None:
        """To whole seconds."""
        assert parse_time(format_time(moment)) == moment.replace(microsecond=0)

    def test_other_zones(self) -> None:
        """Read and written in UTC."""
        assert format_time(parse_time("2026-05-04T14:00:00+02:00")) == "2026-05-04T12:00:00Z"
        assert format_time(None) is None

    @pytest.mark.parametrize("text", [None, "", "yesterday", 5, [], {}])
    def test_what_is_no_time_is_none(self, text: object) -> None:
        """A stored object never stops the loop."""
        assert parse_time(text) is None
