"""Manifests good and bad, for whoever reads them: the API server, the codec, the linter. Nothing is tested here."""

import copy
import re
from typing import Any

import yaml

from jobsmgr.api.workflow import API_VERSION, KIND

JOB = {"name": "load", "image": "busybox"}
LEVELS = ("spec.params", "spec.groups[0].params", "spec.groups[0].jobs[0].params")
PARAMS = LEVELS[2]


def workflow(spec: dict[str, Any] | None = None) -> dict[str, Any]:
    """A ManagedJob; by default a valid one of two groups with a job each."""
    groups = [{"name": "first", "jobs": [dict(JOB)]}, {"name": "second", "jobs": [dict(JOB)]}]
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "wf"}, "spec": spec or {"groups": groups}}


def put(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the value at `a.b[0].c`, what is missing on the way made; "DELETE" takes it away."""
    manifest = copy.deepcopy(manifest)
    *way, last = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    at: Any = manifest
    for step, after in zip(way, [*way, last][1:], strict=True):
        if isinstance(at, dict):
            at = at.setdefault(step, [] if isinstance(after, int) else {})
        else:
            if step == len(at):
                at.append([] if isinstance(after, int) else {})
            at = at[step]
    if value == "DELETE":
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return manifest


def group(**more: Any) -> dict[str, Any]:
    return {"name": "g", "jobs": [dict(JOB)], **more}


REFUSED: list[tuple[str, Any, str, str]] = [
    ("spec", "DELETE", "spec", "Required value"),
    ("spec", {}, "spec.groups", "Required value"),
    ("spec.groups", [], "", "should have at least 1 items"),
    ("spec.groups", [group(name=f"g{n}") for n in range(65)], "", "must have at most 64 items"),
    ("spec.groups", [group(), group()], "spec.groups[1]", "Duplicate value"),
    ("spec.groups[0].name", "DELETE", "", "Required value"),
    ("spec.groups[0].name", "", "", "at least 1 chars"),
    ("spec.groups[0].name", "My_Group!", "", "should match"),
    ("spec.groups[0].name", "-a", "", "should match"),
    ("spec.groups[0].name", "a" * 41, "", "may not be more than 40"),
    ("spec.groups[0].parallel", "yes", "", "must be of type boolean"),
    ("spec.groups[0].jobs", "DELETE", "", "Required value"),
    ("spec.groups[0].jobs", [], "", "should have at least 1 items"),
    ("spec.groups[0].jobs", [{**JOB, "name": f"j{n}"} for n in range(1025)], "", "must have at most 1024 items"),
    ("spec.groups[0].jobs[1]", dict(JOB), "spec.groups[0].jobs[1]", "Duplicate value"),
    ("spec.groups[0].jobs[0].name", "Load", "", "should match"),
    ("spec.groups[0].jobs[0].name", "a.b", "", "should match"),
    ("spec.groups[0].jobs[0].image", "DELETE", "", "Required value"),
    ("spec.groups[0].jobs[0].image", "", "", "at least 1 chars"),
    ("spec.groups[0].jobs[0].image", " busybox", "", "should match"),
    ("spec.groups[0].jobs[0].image", "x" * 1025, "", "may not be more than 1024"),
    ("spec.groups[0].jobs[0].args", "echo", "", "must be of type array"),
    ("spec.groups[0].jobs[0].args[0]", 10, "", "must be of type string"),
    ("spec.groups[0].jobs[0].command", ["x"] * 257, "", "must have at most 256 items"),
    ("spec.groups[0].jobs[0].workingDir", 1, "", "must be of type string"),
    ("spec.groups[0].jobs[0].activeDeadlineSeconds", 0, "", "greater than or equal to 1"),
    ("spec.groups[0].jobs[0].dependencies[0]", {}, "spec.groups[0].jobs[0].dependencies[0].name", "Required value"),
    ("spec.groups[0].jobs[0].dependencies[0]", "first", "", "must be of type object"),
    ("spec.groups[0].jobs[0].dependencies", [{"name": f"d{n}"} for n in range(257)], "", "must have at most 256 items"),
    ("spec.groups[1].dependencies", [{"name": "frist"}], "spec.groups", "a dependency of a group must name another"),
    ("spec.groups[1].dependencies", [{"name": "first"}] * 65, "", "must have at most 64 items"),
    ("spec.groups[1].dependencies", [{"name": "second"}], "spec.groups", "a dependency of a group must name another"),
    ("spec.retries", -1, "", "greater than or equal to 0"),
    ("spec.retries", 101, "", "less than or equal to 100"),
    ("spec.retries", "3", "", "must be of type integer"),
    ("spec.groups[0].retries", 101, "", "less than or equal to 100"),
    ("spec.groups[0].jobs[0].retries", -1, "", "greater than or equal to 0"),
    ("spec.activeDeadlineSeconds", 0, "", "greater than or equal to 1"),
    ("spec.ttlSecondsAfterFinished", -1, "", "greater than or equal to 0"),
    ("spec.ttlSecondsAfterFinished", "5m", "", "must be of type integer"),
    (f"{PARAMS}.env[0]", {"value": "x"}, f"{PARAMS}.env[0].name", "Required value"),
    (f"{PARAMS}.env[0]", {"name": "A=B"}, f"{PARAMS}.env[0].name", "should match"),
    (f"{PARAMS}.env[0]", {"name": ""}, f"{PARAMS}.env[0].name", "at least 1 chars"),
    (f"{PARAMS}.env[0]", {"name": "A", "value": 1}, f"{PARAMS}.env[0].value", "must be of type string"),
    (f"{PARAMS}.env[0]", {"name": "A", "valueFrom": {}}, f"{PARAMS}.env[0].valueFrom", "at least 1 properties"),
    (
        f"{PARAMS}.env[0]",
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
        f"{PARAMS}.env[0].valueFrom.secretKeyRef.key",
        "Required value",
    ),
    (
        f"{PARAMS}.env[0]",
        {"name": "A", "valueFrom": {"configMapKeyRef": {"key": "k"}}},
        f"{PARAMS}.env[0].valueFrom.configMapKeyRef.name",
        "Required value",
    ),
    (f"{PARAMS}.env", [{"name": f"A{n}"} for n in range(257)], "", "must have at most 256 items"),
    (f"{PARAMS}.fromEnv[0]", {"key": "a"}, "", "set exactly one of configMapRef, secretRef"),
    (f"{PARAMS}.fromEnv[0]", {"configMapRef": {"name": "a"}, "secretRef": {"name": "a"}}, "", "set exactly one of"),
    (f"{PARAMS}.fromEnv[0]", {"configMapRef": {}}, f"{PARAMS}.fromEnv[0].configMapRef.name", "Required value"),
    (
        f"{PARAMS}.fromEnv[0]",
        {"configMapRef": {"name": "a"}, "key": ""},
        f"{PARAMS}.fromEnv[0].key",
        "at least 1 chars",
    ),
    (f"{PARAMS}.fromEnv", [{"configMapRef": {"name": f"a{n}"}} for n in range(33)], "", "must have at most 32 items"),
    (f"{PARAMS}.volumes[0]", {"name": "My_Volume"}, f"{PARAMS}.volumes[0].name", "should match"),
    (f"{PARAMS}.volumes[0]", {"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}, "", "at most 2 items"),
    (f"{PARAMS}.volumes[0]", {"name": "v", "hostPath": {}}, f"{PARAMS}.volumes[0].hostPath.path", "Required value"),
    (f"{PARAMS}.volumes[0]", {"name": "v", "secret": {}}, f"{PARAMS}.volumes[0].secret.secretName", "Required value"),
    (
        f"{PARAMS}.volumes[0]",
        {"name": "v", "configMap": {"name": "c", "defaultMode": 644}},
        f"{PARAMS}.volumes[0].configMap.defaultMode",
        "less than or equal to 511",
    ),
    (f"{PARAMS}.volumeMount[0]", {"name": "v"}, f"{PARAMS}.volumeMount[0].mountPath", "Required value"),
    (f"{PARAMS}.volumeMounts[0]", {"mountPath": "/a"}, f"{PARAMS}.volumeMounts[0].name", "Required value"),
    (f"{PARAMS}.volumeMounts[0]", {"name": "v", "mountPath": "c:/a"}, f"{PARAMS}.volumeMounts[0].mountPath", "match"),
    (
        PARAMS,
        {"volumeMount": [], "volumeMounts": []},
        f"{PARAMS}.volumeMounts",
        "is an alias of volumeMount: set only one of them",
    ),
    (f"{PARAMS}.serviceAccount", "My Account", "", "should match"),
    (f"{PARAMS}.restartPolicy", "Always", "", 'supported values: "Never", "OnFailure"'),
    (f"{PARAMS}.imagePullSecrets", "ghcr-token", "", "must be of type array"),
    (f"{PARAMS}.imagePullSecrets[0]", "", "", "at least 1 chars"),
    (f"{PARAMS}.imagePullSecrets[0]", 5, "", "should be"),
    (f"{PARAMS}.imagePullSecrets[0]", ["a"], "", "at most 0 items"),
    (f"{PARAMS}.imagePullSecrets[0]", {}, f"{PARAMS}.imagePullSecrets[0].name", "Required value"),
    (f"{PARAMS}.imagePullSecrets[0]", {"name": "a", "key": "b"}, "", "at most 1 item"),
    (f"{PARAMS}.imagePullPolicy", "always", "", "supported values"),
    (f"{PARAMS}.imagePullPolicy", ["Always", "Never"], "", "supported values"),
    (f"{PARAMS}.labels", {"a": "b c"}, f"{PARAMS}.labels.a", "should match"),
    (f"{PARAMS}.labels", {"a": "b" * 64}, f"{PARAMS}.labels.a", "may not be more than 63"),
    (f"{PARAMS}.labels", {"a": True}, f"{PARAMS}.labels.a", "must be of type string"),
    (f"{PARAMS}.labels", {f"a{n}": "" for n in range(65)}, "", "at most 64 items"),
    (f"{PARAMS}.annotations", {"a": 1}, f"{PARAMS}.annotations.a", "must be of type string"),
    (f"{PARAMS}.resources", {"limits": {"cpu": "1 core"}}, f"{PARAMS}.resources.limits.cpu", "should match"),
    (f"{PARAMS}.resources", {"limits": {"cpu": 0.5}}, f"{PARAMS}.resources.limits.cpu", "must be"),
    (
        f"{PARAMS}.resources",
        {"requests": {"cpu": -1}},
        f"{PARAMS}.resources.requests.cpu",
        "greater than or equal to 0",
    ),
    (f"{PARAMS}.resources", {"requests": {"memory": "-1Gi"}}, f"{PARAMS}.resources.requests.memory", "should match"),
    (f"{PARAMS}.nodeSelector", {"a": 1}, f"{PARAMS}.nodeSelector.a", "must be of type string"),
    (f"{PARAMS}.tolerations[0]", {"effect": "Never"}, f"{PARAMS}.tolerations[0].effect", "supported values"),
    (
        f"{PARAMS}.affinity",
        {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
        f"{PARAMS}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
        "Required value",
    ),
    (f"{PARAMS}.priorityClassName", "High!", "", "should match"),
    (
        f"{PARAMS}.podSecurityContext",
        {"runAsUser": -1},
        f"{PARAMS}.podSecurityContext.runAsUser",
        "greater than or equal",
    ),
    (
        f"{PARAMS}.securityContext",
        {"privileged": "yes"},
        f"{PARAMS}.securityContext.privileged",
        "must be of type boolean",
    ),
    (f"{PARAMS}.automountServiceAccountToken", "no", "", "must be of type boolean"),
    *(
        (f"{level}.labels", {f"jobmanager.raczylo.com/{name}": "x"}, "", f"{name} is set by the operator: remove it")
        for level in LEVELS
        for name in ("workflow-name", "group-name", "job-name", "job-id")
    ),
    *((f"{level}.restartPolicy", "", "", "supported values") for level in LEVELS),
]
"""What is set where in a valid workflow, the path that the error names (empty: the same), and words of the error."""

AVAILABLE_PARAMS = yaml.safe_load("""
fromEnv:
  - configMapRef:
      name: "configmap-name"
    key: "key-name"
env:
  - name: "FOO"
    value: "bar"
volumes:
  - name: secrets-store-api
    csi:
      driver: secrets-store.csi.k8s.io
      readOnly: true
      volumeAttributes:
        secretProviderClass: api-secrets-provider
volumeMount:
  - name: secrets-store-api
    mountPath: "/mnt/secrets-api"
    readOnly: true
serviceAccount: "service-account-name"
restartPolicy: "Never"
imagePullSecrets:
  - "ghcr-token"
imagePullPolicy:
  - "Always"
labels:
  this/works: "true"
annotations:
  this/works: "true"
""")

TAKEN: list[Any] = [
    AVAILABLE_PARAMS,
    {},
    {"imagePullSecrets": ["a", {"name": "b"}]},
    {"imagePullPolicy": "Never"},
    {"imagePullPolicy": ["IfNotPresent"]},
    {"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "b"}]},
    {"restartPolicy": "OnFailure", "serviceAccount": "", "priorityClassName": "high"},
    {"env": [{"name": "A"}, {"name": "A", "value": ""}, {"name": "not.a-C_IDENTIFIER 1", "value": "$(A)"}]},
    {"env": [{"name": "A", "value": "", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
    {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}]},
    {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}]},
    {"env": [{"name": "A", "value": "x" * 100_000}]},
    {
        "fromEnv": [
            {"secretRef": {"name": "s", "optional": True}, "prefix": "P_"},
            {"secretRef": {"name": "s"}, "key": "a.b"},
        ]
    },
    {
        "resources": {
            "limits": {"cpu": 1, "memory": "1.5Gi", "nvidia.com/gpu": "1"},
            "requests": {"cpu": "100m", "x": "1e3"},
        }
    },
    {"tolerations": [{"key": "a", "operator": "Exists"}, {"operator": "", "effect": ""}, {"tolerationSeconds": 5}]},
    {"nodeSelector": {"kubernetes.io/arch": "arm64"}, "automountServiceAccountToken": False},
    {
        "podSecurityContext": {
            "fsGroup": 1,
            "sysctls": [{"name": "a", "value": ""}],
            "seccompProfile": {"type": "Localhost"},
        }
    },
    {"securityContext": {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "runAsUser": 1000}},
    {"volumes": [{"name": "v"}, {"name": "e", "emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}}]},
    {"volumes": [{"name": "s", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p", "mode": 0o400}]}}]},
    {"volumes": [{"name": "n", "nfs": {"server": "s", "path": "/"}}, {"name": "g", "gitRepo": {"repository": "r"}}]},
    {
        "volumes": [
            {"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"secret": {"name": "s"}}]}}
        ]
    },
    {
        "volumes": [
            {"name": "c", "persistentVolumeClaim": {"claimName": "c"}},
            {"name": "h", "hostPath": {"path": "/", "type": ""}},
        ]
    },
    {
        "volumes": [
            {
                "name": "scratch",
                "ephemeral": {
                    "volumeClaimTemplate": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                    }
                },
            }
        ]
    },
    {
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "zone", "labelSelector": {"matchLabels": {"a": "b"}}}
                ]
            }
        }
    },
]
"""Params that are good at every level."""

SHAPES: dict[str, dict[str, Any]] = {
    "one-letter image": put(workflow(), "spec.groups[0].jobs[0].image", "a"),
    "forms of job dependencies": put(
        workflow(),
        "spec.groups[0].jobs[0].dependencies",
        [{"name": "other"}, {"name": "second/load"}, {"name": "wf-second-load", "status": "pending"}],
    ),
    "group dependencies with state": put(
        workflow(), "spec.groups[1].dependencies", [{"name": "first", "status": "pending"}]
    ),
    "all numbers": workflow(
        {
            "retries": 0,
            "activeDeadlineSeconds": 1,
            "ttlSecondsAfterFinished": 0,
            "groups": [group(retries=100, parallel=True, jobs=[{**JOB, "retries": 1, "activeDeadlineSeconds": 60}])],
        }
    ),
    "container": put(workflow(), "spec.groups[0].jobs[0]", {**JOB, "command": ["a"], "args": [""], "workingDir": "/"}),
    "64 groups": workflow({"groups": [group(name=f"g{n}") for n in range(64)]}),
    "64 groups with 63 dependencies each": workflow(
        {
            "groups": [
                group(name=f"{n:a>40}", dependencies=[{"name": f"{m:a>40}"} for m in range(64) if m != n])
                for n in range(64)
            ]
        }
    ),
    "1,024 jobs with sources and labels": workflow(
        {
            "groups": [
                group(
                    jobs=[
                        {
                            **JOB,
                            "name": f"j{n}",
                            "params": {
                                "fromEnv": [{"secretRef": {"name": f"s{m}"}} for m in range(8)],
                                "labels": {f"label-{m}": "x" for m in range(8)},
                            },
                        }
                        for n in range(1024)
                    ]
                )
            ]
        }
    ),
}
"""Whole workflows that are good, up to the limits."""
