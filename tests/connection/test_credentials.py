"""How the cluster is reached: files that change, plugins, certificates that leave nothing behind."""

import base64
import json
import os
import ssl
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from jobsmgr.connection import credentials, kubeconfig
from jobsmgr.connection.access import Access
from jobsmgr.connection.answers import NotConfigured, Unreachable
from jobsmgr.connection.credentials import Credentials
from tests.files.test_kubeconfig import V1, config, named, single
from tests.plane import certificates
from tests.plane.build import binary

PLUGIN = f"""#!{sys.executable}
import os, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "runs", "a") as runs:
    print(os.environ["KUBERNETES_EXEC_INFO"].strip(), os.environ.get("MODE", ""), *sys.argv[1:], file=runs)
while (here / "wait").exists():
    pass
print((here / "answer").read_text())
sys.exit(int((here / "code").read_text()) if (here / "code").exists() else 0)
"""


ANSWER = {"kind": "ExecCredential", "apiVersion": V1}


def write(folder: Path, text: str, name: str = "kubeconfig") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def answer(folder: Path, **status: str) -> None:
    found = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    (folder / "answer").write_text(json.dumps(found))


def with_plugin(folder: Path, cluster: dict[str, Any] | None = None, **more: Any) -> str:
    plugin = folder / "plugin"
    plugin.write_text(PLUGIN)
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    settings = {"command": "./plugin", "apiVersion": V1, "interactiveMode": "Never", **more}
    return write(folder, single(cluster, {"exec": settings}))


def runs(folder: Path) -> list[str]:
    return (folder / "runs").read_text().splitlines() if (folder / "runs").exists() else []


async def test_a_token_file_is_read_and_read_again_when_it_changes(tmp_path: Path) -> None:
    """It counts more than the token beside it, as long as it can be read."""
    path = write(tmp_path, single(user={"tokenFile": "token", "token": "beside"}))
    reader = Credentials(path, None)
    first = await reader.access()
    assert first.authorization == "Bearer beside"
    write(tmp_path, "one\n", "token")
    second = await reader.refused(first)
    assert second.authorization == "Bearer one"
    assert await reader.access() is second
    write(tmp_path, "two\n", "token")
    assert (await reader.refused(second)).authorization == "Bearer two"
    (tmp_path / "kubeconfig").unlink()  # what cannot be read now stays as it was
    assert (await reader.read_again(await reader.access())).authorization == "Bearer two"


async def test_it_stays_on_the_cluster_that_it_began_with(tmp_path: Path) -> None:
    """Neither another current context nor another server of the same one is taken while it runs."""

    def both(current: str, server: str) -> str:
        return config(
            clusters=named("cluster", a={"server": server}, b={"server": "https://b"}),
            users=named("user", a={"token": "of-a"}, b={"token": "of-b"}),
            contexts=named("context", a={"cluster": "a", "user": "a"}, b={"cluster": "b", "user": "b"}),
            **{"current-context": current},
        )

    reader = Credentials(write(tmp_path, both("a", "https://a")), None)
    first = await reader.access()
    for text in (both("b", "https://a"), both("a", "https://other")):
        write(tmp_path, text)
        assert (await reader.refused(first)) == first


async def test_http_gets_no_credentials(tmp_path: Path) -> None:
    user = {"token": "t", "as": "somebody"}
    access = await Credentials(write(tmp_path, single({"server": "http://k"}, user)), None).access()
    assert (access.authorization, access.impersonation) == ("", (("Impersonate-User", "somebody"),))


async def test_an_empty_kubeconfig_and_no_service_account_name_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NotConfigured, match=r"there is no kubeconfig.*\.kube/config \(does not exist\).*--kubeconfig"):
        await Credentials(None, None).access()
    monkeypatch.setenv("KUBECONFIG", f"/dev/null:{tmp_path}/none")
    with pytest.raises(NotConfigured, match=r"no current context.*/dev/null, .*/none \(does not exist\)"):
        await Credentials(None, None).access()


