"""Virtual time and quiet logs: tests that look at logs take them down themselves. Nothing is tested here."""

from collections.abc import Iterator, Mapping

import pytest
import structlog

from jobsmgr.local.simulation import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, type[VirtualLoop]]:
    """All tests of the loop run on one whose clock jumps to the next timer when nothing is ready."""
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield
