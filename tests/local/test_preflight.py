"""What is refused before anything starts, at the place where its user wrote it."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from jobsmgr import hookimpl
from jobsmgr.core.plan import make_plan
from jobsmgr.loading.plugins import load_hooks
from jobsmgr.local.containers import Containers
from jobsmgr.local.engines import Engine
from jobsmgr.local.errors import CannotRun
from jobsmgr.local.executor import Executor, ForceStop
from jobsmgr.local.objects import Objects
from jobsmgr.local.preflight import check
from jobsmgr.local.processes import Processes
from jobsmgr.local.simulation import Simulation
from tests.core.world import group, job, manifest
from tests.local.world import HOST

CONTAINERS = Containers(Engine("podman"), Objects(), ForceStop(), claims=Path("claims"))
PROCESSES = Processes(Objects(), ForceStop(), HOST)
SIMULATION = Simulation()
VOLUME = {"volumes": [{"name": "v", "emptyDir": {}}]}


def refusal(
    executor: Executor,
    workflow: dict[str, Any] | None = None,
    of_group: dict[str, Any] | None = None,
    own: dict[str, Any] | None = None,
    *plugins: object,
    **fields: Any,
) -> str:
    """The refusal of a workflow with these parameters at its three levels."""
    hooks = load_hooks([(f"extra-{at}", plugin) for at, plugin in enumerate(plugins)], installed=False)
    one = job("a", **{"args": ["true"], **fields}, params=own or {})
    plan = make_plan(manifest(group("g", one, params=of_group or {}), params=workflow or {}), hooks)
    assert list(plan.problems) == []
    with pytest.raises(CannotRun) as caught:
        check(plan, plan.jobs, executor, hooks)
    return str(caught.value)


MISSING = {"configMapRef": {"name": "none"}}


@pytest.mark.parametrize(
    ("executor", "levels", "path"),
    [
        (PROCESSES, ({"fromEnv": [MISSING]},), "spec.params.fromEnv[0].configMapRef.name"),
        (
            PROCESSES,
            ({"fromEnv": [{"key": "A", "secretRef": {"name": "x", "optional": True}}, {"key": "B", **MISSING}]},),
            "spec.params.fromEnv[1]",
        ),
        (
            PROCESSES,
            (
                {"env": [{"name": "A", "value": "outer"}]},
                {"env": [{"name": "B"}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]},
            ),
            "spec.groups[0].params.env[1].valueFrom.fieldRef.fieldPath",
        ),
        (
            PROCESSES,
            (VOLUME, {}, {"volumeMount": [{"name": "v", "mountPath": "/v"}]}),
            "spec.groups[0].jobs[0].params.volumeMount[0]",
        ),
        (
            CONTAINERS,
            (
                {"volumes": [{"name": "v", "configMap": {"name": "none"}}]},
                VOLUME,
                {"volumes": [{"name": "w", "nfs": {}}]},
            ),
            "spec.groups[0].jobs[0].params.volumes[0]",
        ),
        (
            CONTAINERS,
            (VOLUME, {"volumeMount": [{"name": "v", "mountPath": "/v", "subPath": "../x"}]}),
            "spec.groups[0].params.volumeMount[0].subPath",
        ),
        (CONTAINERS, ({"securityContext": {"privileged": True}},), "spec.params.securityContext.privileged"),
        (
            CONTAINERS,
            (
                {"podSecurityContext": {"runAsNonRoot": True}},
                {"podSecurityContext": {"runAsNonRoot": True, "runAsUser": 0}},
            ),
            "spec.groups[0].params.podSecurityContext.runAsNonRoot",
        ),
        (
            CONTAINERS,
            ({"podSecurityContext": {"runAsNonRoot": True}}, {}, {"securityContext": {"runAsUser": 0}}),
            "spec.params.podSecurityContext.runAsNonRoot",
        ),
        (
            SIMULATION,
            ({"annotations": {"a": "b"}}, {"annotations": {"jobsmgr.simulate/duration": "soon"}}),
            "spec.groups[0].params.annotations[jobsmgr.simulate/duration]",
        ),
    ],
)
def test_the_place(executor: Executor, levels: tuple[dict[str, Any], ...], path: str) -> None:
    """The path of the level that sets it, however levels are merged; and the job that the message names."""
    assert refusal(executor, *levels).startswith(f'{path}: job "g/a": ')


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"image": "nginx"}, "spec.groups[0].jobs[0].command"),
        ({"args": []}, "spec.groups[0].jobs[0].args"),
        ({"workingDir": "/w"}, "spec.groups[0].jobs[0].workingDir"),
    ],
)
def test_the_place_in_the_job_itself(fields: dict[str, Any], path: str) -> None:
    """What is no parameter."""
    assert refusal(PROCESSES, **fields).startswith(f'{path}: job "g/a": ')


class Plugin:
    """Gives every Job, or its pod, what no parameter can."""

    def __init__(self, *, pod: dict[str, Any] | None = None, **job: Any) -> None:
        self.pod, self.job = pod or {}, job

    @hookimpl(wrapper=True)
    def jobsmgr_job_manifest(self) -> Generator[None, dict[str, Any], dict[str, Any]]:
        made = yield
        template = made["spec"]["template"]
        more = {name: [*template["spec"].get(name, []), *value] for name, value in self.pod.items()}
        template = {**template, "spec": {**template["spec"], **more}}
        return {**made, "spec": {**made["spec"], "template": template, **self.job}}


OTHER = {"name": "other", "image": "busybox"}


@pytest.mark.parametrize(
    ("plugin", "what"),
    [
        (Plugin(podFailurePolicy={"rules": []}), "podFailurePolicy"),
        (Plugin(successPolicy={"rules": []}), "successPolicy"),
        (Plugin(completions=3), "completions"),
        (Plugin(parallelism=2), "parallelism"),
        (Plugin(suspend=True), "suspend"),
        (Plugin(backoffLimitPerIndex=1), "backoffLimitPerIndex"),
        (Plugin(pod={"initContainers": [OTHER]}), "initContainers"),
        (Plugin(pod={"containers": [OTHER]}), "a second container"),
    ],
)
def test_a_job_that_only_a_cluster_can_run(plugin: Plugin, what: str) -> None:
    """It is not run as something else; only a plugin can ask for it."""
    assert refusal(PROCESSES, None, None, None, plugin) == (
        f'spec.groups[0].jobs[0]: job "g/a": a plugin adds {what}, which only a cluster can run; run it there, or'
        " without that plugin"
    )


def test_a_plugin_may_say_what_is_the_default() -> None:
    """That changes nothing."""
    hooks = load_hooks([("extra", Plugin(completions=1, parallelism=1, suspend=False))], installed=False)
    plan = make_plan(manifest(group("g", job("a", args=["true"]))), hooks)
    check(plan, plan.jobs, PROCESSES, hooks)
