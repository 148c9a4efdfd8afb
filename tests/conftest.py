"""What every test can ask for; the control plane starts only for those that do."""

import pytest
from hypothesis import settings

from tests.figures import FULL, OPTION, Figures

pytest_plugins = ["tests.plane.fixtures"]

# No law is about time: on a busy machine an example may take as long as it likes.
settings.register_profile("jobsmgr", deadline=None)
settings.load_profile("jobsmgr")


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
    config.addinivalue_line("markers", "long: takes tens of seconds, and is therefore begun before all others")
    config.addinivalue_line("markers", "virtual_time: runs on a loop whose clock jumps to the next timer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that is begun last keeps one worker busy while the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
