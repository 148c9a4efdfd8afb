"""How the project is checked and tried: `pip install nox && nox`. What a session needs, it installs by itself."""

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "imports", "tests", "node"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

LOCK = ("-c", "requirements.lock")
SIDE_BY_SIDE = ("-n", os.environ.get("JOBSMGR_TEST_WORKERS", "4"), "--dist", "worksteal")
PURE = ("api", "core", "files", "plugins", "loading", "engine", "views")
"""Rooms whose tests need no control plane."""
PROJECT = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str, project: bool = True) -> None:
    """The project and dependency groups at the locked versions."""
    packages = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install(*LOCK, *packages, *(("-e", ".") if project else ()))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install(*LOCK, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over it all, tests too; pyright, as strict, over what plugin authors import and their examples."""
    _install(session, "types", "test")
    session.run("mypy")
    session.run("pytest", "tests/test_plugins_typed.py")


@nox.session
def imports(session: nox.Session) -> None:
    """The arrows between the rooms."""
    _install(session, "lint")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but those of `node`, on a real control plane. Arguments after -- go to pytest."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs")
    session.run("pytest", *(session.posargs or [*SIDE_BY_SIDE, "--ignore", "tests/node"]))


@nox.session
def node(session: nox.Session) -> None:
    """The tests on a real node, skipped where there can be none. Arguments after -- go to pytest."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs", "plane")
    session.run("pytest", "tests/node", *(session.posargs or SIDE_BY_SIDE))


@nox.session(python=["3.12", "3.13"])
def pure(session: nox.Session) -> None:
    """The tests that need no control plane, on other Pythons."""
    _install(session, "test")
    session.run("pytest", "-n", "2", *(f"tests/{room}" for room in PURE))


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage of the rooms whose tests need no control plane, by these tests.

    Processes that tests start are left out: a line that only the program itself runs is shown as never run.
    """
    _install(session, "test", "coverage")
    session.run("coverage", "run", "-m", "pytest", "-q", *(f"tests/{room}" for room in PURE))
    rooms = ",".join(f"jobsmgr/{room}/*" for room in PURE)
    session.run("coverage", "report", "--include", rooms, *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Seed each defect of tests/mutants, and see that its test fails; words after -- choose among them."""
    _install(session, "test")
    session.run("python", "-m", "tests.plane.build")
    session.run("python", "-m", "tests.mutants.run", *session.posargs)


@nox.session
def plane(session: nox.Session) -> None:
    """Build the control plane for tests into the user's cache folder, once."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs", "plane")


@nox.session
def playground(session: nox.Session) -> None:
    """A control plane, pods that end by themselves, and the operator, until Ctrl-C; `-- --node` has a real node."""
    _install(session, "test")
    session.run("python", "-m", "tests.plane.playground", *session.posargs)


@nox.session
def manifests(session: nox.Session) -> None:
    """Write manifests/ from the models and from what the operator needs."""
    _install(session)
    session.run("python", "-m", "manifests.generate")


@nox.session
def pictures(session: nox.Session) -> None:
    """Draw the pictures of README and docs anew, by the program itself."""
    _install(session, "test")
    session.run("python", "-m", "tests.cli.pictures")


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks: two arms in one run, times as a report."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs", "plane")
    for script in sorted(Path("benchmarks").glob("[!_]*.py")):
        session.run("python", "-m", f"benchmarks.{script.stem}", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Renew requirements.lock."""
    session.install("uv")
    groups = [part for group in PROJECT["dependency-groups"] for part in ("--group", group)]
    target = ("--universal", "--python-version", "3.11", "--no-header", "-o", "requirements.lock")
    session.run("uv", "pip", "compile", "pyproject.toml", *groups, *target, "--upgrade")
