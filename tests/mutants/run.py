"""Seed each defect into a copy of the tree, and see that the test which is named beside it fails.

`python -m tests.mutants.run [WORD...]` runs those whose sentence has one of the words. The tree itself stays as it is.
"""

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import attrs

from tests.figures import OPTION, Figures
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT, Mutant

COPIED = ("jobsmgr", "tests", "manifests", "examples", "docs", "pyproject.toml", "README.md")
LONGEST = 300
"""Seconds that a test may take: a defect that makes it wait for ever has not been noticed."""
FAILED = 1
"""Pytest's exit code when tests ran and failed; others say that they could not run at all."""


@attrs.frozen
class Result:
    """What came of a mutant; no complaint means that it was killed."""

    mutant: Mutant
    complaint: str
    seconds: float


def main(words: list[str], folder_of_figures: str | None = None) -> int:
    """Run the mutants and print what came of each; 1 if one was not killed."""
    began = time.monotonic()
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.defect for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [_copied(Path(folder) / str(number)) for number in range(os.cpu_count() or 1)]
        if broken := _failing(trees[0], {mutant.test for mutant in chosen}):
            print(f"these fail without any defect, so that they show nothing:\n{broken}")
            return 1
        results = []
        for result in _results(chosen, trees):
            results.append(result)
            print(f"{'killed' if not result.complaint else 'ALIVE '} {result.seconds:5.1f} s  {result.mutant.defect}")
    alive = [result for result in results if result.complaint]
    Figures(folder_of_figures).record(
        "mutants",
        seeded=len(results),
        killed=len(results) - len(alive),
        violations=len(alive),
        seconds=round(time.monotonic() - began, 1),
    )
    for result in alive:
        print(f"\n{result.mutant.defect}: {result.complaint}\n  {result.mutant.path}, {result.mutant.test}")
    print(f"\n{len(results) - len(alive)} of {len(results)} mutants killed")
    return 1 if alive else 0


def _copied(tree: Path) -> Path:
    """A copy of what tests need; a mutant is written into it, never into the tree itself."""
    for name in COPIED:
        source, target = ROOT / name, tree / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    # By hash, not by time: a defect that comes and goes within a second must not be passed by.
    compileall.compile_dir(tree, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return tree


def _failing(tree: Path, tests: Iterable[str]) -> str:
    """The end of what pytest says of these tests, where not all of them pass."""
    code, output = _tested(tree, *sorted(tests))
    return "" if code == 0 else output


def _results(mutants: Iterable[Mutant], trees: Iterable[Path]) -> Iterator[Result]:
    """What comes of each, as many side by side as there are trees."""
    free: SimpleQueue[Path] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def run(mutant: Mutant) -> Result:
        tree, began = free.get(), time.monotonic()
        try:
            return Result(mutant, _complaint(mutant, tree), time.monotonic() - began)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(free.qsize()) as pool:
        yield from pool.map(run, mutants)


def _complaint(mutant: Mutant, tree: Path) -> str:
    """Why a mutant does not count as killed; empty if its test fails with it."""
    file = tree / mutant.path
    text = file.read_text()
    try:
        file.write_text(mutant.applied(text))
        code, output = _tested(tree, mutant.test)
    except (ValueError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        file.write_text(text)
    if code == FAILED:
        return ""
    return "nothing notices it: a test is missing" if code == 0 else f"its test could not run:\n{output}"


def _tested(tree: Path, *tests: str) -> tuple[int, str]:
    """Pytest's exit code, and the end of what it says.

    Raises:
        TimeoutExpired: it has not ended.
    """
    # PYTHONPATH counts before what is installed: operators that tests start are of the copy too.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    return done.returncode, done.stdout[-3000:] + done.stderr[-1000:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument(OPTION)
    options = parser.parse_args()
    sys.exit(main(options.words, options.figures))