async def test_an_empty_kubeconfig_in_a_pod_is_the_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"token": "t\n", "namespace": "team\n"}.items():
        write(tmp_path, text, name)
    monkeypatch.setattr(kubeconfig, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    access = await Credentials(None, None).access()
    assert (access.server, access.authorization, access.namespace) == ("https://[fd00::1]:443", "Bearer t", "team")


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, single({"server": "https://k", "certificate-authority": "certs/ca.crt"}))
    with pytest.raises(NotConfigured, match=f"certificate-authority cannot be read: {tmp_path}/certs/ca.crt"):
        await Credentials(path, None).access()


async def test_certificates_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = certificates.authority("test")
    client = certificates.client(issuer, "somebody")
    noted = "# Größe, and not only ASCII\n".encode() + issuer.certificate
    fields = {"client-certificate-data": client.certificate, "client-key-data": client.key}
    user = {key: base64.b64encode(value).decode() for key, value in fields.items()}
    cluster = {"server": "https://k", "certificate-authority-data": base64.b64encode(noted).decode()}
    path, empty = write(tmp_path, single(cluster, user)), tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        context = (await Credentials(path, None).access()).ssl_context()
        assert isinstance(context, ssl.SSLContext)
        assert len(context.get_ca_certs()) == 1
    assert list(empty.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before


async def test_certificates_are_tried_beside_the_loop_and_only_when_something_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, made = [], Access.ssl_context

    def noted(access: Access) -> ssl.SSLContext:
        threads.append(threading.current_thread())
        return made(access)

    monkeypatch.setattr(Access, "ssl_context", noted)
    monkeypatch.setattr(credentials, "MAX_AGE", 0)
    path = write(tmp_path, single())
    reader = Credentials(path, None)
    for _ in range(3):
        await reader.access()
    assert len(threads) == 1
    write(tmp_path, single({"server": "https://k", "certificate-authority-data": "YQ=="}))
    assert (await reader.access()).authority == b""  # what cannot be used is not taken
    write(tmp_path, single(user={"token": "t"}))
    assert (await reader.access()).authorization == "Bearer t"
    assert len(threads) == 3
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("provide", [True, False])
async def test_a_plugin_is_told_what_kubectl_tells_it(tmp_path: Path, provide: bool) -> None:
    authority = base64.b64encode(certificates.authority("test").certificate).decode()
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}]
    cluster = {
        "server": "https://127.0.0.1:1",
        "tls-server-name": "k",
        "certificate-authority-data": authority,
        "extensions": extensions,
    }
    path = with_plugin(
        tmp_path, cluster, provideClusterInfo=provide, args=["a", "b"], env=[{"name": "MODE", "value": "m"}]
    )
    answer(tmp_path, token="secret")
    assert (await Credentials(path, None).access()).authorization == "Bearer secret"
    command = [str(binary()), "kubectl", "--kubeconfig", path, "get", "--raw", "/"]
    await anyio.run_process(command, env={"HOME": str(tmp_path), "PATH": os.defpath}, check=False)
    ours, kubectls = runs(tmp_path)[:2]
    told, *rest = ours.rsplit(" ", 3)
    kubectl_told, *kubectl_rest = kubectls.rsplit(" ", 3)
    assert rest == kubectl_rest == ["m", "a", "b"]
    assert json.loads(told) == json.loads(kubectl_told)


async def test_a_plugin_runs_once_for_all_until_its_answer_expires_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "MAX_AGE", 0)
    reader = Credentials(with_plugin(tmp_path), None)
    answer(tmp_path, token="one", expirationTimestamp="2999-01-01T00:00:00Z")
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(reader.access)
    first = await reader.access()
    assert len(runs(tmp_path)) == 1
    answer(tmp_path, token="two", expirationTimestamp="2000-01-01T00:00:00Z")
    assert (await reader.refused(first)).authorization == "Bearer two"
    assert len(runs(tmp_path)) == 2
    answer(tmp_path, token="three")
    assert (await reader.access()).authorization == "Bearer three"
    assert (await reader.access()).authorization == "Bearer three"
    assert len(runs(tmp_path)) == 3


