"""What every test can ask for; the control plane starts only for those that do."""

from itertools import groupby

import pytest
from hypothesis import settings

from tests.figures import FULL, OPTION, Figures
from tests.order import dealt

pytest_plugins = ["tests.plane.fixtures"]

# No law is about time: on a busy machine an example may take as long as it likes.
settings.register_profile("jobsmgr", deadline=None)
settings.load_profile("jobsmgr")

_SERVERS = {"plane", "fast_plane", "module_plane", "own_plane", "control_plane", "podman"}
"""Fixtures whose tests wait most of their time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(FULL, action="store_true", help="run sweeps over all there is, not over a part of it")
    parser.addoption(OPTION, metavar="FOLDER", help="keep what sweeps count, for a report")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether sweeps are to run over all there is."""
    return bool(request.config.getoption(FULL))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Where sweeps keep what they count."""
    return Figures(request.config.getoption(OPTION))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes tens of seconds, and is therefore begun before others that wait")
    config.addinivalue_line("markers", "virtual_time: runs on a loop whose clock jumps to the next timer")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For workers side by side: long tests early, and those that wait for a server among those that compute."""
    if not hasattr(config, "workerinput"):
        return
    long = [[item] for item in items if _is_long(item)]
    modules = [[*group] for _, group in groupby((item for item in items if not _is_long(item)), _module)]
    waiting = [module for module in modules if any(map(_waits, module))]
    busy = [module for module in modules if not any(map(_waits, module))]
    items[:] = dealt([*long, *waiting], busy, config.workerinput["workercount"])


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def _waits(item: pytest.Item) -> bool:
    return not _SERVERS.isdisjoint(getattr(item, "fixturenames", ()))


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
