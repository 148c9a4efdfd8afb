"""`jobsmgr explain`: who set each parameter, where, and what that overrode."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from jobsmgr import Layer, Params, hookimpl
from jobsmgr.api.codec import encode
from jobsmgr.api.fields import json_key
from jobsmgr.api.workflow import JobKey
from jobsmgr.core.origins import Level, Origin, origins
from jobsmgr.core.plan import make_plan
from jobsmgr.loading.plugins import load_hooks
from tests.api.forms import AVAILABLE_PARAMS, LEVELS, TAKEN, put, workflow
from tests.cli.program import EXAMPLES, HEAD, METADATA, run

HOOKS = load_hooks(installed=False)
KEY = JobKey("first", "load")

LAYERED = f"""{HEAD}{METADATA}spec:
  retries: 5
  params:
    env:
      - {{name: LEVEL, value: info}}
      - {{name: HOST, value: a}}
    resources: {{limits: {{cpu: "1", memory: 1Gi}}}}
    restartPolicy: OnFailure
    labels: {{team: data}}
  groups:
    - name: g
      retries: 4
      params:
        env: [{{name: LEVEL, value: warn}}]
        fromEnv: [{{secretRef: {{name: s}}, key: HOST}}]
        labels: {{team: web}}
      jobs:
        - name: j
          image: busybox
          params:
            env: [{{name: LEVEL, value: debug}}]
            resources: {{limits: {{memory: 2Gi}}}}
