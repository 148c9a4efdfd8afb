"""The command lines and files of etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

Starts nothing.
"""

import json
from pathlib import Path
from typing import Any

import attrs

from tests.plane import certificates

ETCD = "etcd"
API_SERVER = "apiserver"
CONTROLLER_MANAGER = "controller-manager"
SCHEDULER = "scheduler"

CONTROLLERS = (
    "job-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "ttl-after-finished-controller",
    "resourcequota-controller",
    "clusterrole-aggregation-controller",
)
"""Of a full plane. No service-account controller: the admission that would ask for its objects is off."""

FAST_CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
    "clusterrole-aggregation-controller",
)
"""Of a fast plane: a Job controller would refuse the statuses that the job finisher writes."""

USERS = {
    "admin": "system:masters",
    "controller-manager": "system:masters",
    "scheduler": "system:masters",
    "kubelet": "system:masters",
    "pod-runner": "system:masters",
    "recorder": "system:masters",
    "operator": "jobsmgr:operators",
    "operator-2": "jobsmgr:operators",
    "limited-operator": "jobsmgr:operators",
    "alice": "jobsmgr:people",
    "nobody": "",
}
"""Every user with a token, and its group. Only the first six may do anything before a role is bound."""

OPERATORS = ("operator", "operator-2")
"""The users that have the shipped roles, one for each replica. `limited-operator` has what a test grants it."""

MANAGER_ENVIRONMENT = {"PLANE_JOB_SYNC_PERIOD": "200ms", "PLANE_POD_BACK_OFF": "1s"}
"""Of the controller manager: how soon the Job controller looks at a changed Pod, and when the second Pod of a failed
Job comes (doubled for each further one). Kubernetes' own are 1 s and 10 s."""

SILENT_USERS = ("system:apiserver", "controller-manager", "scheduler", "kubelet", "pod-runner", "recorder")
"""Not in the audit log: the cluster's own machinery and what stands in for it."""


@attrs.frozen
class Ports:
    """The loopback ports of one plane."""

    etcd: int
    etcd_peers: int
    api: int
    manager: int
    scheduler: int
    kubelet: int


def etcd(ports: Ports, data: Path) -> list[str]:
    """etcd's flags: loopback, and no fsync, since the data lives as long as the tests."""
    client, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peers}"
    return [
        *("--data-dir", str(data), "--name", "plane"),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
        *("--initial-cluster", f"plane={peers}"),
        "--unsafe-no-fsync",
        *("--log-level", "warn"),
    ]


def api_server(ports: Ports, folder: Path) -> list[str]:
    """kube-apiserver's flags; the files that they name are in `folder`."""
    return [
        *("--etcd-servers", f"http://127.0.0.1:{ports.etcd}"),
        *("--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", str(ports.api)),
        *("--tls-cert-file", str(folder / "server.crt"), "--tls-private-key-file", str(folder / "server.key")),
        *("--cert-dir", str(folder)),
        *("--token-auth-file", str(folder / "tokens.csv"), "--authorization-mode", "RBAC"),
        *("--service-account-issuer", "https://kubernetes.default.svc"),
        *("--service-account-key-file", str(folder / "accounts.key")),
        *("--service-account-signing-key-file", str(folder / "accounts.key")),
        *("--service-cluster-ip-range", "10.0.0.0/24", "--endpoint-reconciler-type", "none"),
        # What a mutating webhook would do, without a webhook's server.
        *("--feature-gates", "MutatingAdmissionPolicy=true"),
        *("--runtime-config", "admissionregistration.k8s.io/v1beta1=true"),
        *("--audit-policy-file", str(folder / "audit-policy.json"), "--audit-log-path", str(folder / "audit.log")),
        *("--audit-log-maxsize", "100000"),  # MB; a rotated log would have to be read in parts
        "--profiling=false",
    ]


NO_ACCOUNTS = ("--disable-admission-plugins", "ServiceAccount")
"""Of an API server without a node: its Pods need no service account."""


