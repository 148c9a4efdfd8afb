"""A value against the schema offline: what the API server refuses is refused, what it takes is taken."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jobsmgr.api.crd import schema
from jobsmgr.api.validation import PATTERNS, schema_problems
from jobsmgr.lint.validation import read_workflow
from jobsmgr.loading.plugins import load_hooks
from tests.api.forms import LEVELS, PARAMS, REFUSED, SHAPES, TAKEN, put, workflow

HOOKS = load_hooks(installed=False)
ORACLE = Draft202012Validator(schema())
RULES = ("must name another", "set exactly one of", "set only one of", "is set by the operator", "Duplicate value")
"""Words of what is a rule (CEL) or a list-map's key in the CRD, which JSON Schema cannot say."""


def _problems(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in read_workflow(manifest, HOOKS).problems]


def _plain(path: str) -> str:
    """`labels[a]` and `labels.a` name the same field."""
    return re.sub(r"\[([^\]\d][^\]]*)\]", r".\1", path)


@pytest.mark.parametrize(
    ("path", "value", "named", "words"), REFUSED, ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSED)]
)
def test_what_the_server_refuses_is_refused_with_a_path(path: str, value: Any, named: str, words: str) -> None:
    """At the field that the server names or, for a rule over a whole list, within it."""
    found = _problems(put(workflow(), path, value))
    wanted = named or path
    assert [at for at, _ in found if _plain(at).startswith(wanted)], found


@pytest.mark.parametrize(
    ("path", "value", "named", "words"), REFUSED, ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSED)]
)
def test_a_json_schema_library_agrees(path: str, value: Any, named: str, words: str) -> None:
    """It says as much as a schema can say; the rules beyond are the linter's own."""
    manifest = put(workflow(), path, value)
    if "spec" in manifest and not any(rule in words for rule in RULES):
        assert bool(list(ORACLE.iter_errors(manifest["spec"])))
        assert schema_problems(manifest["spec"], schema(), "spec")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("params", TAKEN, ids=range(len(TAKEN)))
def test_params_that_the_server_takes_have_the_right_shape(params: dict[str, Any], level: str) -> None:
    """At every level."""
    manifest = put(workflow(), level, params)
    assert schema_problems(manifest["spec"], schema(), "spec") == []
    assert ORACLE.is_valid(manifest["spec"])


@pytest.mark.parametrize("name", SHAPES)
def test_workflows_that_the_server_takes_have_the_right_shape(name: str) -> None:
    """Up to the limits."""
    assert schema_problems(SHAPES[name]["spec"], schema(), "spec") == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("spec.retries", "3", 'expected a whole number, found "3"; remove the quotes'),
        ("spec.retries", True, "expected a whole number, found true"),
        ("spec.groups[0].parallel", "true", 'expected true or false, found "true"; remove the quotes'),
        ("spec.groups[0].parallel", 1, "expected true or false, found 1"),
        ("spec.groups[0].jobs[0].args", "echo", 'expected a list, found "echo"; put it in a list'),
        (
            "spec.groups[0].jobs[0].args",
            "echo a",
            'expected a list, found "echo a"; write a list with one entry for each word',
        ),
        (
            f"{PARAMS}.env",
            {"FOO": "bar"},
            'expected a list, found {"FOO": "bar"}; write a list of entries with a name: - name: FOO',
        ),
        (f"{PARAMS}.env", {"name": "A"}, 'expected a list, found {"name": "A"}; put it in a list'),
        (f"{PARAMS}.env[0]", "A=b", 'expected an object, found "A=b"; write it as name: A and value: b'),
        (
            "spec.groups[0].jobs",
            [{"name": f"j{at}", "image": "b"} for at in range(1025)],
            "must have at most 1,024 entries, has 1,025",
        ),
        ("spec.groups[0].jobs[0].args[0]", 10, "expected a string, found 10; quote it"),
        ("spec.groups[0].jobs[0].args[0]", None, "expected a string, found null"),
        ("spec.groups[0].jobs[0].dependencies[0]", "a", 'expected an object, found "a"; write it as name: a'),
        ("spec.groups[0].jobs[0].name", "A", None),
        ("spec.groups[0].jobs[0].name", "", "must not be empty"),
        (f"{PARAMS}.resources", {"limits": {"cpu": ""}}, '"" is not valid: write it like 500m, 2, 128Mi or 1.5Gi'),
        (f"{PARAMS}.restartPolicy", "Always", 'must be one of Never, OnFailure, found "Always"'),
        (f"{PARAMS}.imagePullPolicy", "always", 'must be one of Always, Never, IfNotPresent, found "always"'),
        (f"{PARAMS}.imagePullSecrets[0]", 5, "expected a string or an object, found 5; quote it"),
        (f"{PARAMS}.imagePullSecrets[0]", True, "expected a string or an object, found true; quote it"),
        ("spec.retries", "-3", 'expected a whole number, found "-3"'),
        ("spec.groups[0].jobs[0].args", 10, "expected a list, found 10; put it in a list and quote it"),
        ("spec.groups[0].jobs[0].args", {"sh": "-c"}, 'expected a list, found {"sh": "-c"}'),
        ("spec.groups[0].jobs[0].name", 1.5, "expected a string, found 1.5"),
        (f"{PARAMS}.restartPolicy", False, "expected a string, found false"),
        (
            "spec.groups[0].jobs[0].dependencies",
            "first",
            'expected a list, found "first"; write a list of entries with a name: - name: first',
        ),
        (f"{PARAMS}.resources", {"limits": {"cpu": 0.5}}, None),
        (f"{PARAMS}.env[0]", {"name": "A", "valueFrom": {}}, None),
    ],
)
def test_a_problem_says_what_was_found_and_what_to_do(path: str, value: Any, said: str | None) -> None:
    """One sentence each."""
    found = schema_problems(put(workflow(), path, value)["spec"], schema(), "spec")
    expected = {
        "spec.groups[0].jobs[0].name": "\"A\" is not valid: use lower-case letters, digits and '-', starting and"
        " ending with a letter or digit",
        f"{PARAMS}.resources": "expected a string or a whole number, found 0.5; quote it",
        f"{PARAMS}.env[0]": "must not be empty; set one of configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef,"
        " secretKeyRef",
    }
    assert [problem.message for problem in found] == [said or expected[path]]


