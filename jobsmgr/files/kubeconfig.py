"""Kubeconfig files read, merged and one context chosen, as kubectl does it. No file is opened here.

The rules are those of "Organizing Cluster Access Using kubeconfig Files" and of client-go's package clientcmd.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

import attrs

from jobsmgr.api.errors import JobsmgrError
from jobsmgr.api.fields import Manifest
from jobsmgr.files.composer import compose
from jobsmgr.files.positions import SyntaxProblem, TooMuch

_SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_CERTIFICATES = ("client-certificate", "client-certificate-data", "client-key", "client-key-data")
_AUTHORITY = ("certificate-authority", "certificate-authority-data")
_FIELDS: Mapping[str, Mapping[type[Any], tuple[str, ...]]] = {
    "cluster": {
        str: ("server", "tls-server-name", "proxy-url", *_AUTHORITY),
        bool: ("insecure-skip-tls-verify", "disable-compression"),
        list: ("extensions",),
    },
    "user": {
        str: (*_CERTIFICATES, "token", "tokenFile", "username", "password", "as", "as-uid"),
        list: ("as-groups",),
        dict: ("as-user-extra", "auth-provider", "exec"),
    },
    "context": {str: ("cluster", "user", "namespace")},
    "exec": {
        str: ("command", "apiVersion", "installHint", "interactiveMode"),
        bool: ("provideClusterInfo",),
        list: ("args", "env"),
    },
}
_LISTS_OF_TEXT = ("args", "as-groups")
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_WORDS = {str: "a string", bool: "true or false", list: "a list", dict: "an object"}
_ASKS_BY_DEFAULT = "client.authentication.k8s.io/v1beta1"
_INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


class BadKubeconfig(JobsmgrError):
    """A kubeconfig that kubectl refuses too."""


@attrs.frozen
class Kubeconfig:
    """What one file says, or all of them together: clusters, users and contexts by name; empty values are left out."""

    clusters: Mapping[str, Manifest] = attrs.field(factory=dict)
    users: Mapping[str, Manifest] = attrs.field(factory=dict)
    contexts: Mapping[str, Manifest] = attrs.field(factory=dict)
    current_context: str = ""


@attrs.frozen
class Choice:
    """One context with its cluster and user. Without a cluster the configuration counts as empty."""

    context: str = ""
    namespace: str = ""
    cluster: Manifest = attrs.field(factory=dict)
    user: Manifest = attrs.field(factory=dict)


def parse(path: str, text: str) -> Kubeconfig:
    """One file's content; an empty one is an empty configuration. Raises `BadKubeconfig`.

    Relative paths in it, and a plugin's command with a slash, are relative to the file's folder.
    """
    try:
        value = next((one.value for one in compose(text)), None)
    except (SyntaxProblem, TooMuch) as error:
        raise BadKubeconfig(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(value, dict | None):
        raise BadKubeconfig(f"{path} is not a kubeconfig: it is not an object")
    value = value or {}
    if (value.get("kind") or "Config", value.get("apiVersion") or "v1") != ("Config", "v1"):
        raise BadKubeconfig(f"{path} is not a kubeconfig: its kind is {value.get('kind')}, {value.get('apiVersion')}")
    current = value.get("current-context") or ""
    if not isinstance(current, str):
        raise BadKubeconfig(f"{path}: current-context must be a string")
    return Kubeconfig(
        **{section: dict(_section(path, section, value)) for section in _SECTIONS}, current_context=current
    )


def merge(files: Iterable[Kubeconfig]) -> Kubeconfig:
    """All files as one: the first that sets a value, or an entry of a name, wins. Entries are not mixed."""
    return reduce(_merged, files, Kubeconfig())


def choose(config: Kubeconfig, name: str = "") -> Choice:
    """The context of that name, else the current one. Raises `BadKubeconfig` for one that cannot be used."""
    wanted = name or config.current_context
    if not wanted and "" not in config.contexts:
        return Choice()
    if wanted not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        raise BadKubeconfig(f'the context "{wanted}" does not exist; the kubeconfig has: {known}')
    context = config.contexts[wanted]
    cluster, user = context.get("cluster", ""), context.get("user", "")
    chosen = Choice(wanted, context.get("namespace", ""), config.clusters.get(cluster, {}), config.users.get(user, {}))
    problems = [*_user_problems(chosen.user), *(_cluster_problems(chosen.cluster) if chosen.cluster else ())]
    if problems:
        raise BadKubeconfig(f'the context "{wanted}" (cluster "{cluster}", user "{user}"): {"; ".join(problems)}')
    return chosen


def _section(path: str, section: str, value: Manifest) -> Iterator[tuple[str, Manifest]]:
    entries: Any = value.get(section)
    entries, seen = [] if entries is None else entries, set()
    if not isinstance(entries, list):
        raise BadKubeconfig(f"{path}: {section} must be a list")
    for index, entry in enumerate(entries):
        where = f"{path}: {section}[{index}]"
        if not isinstance(entry, dict) or not isinstance(name := entry.get("name") or "", str):
            raise BadKubeconfig(f"{where} must be an object with a name")
        if name in seen:
            raise BadKubeconfig(f'{path}: {section} has two entries named "{name}"')
        seen.add(name)
        kind = _SECTIONS[section]
        yield name, _resolved(_fields(entry.get(kind), kind, f"{where}.{kind}"), os.path.dirname(path))


def _fields(value: Any, kind: str, where: str) -> dict[str, Any]:
    """The known fields of an entry that are set, checked for their types."""
    if not isinstance(value, dict | None):
        raise BadKubeconfig(f"{where} must be an object")
    found: dict[str, Any] = {}
    kinds = {key: wanted for wanted, keys in _FIELDS[kind].items() for key in keys}
    for key, wanted in kinds.items():
        given: Any = (value or {}).get(key)
        if given is None:
            continue
        if type(given) is not wanted:
            raise BadKubeconfig(f"{where}.{key} must be {_WORDS[wanted]}")
        if key in _LISTS_OF_TEXT and not _is_list_of_text(given):
            raise BadKubeconfig(f"{where}.{key} must be a list of strings")
        if key == "exec":  # kept when empty: then its problems are named
            found[key] = _fields(given, "exec", f"{where}.exec")
        elif given:
            found[key] = given
    return found


def _resolved(entry: dict[str, Any], folder: str) -> Manifest:
    for key in _PATHS:
        if key in entry:
            entry[key] = _beside(folder, entry[key])
    if "/" in (command := entry.get("exec", {}).get("command", "")):
        entry["exec"]["command"] = _beside(folder, command)
    return entry


def _beside(folder: str, path: str) -> str:
    return path if os.path.isabs(path) else os.path.abspath(os.path.join(folder, path))


def _merged(first: Kubeconfig, later: Kubeconfig) -> Kubeconfig:
    return Kubeconfig(
        clusters={**later.clusters, **first.clusters},
        users={**later.users, **first.users},
        contexts={**later.contexts, **first.contexts},
        current_context=first.current_context or later.current_context,
    )


def _cluster_problems(cluster: Manifest) -> Iterator[str]:
    if "server" not in cluster:
        yield "the cluster has no server"
    extensions = [each or {} for each in cluster.get("extensions", ())]
    if not all(isinstance(each, dict) and isinstance(each.get("name"), str | None) for each in extensions):
        yield "extensions must be a list of objects whose name is a string"
    authorities = [key for key in _AUTHORITY if key in cluster]
    if len(authorities) > 1:
        yield "certificate-authority and certificate-authority-data are both set"
    if authorities and "insecure-skip-tls-verify" in cluster:
        yield "insecure-skip-tls-verify cannot be set together with a certificate authority"


def _user_problems(user: Manifest) -> Iterator[str]:
    if "token" in user and {"username", "password"} & user.keys():
        yield "token and username are both set; only one way to authenticate is allowed"
    if {"client-certificate", "client-certificate-data"} & user.keys():
        for key in ("client-certificate", "client-key"):
            if {key, f"{key}-data"} <= user.keys():
                yield f"{key} and {key}-data are both set"
        if not {"client-key", "client-key-data"} & user.keys():
            yield "client-certificate needs client-key or client-key-data"
    if {"as-uid", "as-groups", "as-user-extra"} & user.keys() and "as" not in user:
        yield "as-uid, as-groups and as-user-extra need as"
    if not all(_is_list_of_text(values or []) for values in user.get("as-user-extra", {}).values()):
        yield "as-user-extra must be an object of lists of strings"
    yield from _provider_problems(user.get("auth-provider", {}))
    if "exec" in user:
        yield from _exec_problems(user["exec"])
        if "auth-provider" in user:
            yield "auth-provider and exec are both set"


def _provider_problems(provider: Manifest) -> Iterator[str]:
    settings = provider.get("config") or {}
    if not isinstance(provider.get("name"), str | None):
        yield "auth-provider.name must be a string"
    if not isinstance(settings, dict) or not all(isinstance(each, str | None) for each in settings.values()):
        yield "auth-provider.config must be an object of strings"


def _exec_problems(plugin: Manifest) -> Iterator[str]:
    yield from (f"exec.{key} must be set" for key in ("command", "apiVersion") if key not in plugin)
    mode = plugin.get("interactiveMode", "")
    if not mode and plugin.get("apiVersion") != _ASKS_BY_DEFAULT:
        yield f"exec.interactiveMode must be set; it is one of {', '.join(_INTERACTIVE_MODES)}"
    if mode and mode not in _INTERACTIVE_MODES:
        yield f"exec.interactiveMode must be one of {', '.join(_INTERACTIVE_MODES)}"
    if not all(_is_variable(each) for each in plugin.get("env", ())):
        yield "exec.env must be a list of objects with a name and a value, which are strings"


def _is_variable(value: Any) -> bool:
    if not isinstance(value, dict) or not value.get("name"):
        return False
    return isinstance(value["name"], str) and isinstance(value.get("value"), str | None)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
