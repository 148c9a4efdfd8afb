"""An operator that waits for something that never comes is told to stop: it ends by itself, whatever it waits for.

One that has to be ended by force has another exit code.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import PROGRAM
from tests.cli.runs import Running, running
from tests.local.world import ended
from tests.plane.eventually import DEADLINE, eventually
from tests.plane.operator_process import WITHOUT_SERVER
from tests.plane.probes import Server

CONFIG = """
apiVersion: v1
kind: Config
current-context: x
contexts: [{{name: x, context: {{cluster: x, user: x}}}}]
clusters: [{{name: x, cluster: {{server: '{server}'}}}}]
users: [{{name: x, user: {user}}}]
"""
COMMAND = (str(PROGRAM), "operator")


def stopped(run: Running) -> None:
    """Tell it to stop, and see it end in order."""
    run.process.terminate()
    assert run.process.wait(DEADLINE) == 0


def config(folder: Path, server: str, user: str = "{}") -> dict[str, str]:
    """The environment with a kubeconfig."""
    file = folder / "config"
    file.write_text(CONFIG.format(server=server, user=user))
    return {"KUBECONFIG": str(file), **WITHOUT_SERVER}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(180)
        yield made


def test_no_credentials_are_one_sentence(tmp_path: Path) -> None:
    """Also where probes are served: nothing else is written, and the exit code is 1."""
    environment = {**Server().environment, "KUBECONFIG": str(tmp_path / "missing")}
    with running(program=COMMAND, cwd=tmp_path, **environment) as operator:
        assert operator.end() == 1
        said = [line for line in operator.text.splitlines() if line.startswith("Error: ")]
        assert len(said) == 1
        assert "Traceback" not in operator.text


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("connections", [1, 3], ids=["the-first", "further-ones"])
def test_a_server_that_never_answers(tmp_path: Path, listener: socket.socket, scheme: str, connections: int) -> None:
    """While it is asked for the first time, and when others wait for it too."""
    environment = config(tmp_path, f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    with running(program=COMMAND, cwd=tmp_path, **environment) as operator:
        taken = [listener.accept()[0] for _ in range(connections)]
        stopped(operator)
    for one in taken:
        one.close()


def test_a_server_that_takes_no_connection(tmp_path: Path) -> None:
    """Its queue is full, and what else comes is dropped, as by a firewall."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        environment = config(tmp_path, f"https://127.0.0.1:{full.getsockname()[1]}")
        with running(program=COMMAND, cwd=tmp_path, **environment) as operator:
            operator.until("cannot be reached")
            stopped(operator)


def test_a_credential_plugin_that_never_ends(tmp_path: Path) -> None:
    """A person who does not log in, for example. The plugin ends too."""
    pid = tmp_path / "pid"
    script = f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 1000"
    user = (
        "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh,"
        f" args: ['-c', '{script}']}}}}"
    )
    with running(program=COMMAND, cwd=tmp_path, **config(tmp_path, "https://127.0.0.1:9", user)) as operator:
        eventually(pid.exists, "the plugin runs")
        stopped(operator)
    eventually(lambda: ended(int(pid.read_text())), "the plugin has ended")


def test_a_name_server_that_never_answers(tmp_path: Path) -> None:
    """Such a look-up cannot be interrupted; so nobody waits for its end."""
    (tmp_path / "sitecustomize.py").write_text(
        "import socket, time\n"
        "def look_up(*arguments, **more):\n"
        "    print('looking up', flush=True)\n"
        "    time.sleep(1000)\n"
        "socket.getaddrinfo = look_up\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = config(tmp_path, "https://api.example.com:6443")
    with running(program=COMMAND, cwd=tmp_path, PYTHONPATH=path, **environment) as operator:
        operator.until("looking up")
        stopped(operator)
