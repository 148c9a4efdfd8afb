"""A control plane with one real node: kube-scheduler, kubelet and containerd, and images made here.

Nothing of jobsmgr is imported here.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from tests.plane import components, images, node_init
from tests.plane.components import API_SERVER, CONTROLLER_MANAGER, SCHEDULER
from tests.plane.control_plane import ControlPlane, Description
from tests.plane.node_init import BASE

NODE = "node"
"""The component that is containerd and the kubelet, and its only Node's log."""

NAME = "localhost"
"""The Node's name, by which the API server finds the kubelet."""

ALL_CONTROLLERS = ("*",)

REQUIRED = "JOBSMGR_NODE"
"""The environment variable that, set to `required`, makes a missing node a failure."""

_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "unshare": "util-linux",
}
"""What has to be on PATH, and the Debian package that it is in."""

_PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
"""Where distributions put the network plugins."""

_UNSHARE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
_SOCKET = BASE / "containerd.sock"
_PAUSE = "docker.io/local/pause:1"
_WAIT = ["/bin/sh", "-c", 'trap "exit 0" TERM INT; while :; do sleep 1000 & wait; done']


class NoNode(Exception):
    """This machine cannot have a node; the message is one sentence that says what it lacks."""


class NodePlane(ControlPlane):
    """A control plane whose Pods really run, on one node that ends with it."""

    @classmethod
    def start(
        cls,
        folder: Path,
        controllers: tuple[str, ...] = ALL_CONTROLLERS,
        flags: Mapping[str, Iterable[str]] = {},
    ) -> Self:
        """Start the control plane, the scheduler and the node; arguments and errors as for `ControlPlane`.

        Raises:
            NoNode: the machine lacks something.
        """
        lacks = next(missing(), None)
        if lacks:
            raise NoNode(lacks)
        return super().start(folder, controllers, flags)

    def make_volume(self, namespace: str, claim: str) -> None:
        """Make a persistent volume for a claim that has none: an empty folder of root's, as a new disk is."""
        path = BASE / "claims" / namespace / claim
        Path(f"/proc/{self.running()[NODE]}/root{path}").mkdir(parents=True)
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
        spec = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": namespace, "name": claim},
            "local": {"path": str(path)},  # unlike a hostPath, it is given the pod's fsGroup
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        }
        self.call("POST", "/api/v1/persistentvolumes", {"metadata": {"name": f"{namespace}-{claim}"}, "spec": spec})

    # Inside

    @classmethod
    def _more_to_remove(cls, description: Description) -> Iterable[Path]:
        return [root / _group(description) for root in node_init.hierarchies()]

    def _bring_up(self) -> None:
        super()._bring_up()
        self.start_component(SCHEDULER)
        self.start_component(NODE)

    def _command(self, name: str) -> list[str]:
        if name != NODE:
            return super()._command(name)
        return [*_UNSHARE, sys.executable, node_init.__file__, str(self._write_node())]

    def _flags(self, name: str) -> list[str]:
        ports = self._description.ports
        if name == API_SERVER:
            return [*components.api_server(ports, self.folder), *components.kubelet_client(self.folder)]
        if name == CONTROLLER_MANAGER:
            return [*super()._flags(name), "--root-ca-file", str(self.authority)]
        if name == SCHEDULER:
            return components.scheduler(ports, self.kubeconfig(SCHEDULER), self.folder)
        return super()._flags(name)

    def _probe(self, name: str) -> Callable[[], bool]:
        return self._is_ready if name == NODE else super()._probe(name)

    def _is_ready(self) -> bool:
        """Whether Pods would be scheduled to the node."""
        answer = self.request("GET", f"/api/v1/nodes/{NAME}")
        if not answer.is_success:
            return False
        node = answer.json()
        conditions = {item["type"]: item["status"] for item in node["status"].get("conditions", [])}
        return conditions.get("Ready") == "True" and not node["spec"].get("taints")

    def _write_node(self) -> Path:
        """Write what containerd, the kubelet and their first process read, and give the last one's file."""
        folder = self.folder / NODE
        folder.mkdir(exist_ok=True)
        group = _group(self._description)
        kubelet = _kubelet(group, self._description.ports.kubelet, self.authority)
        (folder / "containerd.toml").write_text(_containerd(folder / "network"))
        (folder / "kubelet.json").write_text(json.dumps(kubelet, indent=2))
        (folder / "network").mkdir(exist_ok=True)
        settings = {
            "memory": str(folder / "memory"),
            "cgroup": group,
            "network": str(folder / "network" / "10-local.conflist"),
            "containerd": str(folder / "containerd.toml"),
            "ctr": ["ctr", "--address", str(_SOCKET)],
            "images": [str(path) for path in _write_images(folder)],
            "kubelet": [
                *(self._description.binary, "kubelet", "--config", str(folder / "kubelet.json")),
                *("--kubeconfig", str(self.kubeconfig("kubelet")), "--hostname-override", NAME),
                *("--root-dir", str(BASE / "kubelet"), "--cert-dir", str(BASE / "certificates")),
            ],
        }
        path = folder / "settings.json"
        path.write_text(json.dumps(settings, indent=2))
        return path


