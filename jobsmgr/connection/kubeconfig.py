"""Reads how to reach the cluster: kubeconfigs, else a pod's service account. No plugin is run here."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.access import Access
from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.proxy import proxy_for
from jobsmgr.files.kubeconfig import BadKubeconfig, Choice, choose, merge, parse

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PROXIES = ("http", "https")
"""What the transport speaks."""
_CLUSTER_CONFIG = "client.authentication.k8s.io/exec"
"""The cluster's extension that is for exec plugins."""


def load(explicit: str | None, context: str | None) -> Access:
    """What the files say now, by kubectl's rules. Raises `NotConfigured`.

    Args:
        explicit: the one kubeconfig to read; without it those of `KUBECONFIG`, or `~/.kube/config`.
        context: one of the contexts; without it the current one.
    """
    named = [explicit] if explicit else _named()
    texts = {path: text for path in named if (text := _text(path)) is not None}
    if explicit and not texts:
        raise NotConfigured(f"the kubeconfig {explicit} does not exist")
    try:
        choice = choose(merge(parse(path, text) for path, text in texts.items()), context or "")
    except BadKubeconfig as error:
        raise NotConfigured(str(error)) from error
    if choice.cluster:
        return _chosen(choice, ", ".join(texts))
    if _in_pod():
        return _service_account()
    raise NotConfigured(_nothing(named, texts, choice))


def _named() -> list[str]:
    listed = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    return list(dict.fromkeys(listed)) or [os.path.expanduser("~/.kube/config")]


def _text(path: str) -> str | None:
    """A file's text; None if there is no such file."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise NotConfigured(f"the kubeconfig {path} cannot be read: {error}") from error


def _nothing(named: list[str], texts: dict[str, str], choice: Choice) -> str:
    """What was looked at, and what to do."""
    looked = [path if path in texts else f"{path} (does not exist)" for path in named]
    if choice.context:
        why = f'the cluster of the context "{choice.context}" does not exist'
    else:
        why = "it sets no current context" if texts else "there is no kubeconfig"
    return (
        f"no cluster is configured: {why}. Read: {', '.join(looked)}; and this is not a pod with a service account. "
        "Name a kubeconfig with --kubeconfig or KUBECONFIG and one of its contexts with --context; "
        "`kubectl config get-contexts` lists them"
    )


def _chosen(choice: Choice, files: str) -> Access:
    source = f'the context "{choice.context}" of {files}'
    cluster, user = choice.cluster, choice.user
    server = cluster["server"] if "://" in cluster["server"] else f"http://{cluster['server']}"
    access = Access(
        source=source,
        server=server,
        context=choice.context,
        namespace=choice.namespace or (_pod_namespace() if _in_pod() else "default"),
        authority=_pem(cluster, "certificate-authority", source),
        insecure=cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name"),
        proxy=_checked_proxy(cluster.get("proxy-url") or proxy_for(server, os.environ), source),
        impersonation=tuple(_impersonation(user)),
    )
    if urlsplit(server).scheme != "https":  # as kubectl: credentials are sent over TLS only
        return access
    access = attrs.evolve(access, authorization=_authorization(user, source))
    if {"client-certificate", "client-certificate-data"} & user.keys():
        pair = (_pem(user, f"client-{part}", source) for part in ("certificate", "key"))
        return attrs.evolve(access, certificate=next(pair), key=next(pair))
    if access.authorization or "exec" not in user:
        return access
    return attrs.evolve(access, plugin=user["exec"], plugin_cluster=_plugin_cluster(cluster, access))


def _plugin_cluster(cluster: Manifest, access: Access) -> Manifest:
    """The cluster as `KUBERNETES_EXEC_INFO` has it."""
    extensions = {each.get("name"): each.get("extension") for each in cluster.get("extensions", ())}
    told = {
        "server": access.server,
        "tls-server-name": access.server_name,
        "insecure-skip-tls-verify": access.insecure,
        "certificate-authority-data": base64.b64encode(access.authority).decode(),
        "proxy-url": cluster.get("proxy-url"),
        "disable-compression": cluster.get("disable-compression"),
    }
    return {key: value for key, value in told.items() if value} | {"config": extensions.get(_CLUSTER_CONFIG)}


def _pem(entry: Manifest, key: str, source: str) -> bytes:
    """A certificate or key, from its field or from the file that it names."""
    if f"{key}-data" in entry:
        try:
            return base64.b64decode("".join(entry[f"{key}-data"].split()), validate=True)
        except ValueError as error:
            raise NotConfigured(f"{source}: {key}-data is not base64: {error}") from error
    return _content(entry[key], key, source) if key in entry else b""


def _content(path: str, key: str, source: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise NotConfigured(f"{source}: the file of {key} cannot be read: {path}: {error.strerror}") from error


def _authorization(user: Manifest, source: str) -> str:
    """The header; a token's file counts more than the token beside it, which is good until the file can be read."""
    if "username" in user or "password" in user:
        pair = f"{user.get('username', '')}:{user.get('password', '')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    token = user.get("token", "")
    if "tokenFile" in user:
        try:
            token = _content(user["tokenFile"], "tokenFile", source).decode().strip() or token
        except NotConfigured:
            if not token:
                raise
    if not token and "auth-provider" in user:
        token = (user["auth-provider"].get("config") or {}).get("id-token", "")
        if not token:
            name = user["auth-provider"].get("name")
            raise NotConfigured(f'{source}: the auth-provider "{name}" has no id-token; use an exec plugin')
    return f"Bearer {token}" if token else ""


def _impersonation(user: Manifest) -> Iterator[tuple[str, str]]:
    if "as" in user:
        yield "Impersonate-User", user["as"]
    if "as-uid" in user:
        yield "Impersonate-Uid", user["as-uid"]
    for group in user.get("as-groups", ()):
        yield "Impersonate-Group", group
    for key, values in user.get("as-user-extra", {}).items():
        for value in values:
            yield f"Impersonate-Extra-{quote(key, safe='')}", value


def _checked_proxy(url: str, source: str) -> str:
    if url and urlsplit(url).scheme not in _PROXIES:
        raise NotConfigured(f"{source}: the proxy {url} cannot be used; it must begin with http:// or https://")
    return url


def _in_pod() -> bool:
    environment = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return all(os.environ.get(name) for name in environment) and (ACCOUNT / "token").is_file()


def _pod_namespace() -> str:
    file = ACCOUNT / "namespace"
    return os.environ.get("POD_NAMESPACE") or (file.read_text().strip() if file.is_file() else "") or "default"


def _service_account() -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    source, authority = "the pod's service account", ACCOUNT / "ca.crt"
    server = f"https://{f'[{host}]' if _is_ipv6(host) else host}:{port}"
    token = _content(str(ACCOUNT / "token"), "token", source).decode().strip()
    return Access(
        source=source,
        server=server,
        namespace=_pod_namespace(),
        authority=_content(str(authority), "ca.crt", source) if authority.exists() else b"",
        proxy=_checked_proxy(proxy_for(server, os.environ), source),
        authorization=f"Bearer {token}",
    )


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
