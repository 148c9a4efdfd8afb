"""The podman of the tests, for those that ask for it, and virtual time for those marked so. Nothing is tested here."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from jobsmgr.local.simulation import VirtualLoop
from tests.local.podman import podman as podman
from tests.local.podman import ran as ran


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of this machine, but for tests marked `virtual_time`."""
    return {"loop": VirtualLoop if item.get_closest_marker("virtual_time") else asyncio.new_event_loop}
