"""One seeded defect: where it is, what it replaces, and which test has to notice it. Nothing is run here."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Mutant:
    """A defect that somebody could write by mistake, in place of a text that its file has exactly once."""

    defect: str
    """What the program does then, in one sentence."""
    file: str
    """Below `jobsmgr/`."""
    old: str
    new: str
    killed_by: str
    """The test that fails then, as pytest names it, below `tests/`."""

    @property
    def path(self) -> str:
        """The file, from the repository's root."""
        return f"jobsmgr/{self.file}"

    @property
    def test(self) -> str:
        """The test, from the repository's root."""
        return f"tests/{self.killed_by}"

    def applied(self, text: str) -> str:
        """The file's text with the defect.

        Raises:
            ValueError: the text to be replaced is not there exactly once: the code has changed, and this has to follow.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.path} has the text to be replaced {count} times, not once:\n{self.old}")
        return text.replace(self.old, self.new)

    def faults(self) -> Iterator[str]:
        """What is wrong with the mutant itself, so that it could show nothing."""
        try:
            mutated = self.applied((ROOT / self.path).read_text())
            if ast.dump(ast.parse(mutated)) == _dumped(self.path):
                yield "it changes nothing"
        except (OSError, ValueError, SyntaxError) as error:
            yield str(error)
        file, *path = self.test.partition("[")[0].split("::")
        if "::".join(path) not in known_tests(file):
            yield f"the test {self.test} does not exist"


@cache
def _dumped(file: str) -> str:
    return ast.dump(ast.parse((ROOT / file).read_text()))


@cache
def known_tests(file: str) -> frozenset[str]:
    """The tests that a file has, each with its class where it is in one."""
    if not (ROOT / file).is_file():
        return frozenset()
    found: set[str] = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        functions = (one for one in inner if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
        found.update(prefix + one.name for one in functions if one.name.startswith("test_"))
    return frozenset(found)
