"""What the code imports is declared, and what is declared is locked: the environments that nox makes are complete."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
RUN_TIME: list[str] = PROJECT["project"]["dependencies"]
OWN = {"jobsmgr", "tests", "benchmarks", "manifests", "release"}


def locked(name: str) -> dict[str, str]:
    """The versions in a lock file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


LOCKED = locked("requirements.lock")


def names(requirements: Iterable[str]) -> set[str]:
    """The distributions of requirements, in the form that PyPI compares."""
    return {normal(re.split(r"[^\w.-]", one)[0]) for one in requirements}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """Each file and the top of a module from elsewhere that it imports."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {module.partition(".")[0] for module in modules} - OWN - set(sys.stdlib_module_names):
                yield str(file.relative_to(ROOT)), top


@pytest.mark.parametrize(
    ("folder", "declared"),
    [
        ("jobsmgr", names(RUN_TIME)),
        ("manifests", names(RUN_TIME)),
        ("release", names(RUN_TIME)),
        ("tests", names([*RUN_TIME, *GROUPS["test"]])),
        ("benchmarks", names([*RUN_TIME, *GROUPS["test"]])),
    ],
    ids=["jobsmgr", "manifests", "release", "tests", "benchmarks"],
)
def test_every_import_is_declared(folder: str, declared: set[str]) -> None:
    """And not only there because something else needs it, which may change with any release."""
    known = packages_distributions()
    found = list(imported(folder))
    undeclared = [
        f"{file} imports {module}"
        for file, module in found
        if not {normal(name) for name in known.get(module, [module])} & declared
    ]
    assert undeclared == []
    assert found or folder == "manifests"  # which imports nothing but our own


def test_everything_declared_is_locked_at_a_version_that_will_do() -> None:
    """Else `nox -s lock` is due."""
    unmet = []
    for requirement in [*RUN_TIME, *(one for group in GROUPS.values() for one in group)]:
        name, *bounds = re.findall(r"^[\w-]+|[<>]=?[\d.]+", requirement)
        version = LOCKED.get(normal(name))
        if version is None or not all(meets(version, bound) for bound in bounds):
            unmet.append(f"{requirement} is locked at {version}")
    assert unmet == []


@pytest.mark.parametrize(
    ("name", "requirements"),
    [("requirements.operator.lock", RUN_TIME), ("requirements.build.lock", PROJECT["build-system"]["requires"])],
)
def test_an_image_has_what_the_tests_have(name: str, requirements: list[str]) -> None:
    """The lock files with hashes hold parts of the one without, and all that is required: else `nox -s lock` is due."""
    hashed = locked(name)
    assert {one: version for one, version in hashed.items() if LOCKED.get(one) != version} == {}
    assert names(requirements) <= hashed.keys()
    assert GROUPS["build"] == PROJECT["build-system"]["requires"]


def test_hooks_before_a_commit_check_what_ci_checks() -> None:
    """With the same versions of the same programs."""
    hooks = re.findall(r"additional_dependencies: \[(\S+)==(\S+)\]", (ROOT / ".pre-commit-config.yaml").read_text())
    assert {name for name, _ in hooks} == {"ruff", "zizmor"}
    assert {(name, version) for name, version in hooks if LOCKED[name] != version} == set()


def meets(version: str, bound: str) -> bool:
    """Whether a version is within one bound: `>=1.2` or `<2`."""
    sign, limit = re.findall(r"[<>]=?|[\d.]+", bound)
    mine, theirs = (tuple(int(part) for part in re.findall(r"\d+", text)) for text in (version, limit))
    return {">=": mine >= theirs, "<": mine < theirs}[sign]
