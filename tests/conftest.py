"""What every test can ask for; the control plane starts only for those that do."""

import pytest
from hypothesis import settings

pytest_plugins = ["tests.plane.fixtures"]

# No law is about time: on a busy machine an example may take as long as it likes.
settings.register_profile("jobsmgr", deadline=None)
settings.load_profile("jobsmgr")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes tens of seconds, and is therefore begun before all others")
    config.addinivalue_line("markers", "virtual_time: runs on a loop whose clock jumps to the next timer")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that is begun last keeps one worker busy while the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
