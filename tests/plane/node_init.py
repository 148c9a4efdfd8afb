"""The first process of the node: it gives containerd and the kubelet a place of their own, and starts them.

Knows nothing of tests. Needs the standard library alone. Changes nothing of the machine but cgroups of its own.

It runs as process 1 of a new PID namespace, in a new mount namespace (`unshare`). When it ends, however that happens,
the kernel kills every process of the node, and all that they have mounted goes with the last one.
"""

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CGROUPS = Path("/sys/fs/cgroup")
PREFIX = "jobsmgr-node-"

BASE = Path("/run/jobsmgr-node")
"""Where all of the node's files are, in memory and seen by its processes alone. A socket's path has to be short."""

_PLACES = (str(BASE), "/run/containerd", "/run/netns", "/var/lib/cni", "/var/log/containers", "/var/log/pods")
"""Where containerd, its network plugins and the kubelet write, whatever their configuration says."""

_KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
    "net/ipv4/ip_forward": "1",
}
"""What they set for the whole machine. They find it set as they wish, in files that are not the kernel's."""

_SUBNETS = 256
"""As many nodes can run on one machine at a time."""

_MS_BIND, _MS_REC, _MS_SHARED = 4096, 16384, 1 << 20


def main(settings: dict[str, Any]) -> int:
    """Make the node's place, start its processes, and stay; ends when containerd or the kubelet does."""
    with alone():
        _sweep()
        enter(settings["cgroup"])
    holder, number = take_subnet(int(settings["cgroup"][-2:], 16))
    Path(settings["network"]).write_text(json.dumps(network(number)))
    make_private(Path(settings["memory"]))
    containerd = subprocess.Popen(["containerd", "-c", settings["containerd"]])
    _load(settings["ctr"], settings["images"], containerd)
    kubelet = subprocess.Popen(settings["kubelet"])
    with holder:
        return _stay({containerd.pid: "containerd", kubelet.pid: "the kubelet"})


# Control groups


