"""Every way to be stuck or to fail, in the words of the scheduler, the kubelet and the Job controller.

Each is looked for on Pods and events, and in one `kubectl get mjob -o wide`.
"""

from typing import Any

import pytest

from tests.node.pods import events, pods
from tests.plane.columns import printed
from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import eventually
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.real_node

BUSYBOX = "busybox:1.37"


def sh(script: str, **params: Any) -> dict[str, Any]:
    """A job that runs a script."""
    return {"image": BUSYBOX, "command": ["sh", "-c", script], "params": params}


def spec(jobs: dict[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A workflow of jobs that run side by side, without a second try."""
    listed = [{"name": name, "parallel": True, **job} for name, job in jobs.items()]
    return {"retries": 0, "groups": [{"name": "g", "jobs": listed}], **fields}


MOUNT = {"name": "v", "mountPath": "/v"}

STUCK: dict[str, tuple[dict[str, Any], set[str], str]] = {
    "no-image": ({"image": "localhost:1/none:1"}, {"ErrImagePull", "ImagePullBackOff"}, "localhost:1/none:1"),
    "never-pulled": (
        {"image": "busybox:absent", "params": {"imagePullPolicy": "Never"}},
        {"ErrImageNeverPull"},
        "not present with pull policy of Never",
    ),
    "too-large": (sh("true", resources={"requests": {"cpu": "1000"}}), {"Unschedulable"}, "Insufficient cpu"),
    "no-such-node": (sh("true", nodeSelector={"disk": "ssd"}), {"Unschedulable"}, "didn't match"),
    "no-claim": (
        sh("true", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "absent"}}]),
        {"Unschedulable"},
        'persistentvolumeclaim "absent" not found',
    ),
    "no-config-map": (
        sh("true", fromEnv=[{"configMapRef": {"name": "absent"}}]),
        {"CreateContainerConfigError"},
        'configmap "absent" not found',
    ),
    "no-secret-key": (
        sh("true", env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "absent"}}}]),
        {"CreateContainerConfigError"},
        "couldn't find key absent in Secret",
    ),
    "not-root": (
        sh("true", securityContext={"runAsNonRoot": True}),
        {"CreateContainerConfigError"},
        "runAsNonRoot and image will run as root",
    ),
    "no-volume": (
        sh(
            "true",
            volumes=[{"name": "v", "configMap": {"name": "absent"}}],
            volumeMount=[{"name": "v", "mountPath": "/v"}],
        ),
        {"ContainerCreating"},
        "",
    ),
    "crash-loop": (
        {**sh("exit 3", restartPolicy="OnFailure"), "retries": 100},
        {"CrashLoopBackOff", "Error"},
        "",
    ),
}
"""Jobs whose Pod never ends: the job, the reasons that its Pod shows in turn, and a part of the message beside them."""

FAILED: dict[str, tuple[dict[str, Any], str, int]] = {
    "exit-code": (sh("exit 3"), "Error", 3),
    "by-signal": (sh("sh -c 'kill -KILL $$$$'; exit $?"), "Error", 137),
    "out-of-memory": (sh("tail /dev/zero", resources={"limits": {"memory": "16Mi"}}), "OOMKilled", 137),
    "no-command": ({"image": BUSYBOX, "command": ["ehco", "typo"]}, "StartError", 128),
    "not-executable": ({"image": BUSYBOX, "command": ["/etc/passwd"]}, "StartError", 128),
    "no-directory": ({"image": BUSYBOX, "command": ["/bin"]}, "StartError", 128),
}
"""Jobs whose Pod fails: the job, the reason and the exit code of its container."""

OUT_OF_MEMORY = {
    "OOMKilled": "was OOMKilled: it needed more than its memory limit of 16Mi",
    "Error": "ended with exit code 137 (SIGKILL)",
}
"""By what the Pod says: with cgroup v1, containerd misses some notices when the whole container dies."""


def shown_by_kubectl(node: ControlPlane, namespace: str, expected: dict[str, tuple[set[str], str]]) -> None:
    """Wait until one `kubectl get mjob -o wide` shows of each workflow one of its reasons, and these words."""

    def ask() -> bool:
        rows = printed(node, namespace, "-o", "wide")
        wrong = {
            name: (rows[name]["REASON"], rows[name]["MESSAGE"])
            for name, (reasons, words) in expected.items()
            if rows[name]["REASON"] not in reasons or words not in rows[name]["MESSAGE"]
        }
        assert not wrong, f"{wrong}"
        return True

    eventually(ask, "kubectl get shows each reason", seconds=180)


@pytest.mark.usefixtures("operator")
def test_one_get_shows_why_a_workflow_is_stuck(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """Whatever holds up its pod, in the words of whoever knows; the workflow runs meanwhile."""
    node.kubectl("create", "secret", "generic", "keys", "--from-literal=present=1", namespace=namespace)
    expected = {}
    for name, (job, reasons, words) in STUCK.items():
        workflows.create_spec(name, spec({"j": job}))
        expected[name] = (reasons, words)
    expected["no-volume"] = ({"FailedMount"}, 'configmap "absent" not found')
    expected["crash-loop"] = ({"CrashLoopBackOff", "Error"}, "the last ended with exit code 3")
    shown_by_kubectl(node, namespace, expected)
    assert {row["STATUS"] for row in printed(node, namespace).values()} == {"running"}


@pytest.mark.usefixtures("operator")
def test_one_get_shows_how_a_workflow_failed(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """The exit code with the last line, the signal, the limit of memory, or why the container never ran."""
    jobs = {name: job for name, (job, _, _) in FAILED.items()}
    jobs |= {
        # A runtime writes the log on its own time and in any order of the two streams: hence the seconds.
        "with-words": sh("echo so far so good; sleep 1; echo lost the plot >&2; sleep 1; exit 3"),
        "three-tries": {**sh("exit 3"), "retries": 2},
        "in-one-pod": {**sh("sleep 1; exit 3", restartPolicy="OnFailure"), "retries": 1},
    }
    words = {
        "exit-code": "the only try ended with exit code 3)",
        "by-signal": "the only try ended with exit code 137 (SIGKILL)",
        "out-of-memory": "the only try ",
        "no-command": 'exec: "ehco": executable file not found in $PATH',
        "not-executable": "the only try could not start (StartError): ",
        "no-directory": "the only try could not start (StartError): ",
        "with-words": 'the only try ended with exit code 3: "lost the plot"',
        "three-tries": "3 tries; the last ended with exit code 3",
        "in-one-pod": " tries; the last ended with exit code 3",
    }
    for name, job in jobs.items():
        workflows.create_spec(name, spec({"j": job}))
    start = 'job "g/j" failed: BackoffLimitExceeded ('
    shown_by_kubectl(node, namespace, {name: ({"JobsFailed"}, text) for name, text in words.items()})
    rows = printed(node, namespace, "-o", "wide")
    assert {row["MESSAGE"].startswith(start) for row in rows.values()} == {True}
    (eater,) = (pod for pod in pods(node, namespace) if pod.workflow == "out-of-memory")
    assert OUT_OF_MEMORY[eater.reason] in rows["out-of-memory"]["MESSAGE"]


@pytest.mark.usefixtures("operator")
def test_a_pod_that_never_starts_says_why(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """The scheduler's and the kubelet's own reasons; the workflow runs meanwhile, and its Jobs are active."""
    node.kubectl("create", "secret", "generic", "keys", "--from-literal=present=1", namespace=namespace)
    workflows.create_spec("stuck", spec({name: job for name, (job, _, _) in STUCK.items()}))

    def shown() -> bool:
        found = {pod.job: pod for pod in pods(node, namespace)}
        assert found.keys() == STUCK.keys()
        for name, (_, reasons, message) in STUCK.items():
            assert found[name].reason in reasons, f"{name}: {found[name].reason}"
            assert message in found[name].message, f"{name}: {found[name].message}"
        return True

    eventually(shown, "each Pod shows its reason")
    (unmounted,) = (pod for pod in pods(node, namespace) if pod.job == "no-volume")
    eventually(lambda: "FailedMount" and events(node, namespace, "FailedMount").get(unmounted.name), "an event says it")
    assert 'configmap "absent" not found' in events(node, namespace, "FailedMount")[unmounted.name]
    eventually(lambda: {*workflows.phases("stuck").values()} == {"running"}, "the workflow shows them as running")


@pytest.mark.usefixtures("operator")
def test_a_container_that_fails_says_how(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """Reason and exit code are on the Pod, which stays; its Job has failed."""
    workflows.create_spec("failing", spec({name: job for name, (job, _, _) in FAILED.items()}))
    status = workflows.wait_for("failing")
    found = {pod.job: (pod.reason, *pod.exit_codes) for pod in pods(node, namespace)}
    assert found.pop("out-of-memory") in {(reason, 137) for reason in OUT_OF_MEMORY}
    assert found == {name: (reason, code) for name, (_, reason, code) in FAILED.items() if name in found}
    assert status["phase"] == "failed"
    assert {*workflows.phases("failing").values()} == {"failed"}


@pytest.mark.usefixtures("operator")
def test_pods_that_cannot_be_made_are_events_of_the_job(
    node: ControlPlane, namespace: str, workflows: Workflows
) -> None:
    """A missing service account, a namespace that enforces `restricted`, a full quota: no Pod exists.

    The Job stays active without one, and only an event `FailedCreate` says why.
    """
    node.call(
        "PATCH",
        f"/api/v1/namespaces/{namespace}",
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
    )
    quota = {"metadata": {"name": "compute"}, "spec": {"hard": {"requests.cpu": "1"}}}
    node.call("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    restricted = {
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "podSecurityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    safe = {**restricted, "resources": {"requests": {"cpu": "10m"}}}
    refused = {
        "insecure": (sh("true", resources=safe["resources"]), 'violates PodSecurity "restricted:latest"'),
        "no-account": (
            sh("true", serviceAccount="absent", **safe),
            'serviceaccount "absent" not found',
        ),
        "too-much": (
            sh("true", resources={"requests": {"cpu": "2"}}, **restricted),
            "exceeded quota: compute, requested: requests.cpu=2",
        ),
        "nothing-said": (sh("true", **restricted), "failed quota: compute: must specify requests.cpu"),
    }
    workflows.create_spec("refused", spec({name: job for name, (job, _) in refused.items()}))

    def shown() -> bool:
        said = events(node, namespace, "FailedCreate")
        for name, (_, message) in refused.items():
            assert message in said.get(f"refused-g-{name}", ""), f"{name}: {said.get(f'refused-g-{name}')}"
        return True

    eventually(shown, "each Job has an event")
    assert pods(node, namespace) == []
    for name, (job, _) in refused.items():
        workflows.create_spec(name, spec({"j": job}))
    shown_by_kubectl(node, namespace, {name: ({"FailedCreate"}, message) for name, (_, message) in refused.items()})
    eventually(lambda: {*workflows.phases("refused").values()} == {"running"}, "the workflow shows them as running")


@pytest.mark.usefixtures("operator")
def test_a_full_quota_of_jobs_holds_the_workflow(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """What does not fit is made as soon as there is room."""
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"count/jobs.batch": "1"}}}
    node.call("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/few"
    eventually(lambda: node.call("GET", path).get("status", {}).get("hard"), "the quota is in force")
    workflows.create_spec("many", spec({"one": sh("true"), "two": sh("true")}))
    eventually(lambda: "succeeded" in workflows.phases("many").values(), "one job has run")
    (held,) = (name for name, phase in workflows.phases("many").items() if phase != "succeeded")
    eventually(lambda: workflows.job("many", held).get("reason") == "QuotaExceeded", "the other one says why it waits")
    shown_by_kubectl(node, namespace, {"many": ({"QuotaExceeded"}, f'job "{held}": ')})
    node.call("DELETE", path)
    assert workflows.wait_for("many")["phase"] == "succeeded"


@pytest.mark.usefixtures("operator")
def test_a_name_that_is_taken_is_shown(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """The one thing in this table that a person has to end."""
    node.kubectl("create", "job", "taken-g-j", f"--image={BUSYBOX}", "--", "true", namespace=namespace)
    workflows.create_spec("taken", spec({"j": sh("true")}))
    shown_by_kubectl(node, namespace, {"taken": ({"NameConflict"}, "Job taken-g-j exists and has no controller")})
    node.kubectl("delete", "job", "taken-g-j", namespace=namespace)
    assert workflows.wait_for("taken")["phase"] == "succeeded"


@pytest.mark.usefixtures("operator")
def test_a_deadline_ends_what_runs(node: ControlPlane, namespace: str, workflows: Workflows) -> None:
    """The Job controller deletes the Pod, and the Job says `DeadlineExceeded`."""
    workflows.create_spec(
        "late", spec({"j": {**sh("trap 'exit 0' TERM; sleep 600 & wait"), "activeDeadlineSeconds": 2}})
    )
    workflows.wait_for("late")
    (job,) = workflows.jobs("late")
    (failed,) = (item for item in job["status"]["conditions"] if item["type"] == "Failed")
    assert failed["reason"] == "DeadlineExceeded"
    assert workflows.job("late", "g/j")["reason"] == "DeadlineExceeded"
    eventually(lambda: not pods(node, namespace), "its Pod is gone")
