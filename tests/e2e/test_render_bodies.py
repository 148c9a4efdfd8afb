"""`jobsmgr render` beside what a real operator sends: the bodies of its POSTs to /jobs, as they pass on the wire."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest
import yaml
from aiohttp import web

from tests.cli.program import run
from tests.examples.catalogue import EXAMPLES
from tests.plane.control_plane import ControlPlane
from tests.plane.fault_proxy import FaultProxy
from tests.plane.faults import Action
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import Operators
from tests.plane.site import Site
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane


AWKWARD = f"""
apiVersion: jobsmanager.raczylo.com/v1beta1
kind: ManagedJob
metadata:
  name: awkward.forms
spec:
  params:
    imagePullPolicy: [Always]
    imagePullSecrets: [a, {{name: b}}, null]
    env: [{{name: NOTHING, value: }}, {{name: ESCAPED, value: "\\x1b[31m é\\u2028 y"}}]
    fromEnv: [{{configMapRef: {{name: c, optional: }}, key: K}}, {{secretRef: {{name: s}}, configMapRef: }}]
    volumes: [{{name: v, emptyDir: }}, {{name: w, configMap: {{name: c, defaultMode: 0644, items: }}}}]
    volumeMounts: [{{name: v, mountPath: /v, subPath: }}, {{name: w, mountPath: /w}}]
    labels: {{a: , b: c}}
    resources: {{limits: {{cpu: 1, memory: }}, requests: }}
    affinity: {{nodeAffinity: , podAffinity: {{}}}}
    securityContext: {{runAsUser: , capabilities: {{drop: [ALL]}}}}
    tolerations: [{{key: a, operator: Exists, value: }}]
  groups:
    - name: a-b
      jobs: [{{name: c, image: b, args: , workingDir: , activeDeadlineSeconds: 1e3}}]
    - name: a
      retries: 0
      params: {{restartPolicy: OnFailure}}
      jobs: [{{name: b-c, image: b}}, {{name: {"l" * 40}, image: b, retries: 2.0}}]
    - name: {"g" * 40}
      jobs: [{{name: {"l" * 40}, image: b}}]
"""
"""What nobody would write into one file: nulls, aliases, all forms of a field, names that are too long or shared."""


class Listening(FaultProxy):
    """A proxy that breaks nothing and keeps the bodies of Jobs that are created.

    The audit log has them too, but as the server decoded them: with its defaults.
    """

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__(plane)
        self.jobs: list[dict[str, Any]] = []

    async def _forward(
        self, request: web.BaseRequest, body: bytes, action: Action | None, *, watch: bool
    ) -> web.StreamResponse:
        if request.method == "POST" and request.path.endswith("/jobs"):
            self.jobs.append(json.loads(body))
        return await super()._forward(request, body, action, watch=watch)


@pytest.fixture
def proxy(control_plane: ControlPlane, portal: anyio.from_thread.BlockingPortal) -> Iterator[Listening]:
    """In place of the proxy that breaks things."""
    with portal.wrap_async_context_manager(Listening(control_plane)) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Every example, and what a person would not write."""
    awkward = tmp_path / "awkward.yaml"
    awkward.write_text(AWKWARD)
    return [awkward, *(example.path for example in EXAMPLES)]


@pytest.fixture
def created(
    files: list[Path],
    site: Site,
    workflows: Workflows,
    jobs: JobFinisher,
    proxy: Listening,
    operators: Operators,
) -> list[dict[str, Any]]:
    """The Jobs of all examples as a real operator has sent them; each job succeeds, so that every Job is created."""
    process = operators(url=proxy.url)
    for file in files:
        site.plane.kubectl("create", "-f", str(file), namespace=site.namespace)
    for name in ("awkward.forms", *(example.workflow for example in EXAMPLES)):
        workflows.wait_for(name, "Complete")
    process.close()
    return proxy.jobs


def canonical(manifests: list[dict[str, Any]]) -> list[str]:
    """One JSON text a Job, keys sorted, in the order of names."""
    return sorted(json.dumps(one, sort_keys=True) for one in manifests)


def rendered(file: Path, namespace: str, output: str) -> list[dict[str, Any]]:
    """The Jobs of a file as `render` prints them."""
    done = run("render", str(file), "-n", namespace, "-o", output)
    assert (done.code, done.err) == (0, "")
    if output == "json":
        items: list[dict[str, Any]] = json.loads(done.out)["items"]
        return items
    return list(yaml.safe_load_all(done.out))


def test_render_prints_the_bodies_of_a_real_run_without_their_owner(
    created: list[dict[str, Any]], files: list[Path], namespace: str
) -> None:
    """Nothing but `metadata.ownerReferences` is taken off, and each Job is sent once."""
    for body in created:
        (owner,) = body["metadata"].pop("ownerReferences")
        assert owner["kind"] == "ManagedJob"
    for output in ("json", "yaml"):
        assert canonical([job for one in files for job in rendered(one, namespace, output)]) == canonical(created)
