"""The proxy forwards faithfully, and each fault is what a client then sees."""

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio.from_thread
import httpx
import pytest

from tests.plane.control_plane import ControlPlane
from tests.plane.eventually import DEADLINE, eventually
from tests.plane.fault_proxy import (
    After,
    Answer,
    Before,
    Cut,
    Delay,
    DropReply,
    FaultProxy,
    Hold,
    Replay,
    Reset,
    Rewrite,
    Silence,
)


def options(plane: ControlPlane, proxy: FaultProxy) -> dict[str, Any]:
    """A client's that asks the proxy as an administrator."""
    headers = {"Authorization": f"Bearer {plane.token('admin')}", "User-Agent": "jobsmgr/0 (one)"}
    context = ssl.create_default_context(cafile=str(plane.authority))
    return {"base_url": proxy.url, "verify": context, "headers": headers, "timeout": DEADLINE, "trust_env": False}


@pytest.fixture
def client(plane: ControlPlane, proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(**options(plane, proxy)) as opened:
        yield opened


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


IMPATIENT = httpx.Timeout(DEADLINE, read=0.5)
"""Of one who connects in any time, and then waits for half a second."""


def post(client: httpx.Client, maps: str, name: str) -> httpx.Response:
    return client.post(maps, json={"metadata": {"name": name}})


def names(plane: ControlPlane, maps: str) -> list[str]:
    return [item["metadata"]["name"] for item in plane.call("GET", maps)["items"]]


def watch(client: httpx.Client, maps: str, **options: Any) -> Iterator[dict[str, Any]]:
    params = {"watch": "1", "resourceVersion": "0", "timeoutSeconds": "300"}  # longer than any test waits
    with client.stream("GET", maps, params=params, **options) as answer:
        yield from map(json.loads, answer.iter_lines())


def test_without_rules_it_only_forwards(plane: ControlPlane, proxy: FaultProxy, namespace: str) -> None:
    """kubectl works through it, with its credentials, compression and discovery."""
    kubeconfig = plane.kubeconfig("admin", namespace=namespace, url=proxy.url)
    plane.kubectl("--kubeconfig", str(kubeconfig), "create", "configmap", "words")
    found = plane.kubectl("--kubeconfig", str(kubeconfig), "get", "configmaps", "-o", "name")
    assert found.stdout == "configmap/words\n"
    assert any(one.method == "POST" for one in proxy.passed)


def test_it_answers_in_the_servers_place(
    plane: ControlPlane, proxy: FaultProxy, client: httpx.Client, maps: str
) -> None:
    """Status, headers and body; only as often as said."""
    proxy.add(Answer(429, {"kind": "Status"}, {"Retry-After": "7"}), method="POST", path=r"configmaps$", times=1)
    refused = post(client, maps, "a")
    assert (refused.status_code, refused.headers["Retry-After"], refused.json()) == (429, "7", {"kind": "Status"})
    assert post(client, maps, "a").status_code == 201


def test_it_answers_with_what_is_no_json(proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """A load balancer's page, to lists and to watches."""
    page = Answer(200, headers={"Content-Type": "text/html"}, text="<html>welcome</html>")
    proxy.add(Answer(404, text="404 page not found"), method="GET", times=1)
    proxy.add(page, method="WATCH")
    refused = client.get(maps)
    assert (refused.status_code, refused.text) == (404, "404 page not found")
    shown = client.get(maps, params={"watch": "1"})
    assert (shown.status_code, shown.text) == (200, "<html>welcome</html>")
    assert shown.headers["Content-Type"].startswith("text/html")


def test_the_nth_and_the_agents_requests_are_told_apart(proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """Only the second; only the other replica's."""
    proxy.add(Answer(503), method="POST", nth=2)
    proxy.add(Answer(500), agent="(two)")
    codes = [post(client, maps, name).status_code for name in ("a", "b", "c")]
    assert codes == [201, 503, 201]
    assert client.get(maps, headers={"User-Agent": "jobsmgr/0 (two)"}).status_code == 500


@pytest.mark.parametrize(("action", "stored"), [(Reset(), []), (DropReply(), ["a"])])
def test_connections_are_reset_before_and_after(
    plane: ControlPlane,
    proxy: FaultProxy,
    client: httpx.Client,
    maps: str,
    action: Reset | DropReply,
    stored: list[str],
) -> None:
    """The client cannot tell the two apart; the server can."""
    proxy.add(action, method="POST", times=1)
    with pytest.raises(httpx.TransportError):
        post(client, maps, "a")
    assert names(plane, maps) == stored


@pytest.mark.parametrize(("kind", "stored"), [(Before, []), (After, ["a"])])
def test_a_function_is_called_at_a_request(
    plane: ControlPlane,
    proxy: FaultProxy,
    client: httpx.Client,
    maps: str,
    kind: Callable[[Callable[[], object]], Before | After],
    stored: list[str],
) -> None:
    """Before it is forwarded, or when the server has answered: then it is stored already."""
    seen: list[list[str]] = []
    proxy.add(kind(lambda: seen.append(names(plane, maps))), method="POST", times=1)
    with pytest.raises(httpx.TransportError):
        post(client, maps, "a")
    assert seen == [stored]
    assert names(plane, maps) == stored


def test_silence_ends_with_the_clients_patience(proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """A request is never answered; a watch opens and has no bytes."""
    proxy.add(Silence())
    with pytest.raises(httpx.ReadTimeout):
        client.get(maps, timeout=IMPATIENT)
    with pytest.raises(httpx.ReadTimeout):
        list(watch(client, maps, timeout=IMPATIENT))


def test_a_delayed_request_arrives(plane: ControlPlane, proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """It comes late and is not lost."""
    proxy.add(Delay(0.3), method="POST")
    begun = time.monotonic()
    assert post(client, maps, "a").status_code == 201
    assert time.monotonic() - begun >= 0.3


def test_a_held_request_waits_for_the_test(
    plane: ControlPlane, proxy: FaultProxy, portal: anyio.from_thread.BlockingPortal, maps: str
) -> None:
    """The client may have given up long before it arrives; the proxy is idle only after that."""
    hold = Hold()

    async def ask() -> None:
        async with httpx.AsyncClient(**options(plane, proxy)) as client:
            await client.post(maps, json={"metadata": {"name": "late"}})

    proxy.add(hold, method="POST", times=1)
    late = portal.start_task_soon(ask)
    eventually(lambda: hold.reached, "the request is held")
    late.cancel()
    assert not proxy.idle
    assert names(plane, maps) == []
    hold.release()
    eventually(lambda: names(plane, maps) == ["late"], "the late request arrives")
    eventually(lambda: proxy.idle, "nobody is connected any more")


def test_what_is_held_may_meet_another_fault_in_the_end(
    plane: ControlPlane, proxy: FaultProxy, client: httpx.Client, maps: str
) -> None:
    """When the test has done what must come before it; nothing arrives."""
    hold = Hold(then=Answer(410, {"reason": "Expired"}))
    proxy.add(hold, method="POST", times=1)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, client, maps, "held")
        eventually(lambda: hold.reached, "it is held")
        hold.release()
        assert answer.result().status_code == 410
    assert names(plane, maps) == []


def test_watches_are_cut(proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """After some events or seconds; cleanly or not."""
    for name in ("a", "b", "c"):
        post(client, maps, name)
    proxy.add(Cut(events=2), method="WATCH", nth=1)
    proxy.add(Cut(seconds=0.5), method="WATCH", nth=2)
    proxy.add(Cut(events=1, cleanly=False), method="WATCH", nth=3)
    assert len(list(watch(client, maps))) == 2
    assert len(list(watch(client, maps))) <= 3  # whatever came in that time; nothing else ends it
    with pytest.raises(httpx.TransportError):
        list(watch(client, maps))


def test_events_are_rewritten(plane: ControlPlane, proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """Dropped, doubled, or replaced by the expiry that a server sends in the stream."""
    for name in ("drop", "double", "expire"):
        post(client, maps, name)
    expired = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}

    def change(event: dict[str, Any]) -> list[dict[str, Any]]:
        sent = {"drop": [], "double": [event, event], "expire": [expired]}
        return sent.get(event["object"]["metadata"]["name"], [event])

    proxy.add(Rewrite(change), method="WATCH")
    seen: list[str] = []
    for event in watch(client, maps):
        seen.append(str(event["object"].get("code") or event["object"]["metadata"]["name"]))
        if len(seen) == 3:
            plane.call("POST", maps, {"metadata": {"name": "end"}})  # behind all that was to come
        if len(seen) == 4:
            break
    assert sorted(seen) == ["410", "double", "double", "end"]


INITIAL = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}


def initial_events(client: httpx.Client, maps: str) -> list[dict[str, Any]]:
    """A list in the form of a watch."""
    events = []
    with client.stream("GET", maps, params={"watch": "true", "timeoutSeconds": "300", **INITIAL}) as answer:
        for line in answer.iter_lines():
            events.append(json.loads(line))
            if events[-1]["type"] == "BOOKMARK":
                return events
    raise AssertionError(f"the stream ended: {events}")


def test_an_earlier_list_has_the_forms_that_the_server_gives_to_its_own(
    proxy: FaultProxy, client: httpx.Client, plane: ControlPlane, maps: str
) -> None:
    """Page or stream: while nothing changes, the replay cannot be told from the original."""
    post(client, maps, "a")
    post(client, maps, "b")
    page, stream = client.get(maps).json(), initial_events(client, maps)
    proxy.add(Replay(plane.call("GET", maps)))
    assert client.get(maps).json() == page
    *objects, end = stream
    *replayed, mark = initial_events(client, maps)
    assert replayed == objects
    assert mark["type"] == end["type"]
    assert mark["object"]["kind"] == end["object"]["kind"]
    assert mark["object"]["metadata"]["annotations"] == end["object"]["metadata"]["annotations"]


def test_a_replayed_list_hides_what_came_since_until_it_catches_up(
    proxy: FaultProxy, client: httpx.Client, plane: ControlPlane, maps: str
) -> None:
    """The objects of then; later the events since, in order. A watch that resumes sees the server as it is."""
    post(client, maps, "old")
    replay = Replay(plane.call("GET", maps))
    proxy.add(replay)
    post(client, maps, "new")
    assert [item["metadata"]["name"] for item in client.get(maps).json()["items"]] == ["old"]
    assert names(plane, maps) == ["new", "old"]
    params = {"watch": "true", "timeoutSeconds": "300", **INITIAL}
    seen = []
    with client.stream("GET", maps, params=params) as answer:
        for line in answer.iter_lines():
            event = json.loads(line)
            seen.append(event["object"]["metadata"].get("name") or event["type"])
            if seen[-1] == "BOOKMARK":
                replay.catch_up()
            if seen[-1] == "new":
                break
    assert seen == ["old", "BOOKMARK", "new"]
    version = replay.content["metadata"]["resourceVersion"]
    with client.stream("GET", maps, params={"watch": "true", "resourceVersion": version}) as answer:
        assert json.loads(next(answer.iter_lines()))["object"]["metadata"]["name"] == "new"


def test_a_client_is_cut_off_and_comes_back(proxy: FaultProxy, client: httpx.Client, maps: str) -> None:
    """Open streams are reset, new connections too, until it is restored."""
    post(client, maps, "a")
    stream = watch(client, maps)
    assert next(stream)["type"] == "ADDED"
    proxy.cut_off()
    with pytest.raises(httpx.TransportError):
        list(stream)
    with pytest.raises(httpx.TransportError):
        client.get(maps)
    proxy.restore()
    assert client.get(maps).status_code == 200


def test_a_servers_absence_is_passed_on(own_plane: Callable[..., ControlPlane], portal: Any) -> None:
    """When the API server is away the operator sees lost connections, not answers of the proxy."""
    plane = own_plane(controllers=())
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(portal.wrap_async_context_manager(FaultProxy(plane)))
        context = ssl.create_default_context(cafile=str(plane.authority))
        client = stack.enter_context(httpx.Client(base_url=proxy.url, verify=context, trust_env=False))
        plane.kill_component("apiserver")
        with pytest.raises(httpx.TransportError):
            client.get("/version")
