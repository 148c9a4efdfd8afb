"""However a command that goes on comes to its end, the terminal is left as it was found."""

import contextlib
import re
import signal
import termios
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from tests.cli.runs import Running, Screen
from tests.e2e.commands import Commands
from tests.e2e.shapes import SEED, group, job
from tests.plane.eventually import eventually
from tests.plane.fault_proxy import FaultProxy
from tests.plane.job_finisher import JobFinisher
from tests.plane.operator_process import OperatorProcess
from tests.plane.workflows import Workflows

pytestmark = pytest.mark.fast_plane

SPEC = {"groups": [group("g", job("a"), job("b"))]}
COMMANDS = {
    "tree": ("tree", "wf", "-w"),
    "list": ("list", "-w"),
    "wait": ("wait", "wf"),
    "logs": ("logs", "wf", "-f"),
    "submit": ("submit", str(SEED), "--watch"),
}
ENDLESS = "list"
"""This one goes on when its workflow has ended."""
WATCHES = len(COMMANDS) + 1
"""Logs watch pods, too."""
SUBMITTED = "managedjob-sample"


@attrs.frozen
class Started:
    """The commands, each on a terminal of its own, and what these were set to before."""

    running: dict[str, Running]
    before: dict[str, list[Any]]

    def say(self, what: str) -> None:
        """Wait until each has said something."""
        for one in self.running.values():
            one.until(what)

    def each(self, act: Callable[[Running], object], *names: str) -> None:
        """Do something to these commands, or to all."""
        for name in names or self.running:
            act(self.running[name])

    def ends(self) -> dict[str, int]:
        """Their exit codes; on no terminal is anything left switched."""
        codes = {name: one.end() for name, one in self.running.items()}
        for name, one in self.running.items():
            screen = Screen().feed(one.text)
            assert screen.cursor, name
            assert screen.others == [], name
            assert termios.tcgetattr(one.stream) == self.before[name], name
            assert "Traceback" not in one.text
        return codes


@pytest.fixture
def started(
    workflows: Workflows, jobs: JobFinisher, operator: OperatorProcess, proxy: FaultProxy, commands: Commands
) -> Iterator[Started]:
    """All of them while their workflow runs, behind a proxy."""
    jobs.hold("*")
    workflows.create_spec("wf", SPEC)
    workflows.wait_for_phases("wf", g__a="running")
    with contextlib.ExitStack() as exits:
        behind = Commands(commands.site, url=proxy.url)
        running = {name: exits.enter_context(behind.on_terminal(*words)) for name, words in COMMANDS.items()}
        before = {name: termios.tcgetattr(one.stream) for name, one in running.items()}
        for name in ("tree", "list", "submit"):
            running[name].until("running")
        eventually(lambda: sum("watch=true" in one.path for one in proxy.passed) >= WATCHES, "all of them watch")
        yield Started(running, before)


def test_with_their_workflow_even_if_the_server_was_away(
    started: Started, proxy: FaultProxy, jobs: JobFinisher
) -> None:
    """Meanwhile they say so, and then go on; a list is ended by Ctrl-C."""
    proxy.cut_off()
    started.say("API server")
    proxy.restore()
    jobs.release("*")
    started.running[ENDLESS].until(re.compile(rf"{SUBMITTED} +\S*succeeded"))
    started.each(lambda one: one.type("\x03"), ENDLESS)
    assert started.ends() == {**dict.fromkeys(COMMANDS, 0), ENDLESS: 130}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_by_a_signal(started: Started, how: signal.Signals) -> None:
    """From elsewhere: at once."""
    started.each(lambda one: one.signal(how))
    assert started.ends() == dict.fromkeys(COMMANDS, 130 if how is signal.SIGINT else 143)


def test_by_ctrl_c_while_the_server_is_away(started: Started, proxy: FaultProxy) -> None:
    """Nothing is waited for."""
    proxy.cut_off()
    started.say("API server")
    started.each(lambda one: one.type("\x03"))
    assert started.ends() == dict.fromkeys(COMMANDS, 130)


def test_with_the_deletion_of_their_workflow(started: Started, workflows: Workflows) -> None:
    """One sentence, and exit code 1."""
    for name in ("wf", SUBMITTED):
        workflows.delete(name)
    for name, one in started.running.items():
        if name != ENDLESS:
            one.until(f'workflow "{SUBMITTED if name == "submit" else "wf"}" was deleted')
    started.each(lambda one: one.type("\x03"), ENDLESS)
    assert started.ends() == {**dict.fromkeys(COMMANDS, 1), ENDLESS: 130}
