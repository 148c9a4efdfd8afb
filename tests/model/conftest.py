"""Quiet logs. Nothing is tested here."""

from collections.abc import Iterator

import pytest
import structlog

from tests.quiet import quiet


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()
