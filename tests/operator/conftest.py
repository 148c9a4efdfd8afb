"""The loop of this machine, but for tests marked `virtual_time`, as the tests of `local` have it."""

from tests.local.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