def hierarchies() -> list[Path]:
    """Where cgroups are made: one place with version 2, one for each controller with version 1."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(where) for _, where, kind, *_ in mounts if kind in ("cgroup", "cgroup2")]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's cgroups against other nodes: one that starts has empty ones at first, as a dead one has."""
    place = os.open(CGROUPS, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def sweep() -> None:
    """Remove the cgroups of nodes whose processes are gone: of one whose supervisor was killed, too."""
    with alone():
        _sweep()


def enter(name: str) -> None:
    """Put this process, and so all that it starts, under a cgroup `name` of its own in each hierarchy."""
    for root in hierarchies():
        _hand_down(root)
        group = root / name / "init"
        group.mkdir(parents=True)
        copy_cpus(root, root / name, group)
        (group / "cgroup.procs").write_text("0")
        _hand_down(root / name)


def copy_cpus(*groups: Path) -> None:
    """With version 1: a new cgroup has neither CPUs nor memory nodes, and no process may enter it."""
    for upper, lower in itertools.pairwise(groups):
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (upper / "cgroup.clone_children").exists() and (lower / name).exists():
                (lower / name).write_text((upper / name).read_text())


def _sweep() -> None:
    alive = {name for root in hierarchies() for name in _nodes(root) if _processes(root / name)}
    for root in hierarchies():
        for name in _nodes(root) - alive:
            for folder, _, _ in os.walk(root / name, topdown=False):
                with contextlib.suppress(OSError):  # its supervisor is removing it too
                    os.rmdir(folder)


def _nodes(root: Path) -> set[str]:
    return {path.name for path in root.glob(f"{PREFIX}*")}


def _processes(group: Path) -> bool:
    return any(members(Path(folder)) for folder, _, _ in os.walk(group))


def members(group: Path) -> str:
    """The processes in a cgroup; none in one that has been removed meanwhile: its Pod has ended."""
    try:
        return (group / "cgroup.procs").read_text()
    except OSError:
        return ""


def _hand_down(group: Path) -> None:
    """With version 2: let the cgroups below have the controllers that this one has."""
    control = group / "cgroup.subtree_control"
    if control.exists():
        for controller in (group / "cgroup.controllers").read_text().split():
            control.write_text(f"+{controller}")


# The network


def take_subnet(first: int) -> tuple[socket.socket, int]:
    """A number that no other node of this network namespace has, as long as the socket is open.

    The kernel lets go of an abstract socket's name however its process ends, and not before.
    """
    for number in itertools.chain(range(first, _SUBNETS), range(first)):
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0{PREFIX}{number}")
        except OSError:
            holder.close()
            continue
        return holder, number
    sys.exit(f"{_SUBNETS} nodes run on this machine, and there is no network for another one")


def network(number: int) -> dict[str, Any]:
    """Pods have an address and a way to the machine, by a pair of interfaces that goes with them."""
    subnet = f"10.244.{number}.0/24"
    addresses = {"type": "host-local", "ranges": [[{"subnet": subnet}]], "dataDir": str(BASE / "addresses")}
    return {"cniVersion": "0.4.0", "name": "local", "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}]}


# Mounts


def make_private(memory: Path) -> None:
    """Cover what the node would change: its files are in memory, and of the machine's own it sees copies."""
    _mount("none", Path("/"), None, _MS_SHARED | _MS_REC)  # kubelet and runtime hand mounts to each other
    memory.mkdir(exist_ok=True)
    _mount("tmpfs", memory, "tmpfs", 0)
    for place in _PLACES:
        _cover(Path(place), memory)
    for name, value in _KERNEL.items():
        setting = Path("/proc/sys") / name
        if setting.exists():
            copy = memory / name.replace("/", ".")
            copy.write_text(f"{value}\n")
            _mount(str(copy), setting, None, _MS_BIND)


def _cover(place: Path, memory: Path) -> None:
    """Mount an empty folder there; where the machine has none, its parent is first covered by a copy that has one."""
    place = place.parent.resolve() / place.name
    copy = memory / f"copy{str(place.parent).replace('/', '.')}"
    if not place.exists():
        if not copy.exists():
            _cover_with_copy(place.parent, copy)
        place.mkdir()
    _mount("tmpfs", place, "tmpfs", 0)


def _cover_with_copy(folder: Path, copy: Path) -> None:
    copy.mkdir()
    for item in folder.iterdir():
        twin = copy / item.name
        if item.is_symlink():
            twin.symlink_to(item.readlink())
            continue
        if item.is_dir():
            twin.mkdir()
        else:
            twin.touch()
        _mount(str(item), twin, None, _MS_BIND | _MS_REC)
    _mount(str(copy), folder, None, _MS_BIND | _MS_REC)


def _mount(source: str, target: Path, kind: str | None, flags: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    words = (source.encode(), str(target).encode(), kind.encode() if kind else None)
    if library.mount(*words, ctypes.c_ulong(flags), None):
        raise OSError(ctypes.get_errno(), f"{target} could not be mounted", source)


# Processes


def _load(ctr: Sequence[str], images: Sequence[str], containerd: "subprocess.Popen[bytes]") -> None:
    while subprocess.run([*ctr, "version"], capture_output=True, check=False).returncode:
        if containerd.poll() is not None:
            sys.exit(f"containerd ended with {containerd.returncode}")
        time.sleep(0.05)
    for image in images:
        subprocess.run([*ctr, "-n", "k8s.io", "images", "import", image], check=True)


def _stay(named: dict[int, str]) -> int:
    for pid, status in _ended():
        if pid in named:
            print(f"{named[pid]} ended with {os.waitstatus_to_exitcode(status)}", file=sys.stderr, flush=True)
            return 1
    return 1


def _ended() -> Iterator[tuple[int, int]]:
    """Whatever ends: process 1 inherits the orphans of all others, each container's shim among them."""
    while True:
        yield os.wait()


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text())))
