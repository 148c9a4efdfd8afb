"""Advice leads to no next error: what a finding says is done, and it is gone, and no other one has come."""

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from jobsmgr.api.codes import Code
from jobsmgr.api.errors import Problem
from jobsmgr.lint.validation import read_workflow
from jobsmgr.loading.plugins import load_hooks
from tests.api.forms import JOB, PARAMS, put, workflow
from tests.cli.program import HEAD, METADATA
from tests.lint.advice import FOLLOWED, follow
from tests.lint.findings import found
from tests.lint.test_one_sentence import FAULTS

HOOKS = load_hooks(installed=False)


def _on(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def _job(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {**JOB, "name": name, "parallel": True, **({"dependencies": _on(*needs)} if needs else {}), **more}


def _groups(*groups: dict[str, Any]) -> dict[str, Any]:
    return workflow({"groups": list(groups)})


def _group(name: str, *jobs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "parallel": True, "jobs": list(jobs), **more}


def _params(**params: Any) -> dict[str, Any]:
    return put(workflow(), PARAMS, params)


WRITTEN: tuple[dict[str, Any], ...] = (
    _groups(_group("a", _job("extract"), _job("load", "extrat"))),
    _groups(_group("a", _job("load", "load"))),
    _groups(_group("a", _job("x"), _job("y", "x", "x"))),
    _groups(_group("a", _job("x", "y", "zzz"), _job("y", "z"), _job("z", "x"))),
    _groups(_group("a", _job("x"), dependencies=_on("b")), _group("b", _job("y"), dependencies=_on("a"))),
    _groups(_group("a", _job("x", "b/y")), _group("b", _job("y"), parallel=False)),
    _groups(_group("train", _job("one"), _job("two")), _group("eval", _job("all", "train"))),
    _groups(_group("train", _job("one"), _job("two")), _group("eval", _job("all", "trian"))),
    _groups(_group("train", _job("one")), _group("eval", _job("all"), dependencies=_on("train/one"))),
    _groups(_group("train", _job("one")), _group("eval", _job("all"), dependencies=_on("train", "train/one"))),
    _groups(_group("train", _job("one")), _group("eval", _job("all"), dependencies=_on("trian"))),
    _groups(_group("a-b", _job("c")), _group("a", _job("b-c")), _group("z", _job("x", "wf-a-b-c"))),
    _groups(_group("a", _job("x"), _job("x"))),
    _groups(_group("a", {"name": "x", "image": "b", "needs": "y"}, _job("y"))),
    _groups(_group("a", {"name": "x", "image": "b", "dependsOn": ["y"]}, _job("y"))),
    _groups(_group("a", {"name": "x", "image": "b", "backoffLimit": "3", "env": {"PORT": 80}})),
    _groups(_group("a", {"name": "x", "image": "b", "envFrom": [{"secretRef": {"name": "s"}}], "comand": "sh -c"})),
    workflow({"group": [_group("a", _job("x"))]}),
    _params(env={"PORT": 8080, "NAME": "x"}),
    _params(env=["A=b", "C"]),
    _params(env=[{"name": "A", "value": 1}, {"name": "B", "value": True}]),
    _params(env=[{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
    _params(resources={"limits": {"cpu": 0.5, "memory": "1 GB"}, "requests": {"memory": "-1Gi"}}),
    _params(resources={"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}}),
    _params(labels={"a b": "x", "c": "d e"}, annotations={"a/b/c": "x"}),
    _params(labels={"c": 1}, annotations={"d": True}),
    _params(env=[{"name": "A=B", "value": "1"}]),
    _params(annotations={"jobmanager.raczylo.com/x": "y"}),
    _params(imagePullPolicy="always", restartPolicy="Always"),
    _params(volumes=[{"name": "v", "secret": {"secretName": "s", "defaultMode": 644}}]),
    _params(volumeMount=[], volumeMounts=[]),
    put(workflow(), "spec.groups[0].jobs[0].image", " busybox "),
    put(workflow(), "spec.retries", "3"),
    put(workflow(), "spec.retries", 101),
    put(workflow(), "spec.groups[0].parallel", "true"),
    put(workflow(), "spec.groups[0].jobs[0].args", 5),
    put(workflow(), "spec.groups[0].jobs[0].name", 7),
)
"""One of each sentence whose advice can be followed by a program."""


def _problems(raw: dict[str, Any]) -> tuple[Problem, ...]:
    return read_workflow(raw, HOOKS).problems


@cache
def _cases() -> list[tuple[dict[str, Any], Problem]]:
    """Everything that is wrong with what is written here, and with every field of the API in turn."""
    raws = (*WRITTEN, *(fault.manifest() for fault in FAULTS))
    return [(raw, problem) for raw in raws for problem in _problems(raw)]


def test_what_is_advised_is_the_end_of_it() -> None:
    """For every fault of every field: the finding is gone, and none has come that was not there before."""
    wrong, followed = [], Counter[str]()
    for raw, problem in _cases():
        if (changed := follow(raw, problem)) is not None:
            followed[problem.code] += 1
            before, after = _sentences(raw), _sentences(changed)
            hidden = _OF_NAMES if raw not in WRITTEN else frozenset()
            new = [said for said in after - before if said[1] not in hidden]
            if new or after[_sentence(problem)] >= before[_sentence(problem)]:
                wrong.append((problem, new))
    assert wrong == []
    assert sum(followed.values()) > 400
    assert len(followed) > 10


_OF_NAMES = frozenset({Code.UNKNOWN_DEPENDENCY, Code.SELF_DEPENDENCY, Code.NO_VOLUME, Code.BAD_SOURCE})
"""What is asked of a name once it can be read as one; those of the faults are made up."""


def _sentences(raw: dict[str, Any]) -> Counter[tuple[str, str]]:
    return Counter(_sentence(problem) for problem in _problems(raw))


def _sentence(problem: Problem) -> tuple[str, str]:
    """Without its path, which changes where a field is renamed."""
    return problem.message, problem.code


def test_each_kind_of_advice_is_tried() -> None:
    """A sentence that is no longer said is not followed either."""
    said = {problem.message for _, problem in _cases()}
    assert [pattern for pattern in FOLLOWED if not any(re.search(pattern, message) for message in said)] == []


@pytest.mark.parametrize("raw", WRITTEN, ids=range(len(WRITTEN)))
def test_following_all_of_it_leads_to_a_workflow_that_is_valid(raw: dict[str, Any]) -> None:
    """One after the other, in any number; what remains is what no program can decide."""
    for _ in range(20):
        todo = [changed for problem in _problems(raw) if (changed := follow(raw, problem)) is not None]
        if not todo:
            break
        raw = todo[0]
    assert [problem for problem in _problems(raw) if "zzz" not in problem.message] == []


ODD = ("y", "No", "on", "0010", "0x10", "1e1", "1_0", "+1")
"""Scalars that kubectl reads as something else."""
FIELDS = {
    "a boolean": "spec: {groups: [{name: g, parallel: VALUE, jobs: [{name: j, image: b}]}]}",
    "a number": "spec: {retries: VALUE, groups: GROUPS}",
    "text": "spec: {groups: [{name: g, jobs: [{name: j, image: b, args: [VALUE]}]}]}",
    "a name": "spec: {groups: [{name: VALUE, jobs: [{name: j, image: b}]}]}",
    "a word of some": "spec: {params: {restartPolicy: VALUE}, groups: GROUPS}",
    "an amount": "spec: {params: {resources: {limits: {cpu: VALUE}}}, groups: GROUPS}",
    "a label": "spec: {params: {labels: {a.b/c: VALUE}}, groups: GROUPS}",
    "a key": "spec: {params: {annotations: {VALUE: a}}, groups: GROUPS}",
}


@pytest.mark.parametrize("field", FIELDS)
def test_an_odd_scalar_is_advised_as_its_field_takes_it(field: str) -> None:
    """Each way that is offered: neither a warning nor an error is left. Where none is, the error beside it says all."""
    for odd in ODD:
        text = f"{HEAD}{METADATA}{FIELDS[field]}\n".replace("GROUPS", "[{name: g, jobs: [{name: j, image: b}]}]")
        findings = found(text.replace("VALUE", odd))
        for finding in (one for one in findings if one.code == Code.AMBIGUOUS_SCALAR):
            _, _, advice = finding.message.partition("; ")
            for way in filter(None, advice.split(", or ")):
                written = f'"{odd}"' if way == "quote it" else way.removeprefix("write ")
                assert found(text.replace("VALUE", written)) == [], (odd, finding.message)
            assert advice or any(one.code == Code.WRONG_VALUE for one in findings), odd


@pytest.mark.parametrize(
    ("kind", "field", "advice"),
    [
        ("ConfigMap", "data: {a: no}", "quote it"),
        ("Secret", "stringData: {a: no}", "quote it"),
        ("ConfigMap", "immutable: no", "write false"),
        ("PersistentVolumeClaim", "spec: {storageClassName: no}", "quote it"),
    ],
)
def test_a_value_beside_a_workflow_is_advised_as_its_field_takes_it(kind: str, field: str, advice: str) -> None:
    """Most values of these objects are texts: a server refuses `false`."""
    workflow = f"{HEAD}{METADATA}spec: {{groups: [{{name: g, jobs: [{{name: j, image: b}}]}}]}}\n"
    text = f"{workflow}---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n{field}\n"
    said = [one.message for one in found(text) if one.code == Code.AMBIGUOUS_SCALAR]
    assert said == [f"`no` is a boolean for kubectl; {advice}"]