def _patterns(part: Any) -> set[str]:
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    own = {part["pattern"]} if isinstance(part, dict) and isinstance(part.get("pattern"), str) else set()
    return own.union(*map(_patterns, inner))


def test_every_pattern_has_words() -> None:
    """A regular expression is no advice."""
    assert _patterns(schema()) == set(PATTERNS)


def test_a_file_mode_without_its_zero_is_explained() -> None:
    """644 is decimal, and too large for a mode."""
    volume = {"name": "v", "secret": {"secretName": "s", "defaultMode": 644}}
    problem = schema_problems(put(workflow(), f"{PARAMS}.volumes[0]", volume)["spec"], schema(), "spec")[0]
    assert problem.message == "must be at most 511, found 644; write it as 0644"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("spec.group", 'did you mean "groups"?'),
        ("spec.groups[0].jobs[0].env", "write it under params"),
        ("spec.groups[0].jobs[0].envFrom", 'did you mean "fromEnv" under params?'),
        ("spec.groups[0].jobs[0].dependsOn", 'did you mean "dependencies"?'),
        ("spec.groups[0].jobs[0].entrypoint", 'did you mean "command"?'),
        ("spec.stages", 'did you mean "groups"?'),
        (f"{PARAMS}.envFrom", 'did you mean "fromEnv"?'),
        (f"{PARAMS}.volumeMountss", 'did you mean "volumeMounts"?'),
        (f"{PARAMS}.serviceAccountName", 'did you mean "serviceAccount"?'),
        (f"{PARAMS}.env[0].vallue", 'did you mean "value"?'),
        (f"{PARAMS}.volumes[0].secret.secretNmae", 'did you mean "secretName"?'),
    ],
)
def test_an_unknown_field_is_named_with_what_was_meant(path: str, hint: str) -> None:
    """Also inside the parts that are Kubernetes' own."""
    found = schema_problems(
        put({"spec": {}} if path.count(".") == 1 else workflow(), path, "x")["spec"], schema(), "spec"
    )
    assert (path, "MJ002", f"no such field; {hint}") in [(each.path, each.code, each.message) for each in found]


def test_what_an_unknown_field_holds_is_checked_as_what_was_meant() -> None:
    """So that nothing new comes when its name is corrected; a field that is there already cannot be meant."""
    job = {"name": "a", "image": "b", "needs": "first", "imge": "c", "env": {"A": 1}}
    found = schema_problems({"groups": [{"name": "g", "jobs": [job]}]}, schema(), "spec")
    assert [(each.path.rpartition(".")[2], each.message) for each in found] == [
        ("needs", 'no such field; did you mean "dependencies"?'),
        ("needs", 'expected a list, found "first"; write a list of entries with a name: - name: first'),
        ("imge", "no such field"),
        ("env", "no such field; write it under params"),
        (
            "env",
            'expected a list, found {"A": 1}; write a list of entries with a name, and quote the values: - name: A',
        ),
    ]


def test_an_alias_beside_its_field_is_found_with_all_the_rest() -> None:
    """The server's rule, which is none of a schema's own words."""
    params: dict[str, Any] = {"volumeMount": [], "volumeMounts": [], "envs": []}
    found = schema_problems(put(workflow(), PARAMS, params)["spec"], schema(), "spec")
    assert [(each.path, each.message) for each in found] == [
        (f"{PARAMS}.envs", 'no such field; did you mean "env"?'),
        (f"{PARAMS}.volumeMounts", "is an alias of volumeMount: set only one of them"),
    ]
    assert schema_problems(put(workflow(), PARAMS, {"volumeMounts": []})["spec"], schema(), "spec") == []


def test_opaque_parts_may_hold_anything() -> None:
    """What another operator has stored there is nobody's mistake."""
    manifest = put(workflow(), "spec.groups[0].jobs[0].compiledParams", {"any": [{"thing": 1}]})
    assert schema_problems(manifest["spec"], schema(), "spec") == []


def test_null_is_absence() -> None:
    """A field without value is as if it were not there, so a required one is missing."""
    manifest = put(put(workflow(), "spec.retries", None), "spec.groups[0].jobs[0].image", None)
    found = schema_problems(manifest["spec"], schema(), "spec")
    assert [(each.path, each.code) for each in found] == [("spec.groups[0].jobs[0].image", "MJ003")]


def test_suggestions_are_sought_for_few_fields_only() -> None:
    """A whole file of wrong fields must not cost a comparison each."""
    job = {"name": "a", **{f"immage{n}": 1 for n in range(200)}}
    found = schema_problems({"groups": [{"name": "g", "jobs": [job]}]}, schema(), "spec")
    assert sum("did you mean" in each.message for each in found) == 50
