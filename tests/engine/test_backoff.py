"""How long to wait after so many failures in a row."""

from hypothesis import given
from hypothesis import strategies as st

from jobsmgr.engine.backoff import FIRST, LONGEST, backoff

FAILURES = st.integers(1, 10**9)


@given(FAILURES)
def test_bounded(failures: int) -> None:
    """Never sooner than a bit before the first delay, never later than a bit after five minutes."""
    assert 0.8 * FIRST <= backoff(failures) <= 1.2 * LONGEST


@given(st.integers(1, 8))
def test_each_is_longer_than_the_one_before(failures: int) -> None:
    """It doubles, and the jitter of a fifth never turns that round."""
    assert backoff(failures) < backoff(failures + 1)


@given(FAILURES, st.floats(0, 3600))
def test_the_server_sets_the_least(failures: int, least: float) -> None:
    """Retry-After is obeyed, even beyond our own longest."""
    assert backoff(failures, least=least) >= max(least, 0.8 * FIRST)


def test_many_that_failed_at_once_do_not_come_back_at_once() -> None:
    """With a Retry-After too."""
    assert len({backoff(3) for _ in range(100)}) > 90
    assert len({backoff(1, least=60) for _ in range(100)}) > 90
