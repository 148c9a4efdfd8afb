"""Reads how to reach the cluster: kubeconfigs, else a pod's service account. No plugin is run here."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import attrs
import httpx

from jobsmgr.api.fields import Manifest
from jobsmgr.connection.access import Access, bearer, header
from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.proxy import proxy_for
from jobsmgr.files.kubeconfig import BadKubeconfig, Choice, Kubeconfig, choose, merge, parse

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_SCHEMES = ("http", "https")
"""What the transport speaks."""
_CLUSTER_CONFIG = "client.authentication.k8s.io/exec"
"""The cluster's extension that is for exec plugins."""
_IN_POD = "the pod's service account"


def load(explicit: str | None, context: str | None) -> Access:
    """What the files say now, by kubectl's rules. Raises `NotConfigured`.

    Args:
        explicit: the one kubeconfig to read; without it those of `KUBECONFIG`, or `~/.kube/config`.
        context: one of the contexts; without it the current one.
    """
    named = _named(explicit)
    texts = _texts(named)
    if explicit and not texts:
        raise NotConfigured(f"the kubeconfig {explicit} does not exist")
    try:
        choice = choose(_merged(texts), context or "")
    except BadKubeconfig as error:
        raise NotConfigured(str(error)) from error
    if choice.cluster:
        return _chosen(choice, ", ".join(texts))
    if _in_pod():
        return _service_account()
    raise NotConfigured(_nothing(named, texts, choice))


def contexts(explicit: str | None) -> list[str]:
    """The names of the contexts that the files have. Raises `NotConfigured`."""
    try:
        return list(_merged(_texts(_named(explicit))).contexts)
    except BadKubeconfig as error:
        raise NotConfigured(str(error)) from error


def _named(explicit: str | None) -> list[str]:
    if explicit:
        return [explicit]
    listed = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    return list(dict.fromkeys(listed)) or [os.path.expanduser("~/.kube/config")]


def _texts(named: list[str]) -> dict[str, str]:
    """The files that exist, by their paths."""
    return {path: text for path in named if (text := _text(path)) is not None}


def _merged(texts: dict[str, str]) -> Kubeconfig:
    return merge(parse(path, text) for path, text in texts.items())


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
    _check_url(server, "server", source)
    if not _is_host(cluster.get("tls-server-name", "host")):
        raise NotConfigured(f"{source}: tls-server-name is not the name of a host")
    access = Access(
        source=source,
        server=server,
        context=choice.context,
        namespace=choice.namespace or (_pod_namespace() if _in_pod() else "default"),
        authority=_pem(cluster, "certificate-authority", source),
        insecure=cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name"),
        proxy=_checked_proxy(cluster.get("proxy-url") or proxy_for(server, os.environ), source),
        impersonation=tuple(_impersonation(user, source)),
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
    extensions = {each.get("name"): each.get("extension") for each in cluster.get("extensions", ()) if each}
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
    except (OSError, ValueError) as error:  # the latter for what cannot be a path
        why = getattr(error, "strerror", None) or error
        raise NotConfigured(f"{source}: the file of {key} cannot be read: {path}: {why}") from error


def _line(path: str, key: str, source: str) -> str:
    """What a file says, without the space around it, as kubectl has it."""
    try:
        return _content(path, key, source).decode().strip()
    except UnicodeDecodeError:
        raise NotConfigured(f"{source}: the file of {key} is not UTF-8 text: {path}") from None


def _authorization(user: Manifest, source: str) -> str:
    """The header; a token's file counts more than the token beside it, which is good until the file can be read."""
    if "username" in user or "password" in user:
        pair = f"{user.get('username', '')}:{user.get('password', '')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    token = user.get("token", "")
    if "tokenFile" in user:
        try:
            token = _line(user["tokenFile"], "tokenFile", source) or token
        except NotConfigured:
            if not token:
                raise
    if not token and "auth-provider" in user:
        token = (user["auth-provider"].get("config") or {}).get("id-token")
        if not token:
            name = user["auth-provider"].get("name")
            raise NotConfigured(f'{source}: the auth-provider "{name}" has no id-token; use an exec plugin')
    return _bearer(token, source) if token else ""


def _bearer(token: str, source: str) -> str:
    try:
        return bearer(token)
    except ValueError as error:
        raise NotConfigured(f"{source}: {error}") from error


def _impersonation(user: Manifest, source: str) -> Iterator[tuple[str, str]]:
    extra = user.get("as-user-extra", {})
    given: dict[str, list[str]] = {
        "Impersonate-User": [user["as"]] if "as" in user else [],
        "Impersonate-Uid": [user["as-uid"]] if "as-uid" in user else [],
        "Impersonate-Group": user.get("as-groups", []),
        **{f"Impersonate-Extra-{quote(key, safe='')}": values or [] for key, values in extra.items()},
    }
    for name, values in given.items():
        for value in values:
            try:
                yield name, header(name, value)
            except ValueError as error:
                raise NotConfigured(f"{source}: {error}") from error


def _checked_proxy(url: str, source: str) -> str:
    if url:
        _check_url(url, "proxy", source)
    return url


def _check_url(text: str, what: str, source: str) -> None:
    """Raise `NotConfigured` for what the transport cannot use; the message has no password."""
    try:
        url, parsed = urlsplit(text), httpx.URL(text)
        host, _ = url.hostname or "", url.port
        (parsed.username + parsed.password).encode("latin-1")  # as aiohttp sends it to a proxy
        usable = _is_host(host) and ":" not in parsed.username
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise NotConfigured(f"{source}: the {what} is not a valid URL; it has the form https://host:port")
    if url.scheme not in _SCHEMES:
        shown = f"{url.scheme}://{host}"
        raise NotConfigured(f"{source}: the {what} {shown} cannot be used; it must begin with http:// or https://")


def _is_host(name: str) -> bool:
    """Whether Python takes it for the name or address of a host, before it is looked up."""
    try:
        return name.isprintable() and bool(name.encode("idna"))
    except UnicodeError:
        return False


def _in_pod() -> bool:
    environment = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return all(os.environ.get(name) for name in environment) and (ACCOUNT / "token").is_file()


def _pod_namespace() -> str:
    file = ACCOUNT / "namespace"
    own = os.environ.get("POD_NAMESPACE")
    return own or (_line(str(file), "namespace", _IN_POD) if file.is_file() else "") or "default"


def _service_account() -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    authority = ACCOUNT / "ca.crt"
    server = f"https://{f'[{host}]' if _is_ipv6(host) else host}:{port}"
    _check_url(server, "server", _IN_POD)
    return Access(
        source=_IN_POD,
        server=server,
        namespace=_pod_namespace(),
        in_pod=True,
        authority=_content(str(authority), "ca.crt", _IN_POD) if authority.exists() else b"",
        proxy=_checked_proxy(proxy_for(server, os.environ), _IN_POD),
        authorization=_bearer(_line(str(ACCOUNT / "token"), "token", _IN_POD), _IN_POD),
    )


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