async def test_a_plugin_runs_once_for_all_that_are_refused(tmp_path: Path) -> None:
    """Also for one that is refused in the moment of its answer."""
    reader = Credentials(with_plugin(tmp_path), None)
    answer(tmp_path, token="one")
    first = await reader.access()
    answer(tmp_path, token="two")
    found = []

    async def refused() -> None:
        found.append((await reader.refused(first)).authorization)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused)
        for runs_now in (False, True):
            while (reader.awaited == "the API server") is not runs_now:
                await anyio.lowlevel.checkpoint()
        tasks.start_soon(refused)
        await refused()
    assert found == ["Bearer two"] * 3
    assert len(runs(tmp_path)) == 2


async def test_a_plugin_that_takes_long_goes_on_when_one_that_asked_gives_up(tmp_path: Path) -> None:
    """It is not started again, and is named as the one that is waited for."""
    reader = Credentials(with_plugin(tmp_path), None)
    answer(tmp_path, token="late")
    (tmp_path / "wait").touch()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader.access)
        while not runs(tmp_path):  # noqa: ASYNC110  a file tells nobody
            await anyio.sleep(0.01)
        assert reader.awaited == f'the credential plugin "{tmp_path}/plugin"'
        tasks.cancel_scope.cancel()
    (tmp_path / "wait").unlink()
    assert (await reader.access()).authorization == "Bearer late"
    assert len(runs(tmp_path)) == 1
    assert reader.awaited == "the API server"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not an ExecCredential"),
        ("{", "returned an invalid answer"),
        (json.dumps({"kind": "ExecCredential", "apiVersion": V1}), "must have a token"),
        (json.dumps({"kind": "ExecCredential", "apiVersion": f"{V1}beta1", "status": {"token": "t"}}), "was requested"),
        (json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": {"clientKeyData": "k"}}), "must have"),
        *(
            (json.dumps(ANSWER | {"status": {"token": "t", "expirationTimestamp": text}}), words)
            for text, words in (
                ("2999-01-01T00:00:00", "2999-01-01T00:00:00 has no time zone"),
                ("2999-01-01", "no time zone"),
                ("soon", "returned an invalid answer"),
            )
        ),
    ],
)
async def test_an_unusable_answer_names_the_plugin(tmp_path: Path, text: str, words: str) -> None:
    path = with_plugin(tmp_path)
    write(tmp_path, text, "answer")
    with pytest.raises(Unreachable, match=f"plugin.*{words}"):
        await Credentials(path, None).access()


async def test_a_plugin_that_fails_or_is_missing_is_named(tmp_path: Path) -> None:
    """One that fails is asked again later; one that is missing is a matter of configuration."""
    path = with_plugin(tmp_path)
    answer(tmp_path, token="t")
    write(tmp_path, "3", "code")
    reader = Credentials(path, None)
    with pytest.raises(Unreachable, match=r"plugin.*exit code 3") as failed:
        await reader.access()
    assert not isinstance(failed.value, NotConfigured)
    (tmp_path / "code").unlink()
    assert (await reader.access()).authorization == "Bearer t"
    missing = with_plugin(tmp_path, command="no-such-plugin", installHint="Install it.")
    with pytest.raises(NotConfigured, match=r"no-such-plugin.*Install it\."):
        await Credentials(missing, None).access()


async def test_a_proxy_of_the_kubeconfig_counts_more_than_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    cluster = {"server": "https://10.1.1.1:6443"}
    assert (await Credentials(write(tmp_path, single(cluster)), None).access()).proxy == ""
    path = write(tmp_path, single(cluster | {"proxy-url": "http://own"}))
    assert (await Credentials(path, None).access()).proxy == "http://own"
    path = write(tmp_path, single(cluster | {"proxy-url": "socks5://own"}))
    with pytest.raises(NotConfigured, match="socks5://own"):
        await Credentials(path, None).access()
