"""Workers are given equal parts, and in each those tests that wait and those that compute take turns."""

from types import SimpleNamespace
from typing import Any

import pytest
from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

from tests.order import dealt, in_turns


class Worker:
    """What pytest-xdist's scheduler hands tests to."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="worker")
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.given += numbers


def given(names: list[str], workers: int) -> list[list[str]]:
    """What pytest-xdist gives each worker at the start."""
    config: Any = SimpleNamespace(getvalue=lambda _: ["popen"] * workers)
    scheduler = WorkStealingScheduling(config)
    nodes = [Worker() for _ in range(workers)]
    for node in nodes:
        scheduler.add_node(node)
        scheduler.add_node_collection(node, names)
    scheduler.schedule()
    return [[names[number] for number in node.given] for node in nodes]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("others", [100, 101, 103])
@pytest.mark.parametrize("long", [7, 8, 30])
def test_each_worker_is_given_its_share_and_the_longest_first(long: int, others: int, workers: int) -> None:
    """One test each that waits longest, then others that wait, each between some that compute."""
    waiting = [[f"long-{number}"] for number in range(long)] + [[f"waits-{number}"] * 2 for number in range(14)]
    busy = [[f"busy-{number}"] * 10 for number in range(others)]
    names = dealt(waiting, busy, workers)
    assert sorted(names) == sorted(name for module in waiting + busy for name in module)
    for part in given(names, workers):
        kinds = [name.partition("-")[0] for name in part]
        assert abs(kinds.count("long") - long / workers) < 1
        assert abs(kinds.count("waits") / 2 - 14 / workers) < 1
        assert "waits" not in kinds[: len(kinds) - kinds[::-1].index("long")]
        assert kinds[0] == kinds[-1] == "busy"


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("waiting", [["AAA", "B", "CCCCCCCCC"], []])
@pytest.mark.parametrize("busy", [["d", "ee"], []])
def test_no_test_is_lost_where_shares_cannot_be_equal(waiting: list[str], busy: list[str], workers: int) -> None:
    assert sorted(dealt(waiting, busy, workers)) == sorted("".join(waiting + busy))


def test_modules_stay_whole() -> None:
    waiting, busy = ["AA", "BBBB"], ["c", "ddd", "eeee", "ff"]
    assert "".join(in_turns(waiting, busy)) == "cAAdddeeeeBBBBff"