"""


def _origins(manifest: dict[str, Any], hooks: Any = HOOKS) -> list[Origin]:
    plan = make_plan(manifest, hooks)
    assert plan.problems == ()
    return origins(plan, KEY, hooks)


def _said(origin: Origin) -> list[tuple[str, str, Any]]:
    return [(said.level.value, said.path, said.value) for said in (origin.set_by, *origin.overrode)]


def test_each_parameter_has_its_line_and_what_it_overrode() -> None:
    """The whole text of a job whose levels contradict each other."""
    done = run("explain", "-", stdin=LAYERED)
    assert done.out == (
        'job "g/j" of wf, Job wf-g-j (<stdin>)\n'
        "  env              LEVEL          debug                                              job       line 24"
        "  over warn (group, line 17), info (workflow, line 8)\n"
        "                   HOST           {valueFrom: {secretKeyRef: {name: s, key: HOST}}}  group     line 18"
        "  over a (workflow, line 9)\n"
        "  restartPolicy                   OnFailure                                          workflow  line 11\n"
        "  labels           team           web                                                group     line 19"
        "  over data (workflow, line 12)\n"
        "  resources        limits.cpu     '1'                                                workflow  line 10\n"
        "                   limits.memory  2Gi                                                job       line 25"
        "  over 1Gi (workflow, line 10)\n"
        "  imagePullPolicy                 IfNotPresent                                       default\n"
        "  retries                         4                                                  group     line 15"
        "  over 5 (workflow, line 5)\n"
    )


def test_json_has_paths_and_columns() -> None:
    """For programs; values are whole."""
    (job,) = json.loads(run("explain", "-o", "json", "-", stdin=LAYERED).out)
    assert {key: job[key] for key in ("file", "workflow", "group", "job", "jobName")} == {
        "file": "<stdin>",
        "workflow": "wf",
        "group": "g",
        "job": "j",
        "jobName": "wf-g-j",
    }
    host = next(each for each in job["parameters"] if each.get("name") == "HOST")
    assert host == {
        "parameter": "env",
        "name": "HOST",
        "value": {"name": "HOST", "valueFrom": {"secretKeyRef": {"name": "s", "key": "HOST"}}},
        "level": "group",
        "path": "spec.groups[0].params.fromEnv[0]",
        "line": 18,
        "column": 19,
        "overrode": [
            {
                "value": {"name": "HOST", "value": "a"},
                "level": "workflow",
                "path": "spec.params.env[1]",
                "line": 9,
                "column": 9,
            }
        ],
    }
    policy = next(each for each in job["parameters"] if each["parameter"] == "imagePullPolicy")
    assert policy == {"parameter": "imagePullPolicy", "value": "IfNotPresent", "level": "default", "overrode": []}


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("params", [AVAILABLE_PARAMS, *TAKEN[1:]], ids=range(len(TAKEN)))
def test_every_merged_value_is_found_at_its_level(params: dict[str, Any], level: int) -> None:
    """Whatever the field, set on one level alone: nothing of the merged parameters is left unexplained."""
    manifest = workflow()
    if volumes := {each["name"] for each in params.get("volumeMount", params.get("volumeMounts", []))}:
        manifest = put(manifest, "spec.params.volumes", [{"name": name, "emptyDir": {}} for name in sorted(volumes)])
    manifest = put(manifest, LEVELS[level], {**manifest["spec"].get("params", {}), **params})
    plan = make_plan(manifest, HOOKS)
    assert plan.problems == ()
    found = origins(plan, KEY, HOOKS)
    merged = encode(plan.jobs[KEY].params)
    assert {each.field for each in found} == merged.keys() | {"restartPolicy", "imagePullPolicy", "retries"}
    levels = {each.set_by.level for each in found if each.set_by.path.startswith(f"{LEVELS[level]}.")}
    assert levels <= {(Level.WORKFLOW, Level.GROUP, Level.JOB)[level]}
    assert {each.set_by.level for each in found} <= {Level.WORKFLOW, Level.DEFAULT, *levels}


def test_equal_entries_of_lists_are_one() -> None:
    """The first of equal tolerations stays, the last of equal sources: that is the one that counts."""
    manifest = workflow()
    for level in LEVELS:
        manifest = put(manifest, level, {"tolerations": [{"key": "a"}], "fromEnv": [{"secretRef": {"name": "s"}}]})
    found = {each.field: _said(each) for each in _origins(manifest)}
    paths = [f"{level}.tolerations[0]" for level in LEVELS]
    assert [path for _, path, _ in found["tolerations"]] == paths
    paths = [f"{level}.fromEnv[0]" for level in reversed(LEVELS)]
    assert [path for _, path, _ in found["fromEnv"]] == paths


def test_a_source_keeps_its_place_beside_imported_keys() -> None:
    """Single keys become variables, so the index of a whole source differs from the merged one."""
    sources = [{"secretRef": {"name": "s"}, "key": "A"}, {"secretRef": {"name": "t"}}]
    found = _origins(put(workflow(), "spec.params.fromEnv", sources))
    assert [(each.field, each.name, each.set_by.path) for each in found[:2]] == [
        ("env", "A", "spec.params.fromEnv[0]"),
        ("fromEnv", "", "spec.params.fromEnv[1]"),
    ]


def test_what_a_plugin_changes_is_called_a_plugins() -> None:
    """With what the levels say instead."""

    class Quiet:
        @hookimpl(wrapper=True)
        def jobsmgr_merge_params(self, layers: tuple[Layer, ...]) -> Generator[None, Params, Params]:
            merged = yield
            return Params(env=({"name": "LEVEL", "value": "quiet"},), labels={**merged.labels, "by": "plugin"})

    hooks = load_hooks([("quiet", Quiet())], installed=False)
    found = _origins(put(workflow(), "spec.params.env", [{"name": "LEVEL", "value": "loud"}]), hooks)
    env, label = found[0], found[1]
    assert _said(env) == [
        ("plugin", "", {"name": "LEVEL", "value": "quiet"}),
        ("workflow", "spec.params.env[0]", {"name": "LEVEL", "value": "loud"}),
    ]
    assert _said(label) == [("plugin", "", "plugin")]


def test_every_field_of_params_is_split() -> None:
    """A field that is added to the API is explained without a word here."""
    fields = {json_key(field) for field in Params.__attrs_attrs__}
    covered = {key for params in TAKEN for key in params} | {"annotations"}
    assert fields <= covered | {"volumeMount"}


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.name)
def test_every_job_of_the_examples_is_explained(file: Any) -> None:
    """Each with its own table, no value by a plugin."""
    jobs = json.loads(run("explain", "-o", "json", str(file)).out)
    assert jobs
    assert {each["level"] for job in jobs for each in job["parameters"]} <= {"workflow", "group", "job", "default"}


def test_one_job_is_chosen_by_any_of_its_names() -> None:
    """Short, with its group, or by its Job."""
    seed = str(EXAMPLES / "seed.yaml")
    outputs = {
        run("explain", seed, "--job", name).out
        for name in ("first-job", "first-group/first-job", "managedjob-sample-first-group-first-job")
    }
    assert len(outputs) == 1
    assert run("explain", seed, "--job", "frist-job").err == (
        'Error: workflow "managedjob-sample" has no job "frist-job"; did you mean "first-job"?\n'
    )