def missing() -> Iterator[str]:
    """What this machine lacks for a node, a sentence each; nothing where it can have one."""
    if sys.platform != "linux":
        yield "a node needs Linux."
        return
    if os.geteuid() != 0:
        yield "a node needs root."
        return
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            yield f"{program} is not installed (Debian: apt-get install {package})."
    if _plugins() is None:
        yield "CNI's ptp and host-local are not installed (Debian: apt-get install containernetworking-plugins)."
    if not images.BUSYBOX.is_file():
        yield f"there is no static {images.BUSYBOX} to make images of (Debian: apt-get install busybox-static)."
    if not node_init.hierarchies():
        yield "no cgroups are mounted here."
    for root in node_init.hierarchies():
        if not os.access(root, os.W_OK):
            yield f"{root} is read-only here, and a node makes cgroups of its own."
    if shutil.which("unshare"):
        done = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"namespaces cannot be made here: {done.stderr.strip()}."


def _plugins() -> Path | None:
    return next((folder for folder in _PLUGINS if (folder / "ptp").exists() and (folder / "host-local").exists()), None)


def _group(description: Description) -> str:
    """The node's cgroup: a second node on the machine has another."""
    return node_init.PREFIX + Path(description.store).name.rpartition("-")[2]


def _write_images(folder: Path) -> Iterator[Path]:
    layer = images.root_files()
    busybox: Mapping[str, object] = {"Cmd": ["sh"]}
    says: dict[str, Mapping[str, object]] = {
        _PAUSE: {"Entrypoint": _WAIT},
        images.IMAGE: busybox,
        images.LATEST: busybox,
        images.OTHER_IMAGE: images.OTHER_SAYS,
    }
    for number, (name, words) in enumerate(says.items()):
        path = folder / f"image-{number}.tar"
        path.write_bytes(images.archive(name, layer, words))
        yield path


def _containerd(network: Path) -> str:
    return f"""
version = 2
root = "{BASE}/root"
state = "{BASE}/state"
[grpc]
  address = "{_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{_PAUSE}"
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_plugins()}"
    conf_dir = "{network}"
"""


def _kubelet(group: str, port: int, authority: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{group}",
        "containerRuntimeEndpoint": f"unix://{_SOCKET}",
        "failSwapOn": False,
        "address": "127.0.0.1",
        "port": port,
        "healthzPort": 0,
        "readOnlyPort": 0,
        "resolvConf": "",
        # Whoever may ask it may be root on this machine.
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "AlwaysAllow"},
        # The machine's own state is no concern of the tests: nothing is evicted, no image goes, no rule is written.
        "evictionHard": {f"{what}.available": "0%" for what in ("imagefs", "nodefs", "memory")},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "volumePluginDir": str(BASE / "volume-plugins"),
        "syncFrequency": "1s",
        "fileCheckFrequency": "5s",
        # A container's next start in the same Pod comes after 1 s, not after 10, 20, 40.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "1s"},
    }
