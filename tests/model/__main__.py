"""The whole model check: every family on every graph of up to four jobs, so many states in all.

python -m tests.model --states 10000000 --processes 2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait

from tests.figures import OPTION, Figures
from tests.model.explore import Coverage
from tests.model.families import FAMILIES, explore
from tests.model.graphs import Graph, shapes, text_of
from tests.quiet import quiet

SMALL = 2
"""Jobs of graphs that half of the states are for, so that many of these are looked at to the last one."""
SHARE_OF_TWO = 3
"""How many times as many states a family with two leaders gets."""
MOST, LEAST = 400_000, 10
"""States of one family on one graph: they are all kept in memory."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--states", type=int, default=10_000_000, help="how many states to look at, shared by all graphs"
    )
    parser.add_argument("--jobs", type=int, default=4, help="jobs of the largest graphs")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--family", default="", help="only families whose name has this in it")
    parser.add_argument(OPTION)
    options = parser.parse_args()
    figures = Figures(options.figures)
    began = time.perf_counter()
    graphs = shapes(options.jobs)
    whole, found = Coverage(graphs=0, whole=0), defaultdict[str, Coverage](lambda: Coverage(graphs=0, whole=0))
    with ProcessPoolExecutor(options.processes, initializer=quiet, max_tasks_per_child=20) as pool:
        for number, graph, result in _explored(pool, graphs, options):
            if isinstance(result, str):
                print(f"{FAMILIES[number].name}, {text_of(graph)}:\n{result}", flush=True)
                figures.record("model", states=whole.states, violations=1)
                return 1
            whole += result
            found[FAMILIES[number].name] += result
            print(f"{whole.states:>12,} states  {FAMILIES[number].name}, {text_of(graph)}: {result.text()}", flush=True)
    seconds = time.perf_counter() - began
    _report(graphs, whole, found, seconds)
    kinds = {"graphs": sum(graphs.values()), "shapes": len(graphs), "families": len(found)}
    figures.record("model", **kinds, states=whole.states, violations=0, seconds=round(seconds, 1))
    return 0


Explored = tuple[int, Graph, Coverage | str]
"""The number of a family, a graph, and what came of them."""


def _explored(pool: Executor, graphs: Iterable[Graph], options: argparse.Namespace) -> Iterator[Explored]:
    """Every family on every graph: none is left out because others have taken all states."""
    families = [number for number, one in enumerate(FAMILIES) if options.family in one.name]
    work = [(number, graph) for graph in graphs for number in families]
    small, large = ([one for one in work if (one[1][0] <= SMALL) is is_small] for is_small in (True, False))
    done = 0
    for pieces, states in ((small, options.states // 2 if large else options.states), (large, options.states)):
        for number, graph, result in _shared(pool, pieces, states - done, options.processes):
            done += result.states if isinstance(result, Coverage) else 0
            yield number, graph, result


def _shared(pool: Executor, work: Sequence[tuple[int, Graph]], states: int, processes: int) -> Iterator[Explored]:
    """Pieces of work that share so many states; what one does not need is for those after it.

    Two leaders get more: they need more to come as far, and their states take a fifth of the time.
    """
    shares = [SHARE_OF_TWO if FAMILIES[number].replicas > 1 else 1 for number, _ in work]
    waiting, running = deque(work), dict[Future[Coverage | str], tuple[int, Graph, int]]()
    while waiting or running:
        while waiting and len(running) < processes:
            share = shares[-len(waiting)]
            most = min(MOST, max(LEAST, states * share // sum(shares[-len(waiting) :])))
            number, graph = waiting.popleft()
            states -= most
            running[pool.submit(explore, number, graph, most)] = (number, graph, most)
        for task in wait(running, return_when=FIRST_COMPLETED).done:
            number, graph, most = running.pop(task)
            result = task.result()
            states += most - (result.states if isinstance(result, Coverage) else 0)
            yield number, graph, result


def _report(graphs: dict[Graph, int], whole: Coverage, found: dict[str, Coverage], seconds: float) -> None:
    print(f"\n{sum(graphs.values())} labelled graphs, which have {len(graphs)} shapes; {len(found)} families of faults")
    for name, coverage in [*found.items(), ("all", whole)]:
        print(f"{name:50} {coverage.text()}")
    print(
        "each of these was used so often:",
        ", ".join(f"{name} {count:,}" for name, count in sorted(whole.faults.items())),
    )
    print(f"0 violations, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
