"""Kubeconfigs are read, merged and refused as kubectl does it: the real one reads the same files."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jobsmgr.files.kubeconfig import BadKubeconfig, Choice, Kubeconfig, choose, merge, parse
from tests.plane.build import binary

V1 = "client.authentication.k8s.io/v1"


def config(**sections: Any) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Config", **sections})


def named(kind: str, **entries: Any) -> list[dict[str, Any]]:
    return [{"name": name, kind: entry} for name, entry in entries.items()]


def single(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, current: str = "k") -> str:
    """One cluster, user and context, all `k`."""
    return config(
        clusters=named("cluster", k={"server": "https://k"} if cluster is None else cluster),
        users=named("user", k=user or {}),
        contexts=named("context", k={"cluster": "k", "user": "k"}),
        **{"current-context": current},
    )


def kubectl(folder: Path, files: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    for name, text in files.items():
        (folder / name).write_text(text)
    environment = {"PATH": os.defpath, "HOME": str(folder), "KUBECONFIG": ":".join(files)}
    return subprocess.run(
        [str(binary()), "kubectl", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def as_kubectl_has_it(printed: str) -> Kubeconfig:
    found = json.loads(printed)
    kinds = {"clusters": "cluster", "users": "user", "contexts": "context"}
    sections = {section: {each["name"]: each[kind] for each in found[section] or ()} for section, kind in kinds.items()}
    return Kubeconfig(**sections, current_context=found["current-context"])


MERGED = {
    "the first of a name wins": {"a": single({"server": "https://a"}), "b": single({"server": "https://b"})},
    "entries are not mixed": {"a": single({"server": "https://a"}), "b": single({"tls-server-name": "b"})},
    "an empty file is an empty configuration": {"a": "", "b": single()},
    "so is one with only a comment": {"a": "# nothing\n", "b": single()},
    "and one that is null": {"a": "---\n", "b": single()},
    "the first current context": {"a": single(current=""), "b": single(current="k"), "c": single(current="c")},
    "parts in several files": {
        "a": config(clusters=named("cluster", k={"server": "https://k"})),
        "b": config(users=named("user", k={"token": "t"})),
        "c": config(contexts=named("context", k={"cluster": "k", "user": "k"}), **{"current-context": "k"}),
    },
    "an entry without content": {"a": config(users=[{"name": "k"}]), "b": single(user={"token": "t"})},
    "null in place of a list": {"a": "clusters: null\nusers:\ncontexts: []\n", "b": single()},
    "unknown fields": {"a": "colour: red\n" + "clusters: [{name: k, more: 1, cluster: {server: https://k, x: 1}}]"},
    "no kind": {"a": "current-context: k\ncontexts: [{name: k, context: {cluster: k, user: k, namespace: team}}]"},
}


@pytest.mark.parametrize("files", MERGED.values(), ids=MERGED)
def test_files_are_merged_as_kubectl_merges_them(tmp_path: Path, files: Mapping[str, str]) -> None:
    printed = kubectl(tmp_path, files, "config", "view", "--raw", "-o", "json")
    assert not printed.returncode, printed.stderr
    assert merge(parse(name, text) for name, text in files.items()) == as_kubectl_has_it(printed.stdout)


EXEC = {"command": "x", "apiVersion": V1, "interactiveMode": "Never"}
REFUSED = {
    "a name twice in a file": config(users=[{"name": "k"}, {"name": "k"}]),
    "a number for a string": single(user={"token": 1}),
    "a string for true or false": single({"server": "https://k", "insecure-skip-tls-verify": "true"}),
    "a list of numbers": single(user={"as": "a", "as-groups": [1]}),
    "an object for a list": config(clusters={}),
    "a list": "[]",
    "no YAML": "a: [",
    "another kind": "kind: Pod\napiVersion: v1\n",
    "another version": "kind: Config\napiVersion: v2\n",
    "a context that does not exist": single(current="other"),
    "two authorities": single(
        {"server": "https://k", "certificate-authority": "/dev/null", "certificate-authority-data": "YQ=="}
    ),
    "an authority and none": single(
        {"server": "https://k", "certificate-authority-data": "YQ==", "insecure-skip-tls-verify": True}
    ),
    "two ways to authenticate": single(user={"token": "t", "username": "u"}),
    "a certificate without a key": single(user={"client-certificate-data": "YQ=="}),
    "groups without a user": single(user={"as-groups": ["g"]}),
    "a plugin without a command": single(user={"exec": {**EXEC, "command": ""}}),
    "a plugin without a version": single(user={"exec": {**EXEC, "apiVersion": ""}}),
    "a plugin that does not say whether it asks": single(user={"exec": {**EXEC, "interactiveMode": ""}}),
    "a plugin that asks in another way": single(user={"exec": {**EXEC, "interactiveMode": "Perhaps"}}),
    "a variable without a name": single(user={"exec": {**EXEC, "env": [{"value": "x"}]}}),
    "a variable whose name is a number": single(user={"exec": {**EXEC, "env": [{"name": 1, "value": "x"}]}}),
    "a variable that is a number": single(user={"exec": {**EXEC, "env": [{"name": "x", "value": 1}]}}),
    "an extension that is text": single({"server": "https://k", "extensions": ["x"]}),
    "an extension whose name is a list": single({"server": "https://k", "extensions": [{"name": []}]}),
    "a provider's settings in a list": single(user={"auth-provider": {"name": "oidc", "config": [1]}}),
    "a provider's setting that is a number": single(
        user={"auth-provider": {"name": "oidc", "config": {"id-token": 1}}}
    ),
    "a provider whose name is a number": single(user={"auth-provider": {"name": 1, "config": {"id-token": "t"}}}),
    "text for a list of texts": single(user={"as": "a", "as-user-extra": {"k": "abc"}}),
    "numbers for texts": single(user={"as": "a", "as-user-extra": {"k": [1]}}),
    "a plugin and a provider": single(user={"exec": EXEC, "auth-provider": {"name": "oidc"}}),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_kubectl_refuses_is_refused(tmp_path: Path, text: str) -> None:
    refused = kubectl(tmp_path, {"a": text}, "version", "--request-timeout=1s")
    assert refused.returncode
    assert not [sign for sign in ("dial tcp", "connection") if sign in refused.stderr], "it was not sent anywhere"
    with pytest.raises(BadKubeconfig):
        choose(merge([parse("a", text)]))


def test_relative_paths_are_beside_the_file_that_has_them() -> None:
    """A program without a slash is looked up on PATH."""
    user = {"client-certificate": "c", "client-key": "/k", "tokenFile": "../t", "exec": {**EXEC, "command": "./x"}}
    files = (
        parse("/a/config", single({"server": "https://k", "certificate-authority": "ca"})),
        parse("/b/d/config", single(user=user)),
        parse("/b/d/config", config(users=named("user", path={"exec": EXEC}))),
    )
    assert files[0].clusters["k"]["certificate-authority"] == "/a/ca"
    found = files[1].users["k"]
    assert [found[key] for key in ("client-certificate", "client-key", "tokenFile")] == ["/b/d/c", "/k", "/b/t"]
    assert found["exec"]["command"] == "/b/d/x"
    assert files[2].users["path"]["exec"]["command"] == "x"


def test_without_a_current_context_nothing_is_chosen() -> None:
    """The first context is not taken: nobody has chosen it."""
    assert choose(parse("a", single(current=""))) == Choice()
    assert choose(parse("a", single(current="")), "k").cluster == {"server": "https://k"}


def test_a_cluster_without_a_server_is_refused() -> None:
    """As client-go does it; kubectl alone takes localhost:8080."""
    with pytest.raises(BadKubeconfig, match="has no server"):
        choose(parse("a", single({"tls-server-name": "x"})))
