"""When a standby looks at the Lease."""

from datetime import UTC, datetime, timedelta

import pytest

from jobsmgr.leadership.record import LONGER, shift

START = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = 2.0


def lease(renewed: float) -> dict[str, object]:
    """Renewed so many seconds after the start."""
    moment = START + timedelta(seconds=renewed)
    return {"spec": {"holderIdentity": "a", "renewTime": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}


def ages(first: float, *, takes: float = 0.0, skew: float = 0.0, looks: int = 40) -> list[float]:
    """How old the renewal was that each look has seen, where one is made every period and its request `takes` a while.

    Checks that no pause is shorter than a period, or much longer: a holder may give the Lease back during any of them.
    """
    found, at = [], first
    for _ in range(looks):
        renewed = (at - takes) // PERIOD * PERIOD
        found.append(at - renewed)
        later = shift(lease(renewed + skew), START + timedelta(seconds=at), PERIOD)
        assert 0.0 <= later <= PERIOD * LONGER
        at += PERIOD + later
    return found


@pytest.mark.parametrize("takes", [0.0, 0.05, 0.3, 0.7])
@pytest.mark.parametrize("first", [10.0, 10.01, 10.3, 11.01, 11.5, 11.99])
def test_looks_come_soon_after_renewals(first: float, takes: float) -> None:
    """From whatever moment they begin, and even if a renewal's request takes some time."""
    assert max(ages(first, takes=takes)[20:]) <= PERIOD / 2


@pytest.mark.parametrize("skew", [-86400.0, -3.3, 1.0, 86400.0])
def test_another_clock_of_the_holder_does_no_harm(skew: float) -> None:
    """Looks still come once a period or somewhat later, and each sees the newest renewal."""
    assert max(ages(10.5, skew=skew)) < PERIOD


@pytest.mark.parametrize("spec", [None, {}, {"renewTime": None}, {"renewTime": 5}, {"renewTime": "soon"}])
def test_a_lease_without_a_time(spec: object) -> None:
    """Somebody has emptied or spoiled it."""
    assert shift({"spec": spec}, START, PERIOD) == 0.0


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_far_away(year: str) -> None:
    """It is no reason to fail, or to look more often."""
    assert 0.0 <= shift({"spec": {"renewTime": f"{year}-01-01T00:00:00.000000Z"}}, START, PERIOD) < PERIOD
