"""Wrong input to a session is named in a sentence, as its being unusable: nothing else is raised."""

from pathlib import Path
from typing import Any

import pytest

from jobsmgr.connection import kubeconfig
from jobsmgr.connection.answers import NotConfigured
from jobsmgr.connection.resources import LEASES
from jobsmgr.connection.session import Session
from jobsmgr.connection.target import Target
from tests.connection.test_credentials import answer, with_plugin, write
from tests.files.test_kubeconfig import EXEC, single

SERVER = {"server": "https://127.0.0.1:1"}
SERVERS = (
    "https://h:64a43",
    "https://h:-1",
    "https://h:99999",
    "https://[::1",
    "https://[::g]",
    "https://h\x01",
    "https://256.1.1.1",
    "https://h\xe9.☃",
    f"https://{'a' * 64}",
    "https://a..b",
    "https://",
    "://h",
    "ftp://h",
    "h:64a43",
)
PROXIES = (
    "http://[::1",
    "http://p:x",
    "http://p:99999",
    "http://h\x01",
    "http://",
    "p:8080",
    "socks5://p",
    "http://a%3Ab:c@p",
    "http://a:%E2%98%83@p",
)
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    **{f"server {server!a}": ({"server": server}, {}) for server in SERVERS},
    **{f"proxy {proxy!a}": (SERVER | {"proxy-url": proxy}, {}) for proxy in PROXIES},
    **{f"name {name!a}": (SERVER | {"tls-server-name": name}, {}) for name in (".x", "a\0b", "a" * 64, "a..b")},
    "a null in a path": (SERVER, {"tokenFile": "a\0b"}),
    "a null in a plugin's command": (SERVER, {"exec": EXEC | {"command": "a\0b"}}),
    "a null in a plugin's argument": (SERVER, {"exec": EXEC | {"command": "true", "args": ["a\0b"]}}),
    "a variable that cannot be": (SERVER, {"exec": EXEC | {"command": "true", "env": [{"name": "a=b"}]}}),
    "a token of two lines": (SERVER, {"token": "a\nb"}),
    "a token with its line's end": (SERVER, {"token": "a\n"}),
    "a token that is not ASCII": (SERVER, {"token": "é"}),
    "a provider's token of two lines": (SERVER, {"auth-provider": {"name": "x", "config": {"id-token": "a\nb"}}}),
    "a user of two lines": (SERVER, {"as": "a\nb"}),
    "a group of two lines": (SERVER, {"as": "a", "as-groups": ["b", "a\rb"]}),
    "an extra value of two lines": (SERVER, {"as": "a", "as-user-extra": {"k": ["a\nb"]}}),
}


async def _call(path: str | None) -> str:
    """A request's failure, which is one of the configuration."""
    session = Session(Target(kubeconfig=path), "test")
    try:
        with pytest.raises(NotConfigured) as caught:
            await session.open()
        with pytest.raises(NotConfigured):
            await session.call("GET", LEASES, "default", "x")
    finally:
        await session.aclose()
    return str(caught.value)


@pytest.mark.parametrize(("cluster", "user"), WRONG.values(), ids=WRONG)
async def test_a_kubeconfig_that_cannot_be_used_is_named(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any]
) -> None:
    assert await _call(write(tmp_path, single(cluster, user)))


@pytest.mark.parametrize("content", [b"\xff\xfe", "é".encode(), b"a\nb\n"])
async def test_a_token_file_that_is_no_token_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert "token" in await _call(write(tmp_path, single(SERVER, {"tokenFile": "token"})))


@pytest.mark.parametrize(("file", "content"), [("token", b"\xff"), ("token", b"a\nb"), ("namespace", b"\xff")])
async def test_a_service_account_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: bytes
) -> None:
    write(tmp_path, "t", "token")
    (tmp_path / file).write_bytes(content)
    monkeypatch.setattr(kubeconfig, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBECONFIG", "/dev/null")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    assert file in await _call(None)


@pytest.mark.parametrize("proxy", ["http://[::1", "http://p:x"])
async def test_a_proxy_of_the_environment_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert "proxy" in await _call(write(tmp_path, single({"server": "https://192.0.2.1"})))


@pytest.mark.parametrize(
    "proxy", ["socks5://me:secret@p", "http://me:secret@p:x", "http://me:sec/secret@p", "//me:secret@p"]
)
async def test_a_proxy_is_named_without_its_password(tmp_path: Path, proxy: str) -> None:
    message = await _call(write(tmp_path, single(SERVER | {"proxy-url": proxy})))
    assert "sec" not in message.replace(str(tmp_path), "")


@pytest.mark.parametrize("status", [{"token": "a\nb"}, {"token": "é"}])
async def test_a_plugins_token_that_cannot_be_sent_is_no_answer(tmp_path: Path, status: dict[str, str]) -> None:
    """It is asked again next time."""
    session = Session(Target(kubeconfig=with_plugin(tmp_path, SERVER)), "test")
    answer(tmp_path, **status)
    assert "returned an invalid answer: its token" in await session.open()
    answer(tmp_path, token="t")
    assert "Cannot connect" in await session.open()


def test_what_is_shown_of_an_access_has_no_secret(tmp_path: Path) -> None:
    """Neither a proxy's password nor what a plugin is given."""
    plugin = EXEC | {"env": [{"name": "x", "value": "secret"}], "args": ["secret"]}
    path = write(tmp_path, single(SERVER | {"proxy-url": "http://me:secret@p"}, {"exec": plugin}))
    access = kubeconfig.load(path, None)
    assert access.plugin is not None
    assert "secret" not in repr(access).replace(str(tmp_path), "")


def test_an_extra_field_without_values_is_no_header(tmp_path: Path) -> None:
    """As kubectl has it."""
    path = write(tmp_path, single(SERVER, {"as": "a", "as-user-extra": {"k": None, "l": []}}))
    assert kubeconfig.load(path, None).impersonation == (("Impersonate-User", "a"),)
