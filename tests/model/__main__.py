"""The whole model check: every family on every graph of up to four jobs, until so many states have been looked at.

python -m tests.model --states 10000000 --processes 2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.figures import OPTION, Figures
from tests.model.explore import Coverage
from tests.model.families import FAMILIES, explore
from tests.model.graphs import Graph, shapes, text_of
from tests.quiet import quiet

MOST = 400_000
"""States of one family on one graph at most: they are all kept in memory."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=10_000_000, help="stop when so many states have been looked at")
    parser.add_argument("--jobs", type=int, default=4, help="jobs of the largest graphs")
    parser.add_argument("--most", type=int, default=MOST, help="states of one family on one graph at most")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--family", default="", help="only families whose name has this in it")
    parser.add_argument(OPTION)
    options = parser.parse_args()
    figures = Figures(options.figures)
    began = time.perf_counter()
    graphs = shapes(options.jobs)
    work = [(number, graph) for graph in graphs for number, one in enumerate(FAMILIES) if options.family in one.name]
    whole, found = Coverage(graphs=0, whole=0), defaultdict[str, Coverage](lambda: Coverage(graphs=0, whole=0))
    with ProcessPoolExecutor(options.processes, initializer=quiet, max_tasks_per_child=20) as pool:
        tasks = {pool.submit(explore, number, graph, options.most): (number, graph) for number, graph in work}
        for task in as_completed(tasks):
            number, graph = tasks[task]
            if task.cancelled():
                continue
            result = task.result()
            if isinstance(result, str):
                print(f"{FAMILIES[number].name}, {text_of(graph)}:\n{result}", flush=True)
                pool.shutdown(cancel_futures=True)
                figures.record("model", states=whole.states, violations=1)
                return 1
            whole += result
            found[FAMILIES[number].name] += result
            print(f"{whole.states:>12,} states  {FAMILIES[number].name}, {text_of(graph)}: {result.text()}", flush=True)
            if whole.states >= options.states:
                for other in tasks:
                    other.cancel()
    seconds = time.perf_counter() - began
    _report(graphs, whole, found, seconds)
    kinds = {"graphs": sum(graphs.values()), "shapes": len(graphs), "families": len(found)}
    figures.record("model", **kinds, states=whole.states, violations=0, seconds=round(seconds, 1))
    return 0


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