def kubelet_client(folder: Path) -> list[str]:
    """The API server's flags where a kubelet serves logs: who it is there, and how it finds it."""
    return [
        *("--kubelet-client-certificate", str(folder / "kubelet-client.crt")),
        *("--kubelet-client-key", str(folder / "kubelet-client.key")),
        *("--kubelet-preferred-address-types", "Hostname", "--allow-privileged=true"),
    ]


def controller_manager(ports: Ports, kubeconfig: Path, folder: Path, controllers: tuple[str, ...]) -> list[str]:
    """kube-controller-manager's flags, with these controllers and no others."""
    return [
        *("--kubeconfig", str(kubeconfig)),
        *("--authentication-kubeconfig", str(kubeconfig), "--authorization-kubeconfig", str(kubeconfig)),
        *("--bind-address", "127.0.0.1", "--secure-port", str(ports.manager), "--cert-dir", str(folder / "manager")),
        "--leader-elect=false",
        *("--controllers", ",".join(controllers)),
        *("--kube-api-qps", "200", "--kube-api-burst", "400"),
        "--profiling=false",
    ]


def scheduler(ports: Ports, kubeconfig: Path, folder: Path) -> list[str]:
    """kube-scheduler's flags."""
    return [
        *("--kubeconfig", str(kubeconfig)),
        *("--authentication-kubeconfig", str(kubeconfig), "--authorization-kubeconfig", str(kubeconfig)),
        *("--bind-address", "127.0.0.1", "--secure-port", str(ports.scheduler), "--cert-dir", str(folder / SCHEDULER)),
        "--leader-elect=false",
        "--profiling=false",
    ]


def audit_policy() -> dict[str, Any]:
    """What the audit log keeps: bodies of the writes that the rules are about, one line for each other request."""
    ours = [
        {"group": "jobsmanager.raczylo.com", "resources": ["managedjobs", "managedjobs/status"]},
        {"group": "batch", "resources": ["jobs"]},
    ]
    writes = ["create", "update", "patch", "delete", "deletecollection"]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "users": list(SILENT_USERS)},
            {"level": "None", "nonResourceURLs": ["/readyz*", "/livez*", "/healthz*", "/openapi*", "/api", "/apis*"]},
            # The answer to a create has the new Job's uid and revision, which place it in the order of things.
            {"level": "RequestResponse", "verbs": ["create"], "resources": [{"group": "batch", "resources": ["jobs"]}]},
            {"level": "Request", "verbs": writes, "resources": ours},
            {"level": "Metadata"},
        ],
    }


def files(tokens: dict[str, str]) -> dict[str, bytes]:
    """What the flags of a plane name, by file name; the keys and certificates are new ones."""
    issuer = certificates.authority("plane")
    server = certificates.server(issuer)
    client = certificates.client(issuer, "kube-apiserver")
    return {
        "ca.crt": issuer.certificate,
        "ca.key": issuer.key,
        "server.crt": server.certificate,
        "server.key": server.key,
        "kubelet-client.crt": client.certificate,
        "kubelet-client.key": client.key,
        "accounts.key": certificates.private_key(),
        "tokens.csv": tokens_file(tokens).encode(),
        "audit-policy.json": json.dumps(audit_policy()).encode(),
        "audit.log": b"",
    }


def tokens_file(tokens: dict[str, str]) -> str:
    """The text of `--token-auth-file`: a token, a user, a uid and a group a line."""
    lines = [
        f"{token},{user},{user}-uid" + (f",{USERS[user]}" if USERS[user] else "") for user, token in tokens.items()
    ]
    return "\n".join(lines) + "\n"


def kubeconfig(url: str, authority: Path | None, token: str, namespace: str) -> str:
    """A kubeconfig's text (JSON, which is YAML) with one context, cluster and user."""
    cluster: dict[str, Any] = {"server": url}
    if authority is not None:
        cluster["certificate-authority"] = str(authority)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "plane", "cluster": cluster}],
        "users": [{"name": "plane", "user": {"token": token}}],
        "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "plane", "namespace": namespace}}],
        "current-context": "plane",
    }
    return json.dumps(content, indent=2)
