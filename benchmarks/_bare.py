"""The least that a client can do: it knows each graph, watches Jobs, and creates the next one at once. A process.

Plain aiohttp and dicts, no ManagedJob, no status, no checks. Nothing of jobsmgr is imported here.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import attrs

from tests.plane import expansion
from tests.plane.client import Client
from tests.plane.expansion import Spec
from tests.plane.recording import Path as JobPath
from tests.plane.recording import path as path_of
from tests.plane.script import PREFIX

WRITES = 8
"""Creates under way at once, as many as the operator has."""


@attrs.define
class Graph:
    """One workflow: how many Jobs each job still waits for, and what comes after each."""

    spec: Spec
    waits: dict[JobPath, int]
    followers: dict[JobPath, list[JobPath]]
    done: set[JobPath] = attrs.field(factory=set)


def graph_of(name: str, spec: Spec) -> Graph:
    """A workflow's graph, from the independent expansion."""
    needs = expansion.dependencies(name, spec)
    followers: dict[JobPath, list[JobPath]] = defaultdict(list)
    for path, before in needs.items():
        for other in before:
            followers[other].append(path)
    return Graph(spec, {path: len(before) for path, before in needs.items()}, followers)


def manifest(workflow: str, namespace: str, spec: Spec, path: JobPath) -> dict[str, Any]:
    """A Job with what the levels merge to, about as large as the operator's."""
    job = expansion.job_of(spec, path) or {}
    name = "-".join((workflow, *path))
    own = {"workflow-name": workflow, "group-name": path[0], "job-name": name, "job-id": path[1]}
    labels = {**expansion.labels(spec, path), **{PREFIX + key: value for key, value in own.items()}}
    container = {"name": name, "imagePullPolicy": "IfNotPresent", "env": expansion.environment(spec, path)}
    container |= {field: job[field] for field in ("image", "command", "args") if field in job}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"backoffLimit": 1, "template": template},
    }


class BareClient:
    """Runs workflows of one namespace, given to it as lines of JSON."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._graphs: dict[str, Graph] = {}
        self._window = asyncio.Semaphore(WRITES)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Watch and create until standard input ends."""
        watching = asyncio.create_task(self._client.follow(self._path, self._on_event))
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            graph = self._graphs[order["name"]] = graph_of(order["name"], order["spec"])
            for path in [path for path, count in graph.waits.items() if not count]:
                self._start(order["name"], path)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    def _on_event(self, kind: str, item: dict[str, Any]) -> None:
        conditions = item.get("status", {}).get("conditions") or []
        if not any(one["type"] == "Complete" and one["status"] == "True" for one in conditions):
            return
        name, path = item["metadata"]["labels"].get(PREFIX + "workflow-name", ""), path_of(item)
        graph = self._graphs.get(name)
        if graph is None or path in graph.done:
            return
        graph.done.add(path)
        for follower in graph.followers[path]:
            graph.waits[follower] -= 1
            if not graph.waits[follower]:
                self._start(name, follower)

    def _start(self, name: str, path: JobPath) -> None:
        task = asyncio.create_task(self._create(name, path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _create(self, name: str, path: JobPath) -> None:
        body = manifest(name, self._namespace, self._graphs[name].spec, path)
        async with self._window:
            status, answer = await self._client.send("POST", self._path, body)
        if status != 201:
            print(f"{body['metadata']['name']}: {status} {answer}", file=sys.stderr, flush=True)


async def _main(arguments: argparse.Namespace) -> None:
    async with Client(arguments.url, arguments.token, arguments.authority, "bare") as client:
        await BareClient(client, arguments.namespace).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--authority", required=True, type=Path)
    parser.add_argument("--namespace", required=True)
    asyncio.run(_main(parser.parse_args()))
