"""The API of a control plane as a test uses it: users, requests, kubectl, namespaces, and jobsmgr's own objects.

Starts and stops nothing.
"""

import contextlib
import json
import os
import secrets
import ssl
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.plane import components
from tests.plane.components import OPERATORS
from tests.plane.eventually import DEADLINE, eventually

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests"
API = "jobsmanager.raczylo.com/v1beta1"
CRD = MANIFESTS / "crd" / "managedjobs.yaml"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD_PATH = f"{CRDS}/managedjobs.jobsmanager.raczylo.com"
"""Where it is on the API server."""
DEFAULT = MANIFESTS / "overlays" / "default"
"""What is installed unless somebody chooses otherwise."""
ROLES = (MANIFESTS / "base", MANIFESTS / "components" / "pod-reader")
"""Folders with the operator's rights in that."""
MIGRATION = MANIFESTS / "components" / "migration"


Right = tuple[str, str, str]
"""An API group, a resource and a verb."""


class PlaneError(Exception):
    """The control plane did not do what was asked; the message holds its last words."""


class Access:
    """What every process that knows a plane's address and tokens can do with it."""

    def __init__(self, folder: Path, url: str, tokens: Mapping[str, str]) -> None:
        self.folder = folder
        self.url = url
        self.authority = folder / "ca.crt"
        self.audit_log = folder / "audit.log"
        self.kubectl_folder = folder / "bin"
        self._tokens = tokens
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # Users

    def token(self, user: str) -> str:
        """The bearer token of one of `USERS`."""
        return self._tokens[user]

    def kubeconfig(self, user: str = "admin", *, namespace: str = "default", url: str | None = None) -> Path:
        """A kubeconfig file of a user; `url` replaces the server's address (plain HTTP goes without the CA)."""
        return self._kubeconfig(user, self.token(user), namespace, url or self.url)

    def account_kubeconfig(self, account: str, *, namespace: str, url: str | None = None) -> Path:
        """A kubeconfig file of a service account of the namespace, which is made if missing; `url` as for a user's."""
        token = self.service_account_token(namespace, account)
        return self._kubeconfig(f"account-{account}", token, namespace, url or self.url)

    def _kubeconfig(self, name: str, token: str, namespace: str, server: str) -> Path:
        authority = self.authority if server.startswith("https:") else None
        text = components.kubeconfig(server, authority, token, namespace)
        file = f"{name}-{namespace}-{server.rpartition(':')[2]}.kubeconfig"
        return _write_whole(self.folder / "kubeconfigs" / file, text)

    def ssl_context(self) -> ssl.SSLContext:
        """What a client of the API server has to trust."""
        return ssl.create_default_context(cafile=str(self.authority))

    def service_account_token(self, namespace: str, name: str, seconds: int = 3600, secret: str = "") -> str:
        """A token of a service account, which is made if missing; the API server gives none under 600 seconds.

        With `secret`, also made if missing, the token is good only as long as that Secret exists.
        """
        self.create_if_missing(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        spec: dict[str, Any] = {"expirationSeconds": seconds}
        if secret:
            self.create_if_missing(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": secret}})
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Secret", "name": secret}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        token: str = self.call("POST", path, body)["status"]["token"]
        return token

    # The API

    def request(
        self, method: str, path: str, body: Any = None, *, user: str = "admin", **options: Any
    ) -> httpx.Response:
        """Send one request as a user. A PATCH is a merge patch unless `headers` says otherwise."""
        headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        headers.update(options.pop("headers", {}))
        content = None if body is None else json.dumps(body)
        return self._client(user).request(method, path, content=content, headers=headers, **options)

    def call(self, method: str, path: str, body: Any = None, *, user: str = "admin", **options: Any) -> Any:
        """Send one request as a user and give the answer's JSON.

        Raises:
            PlaneError: the answer is not a 2xx; the message is the server's.
        """
        response = self.request(method, path, body, user=user, **options)
        if not response.is_success:
            raise PlaneError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def create_if_missing(self, collection: str, body: Mapping[str, Any]) -> None:
        """Create an object, or leave the one of that name as it is."""
        response = self.request("POST", collection, body)
        if response.status_code not in (201, 409):
            raise PlaneError(f"POST {collection}: {response.status_code} {response.text}")

    def namespace(self, prefix: str = "test", labels: Mapping[str, str] = {}) -> str:
        """Make a new namespace with a name of its own. Do not wait for its end: that takes 7 to 9 seconds."""
        name = f"{prefix[:40].strip('-')}-{secrets.token_hex(4)}"
        body = {"metadata": {"name": name, "labels": dict(labels)}}
        self.call("POST", "/api/v1/namespaces", body)
        return name

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        user: str = "admin",
        namespace: str = "default",
        check: bool = True,
    ) -> "subprocess.CompletedProcess[str]":
        """Run the plane's kubectl as a user, with a home and a cache of its own.

        Raises:
            PlaneError: it failed and `check` is set; the message is its own.
        """
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        run = subprocess.run(
            [str(self.kubectl_folder / "kubectl"), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(home),
                "KUBECONFIG": str(self.kubeconfig(user, namespace=namespace)),
            },
        )
        if check and run.returncode:
            raise PlaneError(f"kubectl {' '.join(arguments)}: {run.stderr.strip()}")
        return run

    # jobsmgr's own objects

    def change_crd(self, spec: Mapping[str, Any], served: Callable[[], bool]) -> None:
        """Merge a patch into the CRD's spec; workflows stay.

        Returns when `served` finds that the API server goes by it. At the change, a request may be answered by 503, or
        lose its connection.
        """
        self.call("PATCH", CRD_PATH, {"spec": dict(spec)})

        def changed() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return served()
            return False

        until(changed, "the changed CRD was not served")

    def answer_to_trial(self, spec: Mapping[str, Any]) -> int:
        """The code by which the API server answers the trial of creating a workflow with this spec."""
        body = {"apiVersion": API, "kind": "ManagedJob", "metadata": {"name": "trial"}, "spec": dict(spec)}
        path = f"/apis/{API}/namespaces/default/managedjobs?dryRun=All&fieldValidation=Strict"
        return self.request("POST", path, body).status_code

    def install_crd(self, path: Path = CRD) -> None:
        """Create the CRD and wait until ManagedJobs can be listed and created."""
        manifest = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.create_if_missing(CRDS, manifest)
        name = manifest["metadata"]["name"]

        def established() -> bool:
            conditions = self.call("GET", f"{CRDS}/{name}").get("status", {}).get("conditions") or []
            return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

        until(established, f"the CRD {name} was not established")
        group, plural = manifest["spec"]["group"], manifest["spec"]["names"]["plural"]
        served = f"/apis/{group}/{manifest['spec']['versions'][0]['name']}/{plural}"
        until(lambda: self.request("GET", served).is_success, f"the API server did not serve {plural}")

    def install_roles(self) -> None:
        """Create the operator's ClusterRoles and bind them to the users `operator` and `operator-2`."""
        base = "/apis/rbac.authorization.k8s.io/v1"
        for item in roles("ClusterRole", *ROLES):
            self.create_if_missing(f"{base}/clusterroles", item)
            binding = _binding("ClusterRoleBinding", "ClusterRole", item["metadata"]["name"])
            self.create_if_missing(f"{base}/clusterrolebindings", binding)

    def grant(self, namespace: str, folder: Path, user: str = "operator") -> None:
        """Create a folder's ClusterRoles and bind them to a user in one namespace only (`migration`)."""
        base = "/apis/rbac.authorization.k8s.io/v1"
        for item in roles("ClusterRole", folder):
            self.create_if_missing(f"{base}/clusterroles", item)
            binding = _binding("RoleBinding", "ClusterRole", item["metadata"]["name"], [user])
            self.create_if_missing(f"{base}/namespaces/{namespace}/rolebindings", binding)
            self._wait_for_rights(user, namespace, item["rules"])

    def install_namespaced_roles(self, namespace: str) -> None:
        """Create the operator's Roles (its lease) in a namespace and bind them to `operator` and `operator-2` there."""
        base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        for item in roles("Role", *ROLES):
            role = {**item, "metadata": {"name": item["metadata"]["name"]}}
            self.create_if_missing(f"{base}/roles", role)
            self.create_if_missing(f"{base}/rolebindings", _binding("RoleBinding", "Role", item["metadata"]["name"]))
            for user in OPERATORS:
                self._wait_for_rights(user, namespace, item["rules"])

    def _wait_for_rights(self, user: str, namespace: str, rules: Iterable[Mapping[str, Any]]) -> None:
        wanted = given(rules)
        until(lambda: wanted <= self.may(user, namespace), "the role is not in force")

    def may(self, user: str, namespace: str) -> set[Right]:
        """What a user may do in a namespace as the API server judges by now: it hears of a role some time later."""
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        asked = {"spec": {"namespace": namespace}}
        answer = self.call("POST", path, asked, headers={"Impersonate-User": user})
        return given(answer["status"]["resourceRules"])

    def events(self, namespace: str, reason: str) -> list[dict[str, Any]]:
        """The Events of one reason in a namespace."""
        found = self.call("GET", f"/api/v1/namespaces/{namespace}/events")["items"]
        return [event for event in found if event["reason"] == reason]

    def _client(self, user: str) -> httpx.Client:
        if user not in self._clients:
            self._clients[user] = httpx.Client(
                base_url=self.url,
                verify=self.ssl_context(),
                headers={"Authorization": f"Bearer {self.token(user)}", "User-Agent": f"tests/{user}"},
                timeout=DEADLINE,
                trust_env=False,
            )
        return self._clients[user]


def given(rules: Iterable[Mapping[str, Any]]) -> set[Right]:
    """The rights in rules of roles."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
    }


def until(condition: Callable[[], bool], complaint: str) -> None:
    """Wait for a condition; a PlaneError with the complaint after `DEADLINE` seconds."""
    try:
        eventually(condition)
    except AssertionError as error:
        raise PlaneError(f"{complaint} within {DEADLINE:.0f} s") from error


def roles(kind: str, *folders: Path) -> list[dict[str, Any]]:
    """The roles of a kind (Role or ClusterRole) in the files of folders that a binding there gives to the operator."""
    files = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    items = [item for path in files for item in yaml.safe_load_all(path.read_text())]
    bound = {(item["roleRef"]["kind"], item["roleRef"]["name"]) for item in items if "roleRef" in item}
    return [item for item in items if item["kind"] == kind and (kind, item["metadata"]["name"]) in bound]


def _binding(kind: str, role_kind: str, role: str, users: Sequence[str] = OPERATORS) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": f"{role}-test-users"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name} for name in users],
    }


def _write_whole(path: Path, text: str) -> Path:
    """Write a file so that a reader in another process sees the old text or the new, never a part."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        fresh.write_text(text)
        fresh.replace(path)
    return path
