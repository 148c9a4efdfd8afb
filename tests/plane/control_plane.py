"""A real Kubernetes control plane on loopback ports: started, joined, broken and ended by tests.

Nothing of jobsmgr is imported here.
"""

import contextlib
import json
import secrets
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import attrs
import cattrs
import httpx

from tests.plane import build, components, ports, supervisor
from tests.plane.access import CRD, ROOT, Access, PlaneError, until
from tests.plane.components import (
    API_SERVER,
    CONTROLLER_MANAGER,
    CONTROLLERS,
    ETCD,
    SCHEDULER,
    USERS,
    Ports,
)
from tests.plane.eventually import DEADLINE

__all__ = ["CRD", "ROOT", "ControlPlane", "PlaneError"]

_SOCKET_LIMIT = 90
"""A Unix socket's path is cut at about 104 bytes on some systems."""


@attrs.frozen
class Description:
    """What a further process must know to join a running plane; kept in `plane.json`."""

    folder: str
    store: str
    socket: str
    binary: str
    ports: Ports
    tokens: dict[str, str]
    controllers: tuple[str, ...]
    flags: dict[str, list[str]]


class ControlPlane(Access):
    """A running control plane, seen from one test process.

    `start` makes a new one, `join` connects to one that another process of the same test run has started. It ends when
    the last process that holds it closes it or dies.
    """

    def __init__(self, description: Description, link: supervisor.Link) -> None:
        url = f"https://127.0.0.1:{description.ports.api}"
        super().__init__(Path(description.folder), url, description.tokens)
        self._description = description
        self._link = link

    @classmethod
    def start(
        cls,
        folder: Path,
        controllers: tuple[str, ...] = CONTROLLERS,
        flags: Mapping[str, Iterable[str]] = {},
    ) -> Self:
        """Start etcd, the API server and the controller manager, install the CRD and the operator's roles.

        Args:
            folder: where data, logs and kubeconfigs go; made if missing.
            controllers: the controller manager's; empty starts no controller manager.
            flags: more command-line flags by component (`etcd`, `apiserver`, `controller-manager`).

        Raises:
            PlaneError: a component did not get ready.
            BuildError: there is no binary and none could be built.
        """
        folder.mkdir(parents=True, exist_ok=True)
        binary = build.binary()
        build.kubectl_folder(binary, folder / "bin")
        held = [ports.hold() for _ in attrs.fields(Ports)]
        description = Description(
            folder=str(folder),
            # Of its own name: an earlier plane of this folder may still be deleting its store.
            store=str(folder / f"etcd-{secrets.token_hex(4)}"),
            socket=str(_socket_path(folder)),
            binary=str(binary),
            ports=Ports(*map(ports.number, held)),
            tokens={user: secrets.token_hex(16) for user in USERS},
            controllers=tuple(controllers),
            flags={name: list(values) for name, values in flags.items()},
        )
        for name, content in components.files(description.tokens).items():
            (folder / name).write_bytes(content)
        remove = [Path(description.store), *cls._more_to_remove(description)]
        link = supervisor.launch(Path(description.socket), folder / "supervisor.log", remove=remove, held=held)
        plane = cls(description, link)
        try:
            plane._bring_up()
        except BaseException:
            plane.close()
            raise
        (folder / "plane.json").write_text(json.dumps(cattrs.unstructure(description)))
        return plane

    @classmethod
    def join(cls, folder: Path) -> Self | None:
        """Connect to the plane that was started in `folder`; None if there is none or it has ended."""
        try:
            description = cattrs.structure(json.loads((folder / "plane.json").read_text()), Description)
            return cls(description, supervisor.Link(Path(description.socket)))
        except OSError:
            return None

    def close(self) -> None:
        """Leave the plane. It ends with the last process that leaves."""
        super().close()
        self._link.close()

    def end(self) -> None:
        """Leave the plane as the last one and wait until its processes and its store are gone."""
        self.close()
        until(lambda: not Path(self._description.socket).exists(), "the plane did not end")

    # Components

    def start_component(self, name: str, flags: Iterable[str] = ()) -> None:
        """Start `etcd`, `apiserver` or `controller-manager` on its old port with its old data, and wait until ready."""
        more = (*self._description.flags.get(name, []), *flags)
        env = components.MANAGER_ENVIRONMENT if name == CONTROLLER_MANAGER else {}
        self._link.call("start", name=name, command=[*self._command(name), *more], log=str(self.log(name)), env=env)
        self.wait_ready(name)

    def stop_component(self, name: str) -> None:
        """End a component with SIGTERM and wait for it."""
        self._link.call("stop", name=name)

    def kill_component(self, name: str) -> None:
        """End a component with SIGKILL and wait for it."""
        self.signal_component(name, signal.SIGKILL)
        self._link.call("stop", name=name)

    def signal_component(self, name: str, number: signal.Signals) -> None:
        """Send any signal: SIGSTOP freezes a component, SIGCONT lets it go on."""
        self._link.call("signal", name=name, number=int(number))

    def compact_etcd(self) -> None:
        """Have etcd forget all history; an API server that is started after this has none either."""
        self._ask_etcd("kv/compaction", {"revision": self.revision(), "physical": True})

    def make_room_in_etcd(self) -> None:
        """What an administrator does once etcd has refused writes for want of space, and what filled it is deleted."""
        self.compact_etcd()
        self._ask_etcd("maintenance/defragment", {})
        for alarm in self._ask_etcd("maintenance/alarm", {"action": "GET"}).get("alarms", ()):
            self._ask_etcd("maintenance/alarm", {**alarm, "action": "DEACTIVATE"})

    def revision(self) -> int:
        """How many writes etcd has seen: the newest resourceVersion of all objects."""
        return int(self._ask_etcd("kv/range", {"key": "AA==", "limit": 1})["header"]["revision"])

    def back_up_etcd(self) -> Path:
        """Copy etcd's data, while etcd is frozen for a moment, and give the copy's folder.

        Nobody notices: what etcd finds there later is what a crash at this moment would have left.
        """
        store = Path(self._description.store)
        copy = store.with_name(f"{store.name}-backup-{secrets.token_hex(4)}")
        self.signal_component(ETCD, signal.SIGSTOP)
        try:
            until(lambda: _is_stopped(self.running()[ETCD]), "etcd was not frozen")
            shutil.copytree(store, copy)
        finally:
            self.signal_component(ETCD, signal.SIGCONT)
        return copy

    def restore_etcd(self, backup: Path) -> None:
        """Put a backup in place of etcd's data. An API server that runs meanwhile is not told of it.

        All that was written since the backup is lost, and revisions are counted from there again.
        """
        self.stop_component(ETCD)
        shutil.rmtree(self._description.store)
        shutil.copytree(backup, self._description.store)
        self.start_component(ETCD)

    def running(self) -> dict[str, int]:
        """The pids of the components that run, by name."""
        pids: dict[str, int] = self._link.call("running")
        return pids

    def log(self, name: str) -> Path:
        """The file that a component writes its output to."""
        return self.folder / f"{name}.log"

    def wait_ready(self, name: str) -> None:
        """Wait until a component says that it is ready.

        Raises:
            PlaneError: it ended or took longer than `DEADLINE` seconds.
        """
        probe = self._probe(name)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if probe():
                return
            if name not in self.running():
                break
            time.sleep(0.05)
        words = " | ".join(self.log(name).read_text(errors="replace").splitlines()[-4:])
        raise PlaneError(f"{name} did not get ready, see {self.log(name)}: {words}")

    # Inside

    def _ask_etcd(self, question: str, body: Mapping[str, Any]) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self._description.ports.etcd}/v3"
        with httpx.Client(trust_env=False) as client:
            answer: dict[str, Any] = client.post(f"{base}/{question}", json=body).raise_for_status().json()
        return answer

    def _bring_up(self) -> None:
        self.start_component(ETCD)
        self.start_component(API_SERVER)
        # Before the controller manager: its garbage collector looks for new types only every 30 seconds.
        self.install_crd()
        self.install_roles()
        if self._description.controllers:
            self.start_component(CONTROLLER_MANAGER)

    @classmethod
    def _more_to_remove(cls, description: Description) -> Iterable[Path]:
        """What else the supervisor deletes at the end."""
        return ()

    def _command(self, name: str) -> list[str]:
        return [self._description.binary, name, *self._flags(name)]

    def _flags(self, name: str) -> list[str]:
        ports = self._description.ports
        if name == ETCD:
            return components.etcd(ports, Path(self._description.store))
        if name == API_SERVER:
            return [*components.api_server(ports, self.folder), *components.NO_ACCOUNTS]
        kubeconfig = self.kubeconfig("controller-manager")
        return components.controller_manager(ports, kubeconfig, self.folder, self._description.controllers)

    def _probe(self, name: str) -> Callable[[], bool]:
        ports = self._description.ports
        url = {
            ETCD: f"http://127.0.0.1:{ports.etcd}/readyz",
            API_SERVER: f"{self.url}/readyz",
            CONTROLLER_MANAGER: f"https://127.0.0.1:{ports.manager}/healthz",
            SCHEDULER: f"https://127.0.0.1:{ports.scheduler}/healthz",
        }[name]
        # The last two serve with a certificate of their own making.
        client = self._client("admin") if name in (ETCD, API_SERVER) else self._unverified

        def probe() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get(url, timeout=5).is_success
            return False

        return probe

    @property
    def _unverified(self) -> httpx.Client:
        if "" not in self._clients:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._clients[""] = httpx.Client(verify=context, trust_env=False)
        return self._clients[""]


def _is_stopped(pid: int) -> bool:
    """Whether no thread of a process runs any more after SIGSTOP."""
    shown = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    return shown.strip().startswith("T")


def _socket_path(folder: Path) -> Path:
    path = folder / f"supervisor-{secrets.token_hex(4)}.socket"
    return path if len(str(path)) < _SOCKET_LIMIT else Path(tempfile.mkdtemp(prefix="plane-")) / "socket"
