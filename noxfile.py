"""How the project is checked and tried: `pip install nox && nox`. What a session needs, it installs by itself."""

import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "imports", "tests", "node", "image", "release"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

LOCK = ("-c", "requirements.lock")


def _side_by_side(count: int) -> tuple[str, ...]:
    return ("-n", os.environ.get("JOBSMGR_TEST_WORKERS", str(count)), "--dist", "worksteal")


SIDE_BY_SIDE = _side_by_side(4)
PURE = ("api", "core", "files", "plugins", "loading", "engine", "views")
"""Rooms whose tests need no control plane."""
LEFT_OUT = tuple(f"--ignore=tests/{name}" for name in ("node", "image", "release", "frozen"))
"""Those have a session of their own."""
SWEEPS = tuple(f"tests/e2e/test_{name}.py" for name in ("crash_sweep", "misoperation", "watch_faults", "write_faults"))
"""Tests that a full run has more of."""
PROJECT = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str, project: bool = True) -> None:
    """The project and dependency groups at the locked versions."""
    packages = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    session.install(*LOCK, *packages, *(("-e", ".") if project else ()))


def _install_with_plane(session: nox.Session) -> None:
    """What tests on a control plane need; the plane's binary is built before they start, not by the first of them."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs", "plane")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format; the workflows of CI; what the next version changes."""
    _install(session, "lint", "workshop", project=False)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("zizmor", "--offline", "--quiet", "--persona=pedantic", ".github")
    session.run("pre-commit", "validate-config")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)


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
    """All tests but those with a session of their own, on a real control plane. Arguments after -- go to pytest."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs")
    # One more than elsewhere: tests that wait and tests that compute take turns in the whole suite.
    session.run("pytest", *(session.posargs or [*_side_by_side(5), *LEFT_OUT]))


@nox.session
def node(session: nox.Session) -> None:
    """The tests on a real node, skipped where there can be none. Arguments after -- go to pytest."""
    _install_with_plane(session)
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
    _install_with_plane(session)
    session.run("python", "-m", "tests.mutants.run", *session.posargs)


@nox.session
def model(session: nox.Session) -> None:
    """The model check in full: 10 million states; arguments after -- go to it (`--states`, `--processes`)."""
    _install(session, "test")
    session.run("python", "-m", "tests.model", *session.posargs)


@nox.session
def sweeps(session: nox.Session) -> None:
    """Crash sweep, misoperation and slow fault tests, over all there is; arguments after -- go to pytest."""
    _install_with_plane(session)
    session.run("pytest", "--full", *SIDE_BY_SIDE, *SWEEPS, *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Operators under faults and kills, for `-- --minutes 60` or as long as you like; shows whether memory grows."""
    _install_with_plane(session)
    session.run("python", "-m", "tests.reliability.soak", *session.posargs)


@nox.session
def scale(session: nox.Session) -> None:
    """100,000 workflows in a month of a virtual clock; `-- --workflows 1000 --days 3` for fewer."""
    _install(session, "test")
    session.run("python", "-m", "tests.reliability.scale", *session.posargs)


@nox.session
def stress(session: nox.Session) -> None:
    """The end-to-end tests 20 times while all cores are busy with something else; `-- --rounds 5 PATH` for less."""
    _install(session, "test")
    session.run("python", "-m", "tests.programs")
    session.run("python", "-m", "tests.reliability.stress", *session.posargs)


@nox.session(name="reliability-full")
def reliability_full(session: nox.Session) -> None:
    """All that looks for faults beside the tests, for hours, and its report in docs/; failures do not end it."""
    _install_with_plane(session)
    kept = ("--figures", session.create_tmp())
    parts = (
        ("python", "-m", "tests.model", *kept),
        ("pytest", "--full", *SIDE_BY_SIDE, *SWEEPS, *kept),
        ("python", "-m", "tests.mutants.run", *kept),
        ("python", "-m", "benchmarks.failover", *kept),
        ("python", "-m", "benchmarks.poisoned", *kept),
        ("python", "-m", "tests.reliability.scale", *kept),
        ("python", "-m", "tests.reliability.stress", *kept),
        ("python", "-m", "tests.reliability.soak", "--minutes", "30", *kept, *session.posargs),
    )
    for part in parts:
        session.run(*part, success_codes=range(256))  # what it has found is in the report
    session.run("python", "-m", "tests.reliability.report", kept[1])


@nox.session
def plane(session: nox.Session) -> None:
    """Build the control plane for tests into the user's cache folder, once."""
    _install_with_plane(session)


@nox.session
def playground(session: nox.Session) -> None:
    """A control plane, pods that end by themselves, and the operator, until Ctrl-C; `-- --node` has a real node."""
    _install(session, "test")
    # After Ctrl-C, nox would kill what it runs within half a second: long before everything is deleted.
    session.run("python", "-m", "tests.plane.playground", *session.posargs, interrupt_timeout=60)


@nox.session
def manifests(session: nox.Session) -> None:
    """Write manifests/ from the models and from what the operator needs."""
    _install(session)
    session.run("python", "-m", "manifests.generate")


@nox.session
def pictures(session: nox.Session) -> None:
    """Draw the pictures of README and docs anew, by the program itself; those of a cluster on a real node."""
    _install_with_plane(session)
    session.run("python", "-m", "tests.cli.pictures")
    session.run("python", "-m", "tests.node.pictures")


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks: two arms in one run, times as a report."""
    _install_with_plane(session)
    for script in sorted(Path("benchmarks").glob("[!_]*.py")):
        session.run("python", "-m", f"benchmarks.{script.stem}", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Build the operator's image and run it, skipped where there is no podman. Arguments after -- go to pytest."""
    _install_with_plane(session)
    session.run("pytest", "tests/image", *session.posargs)


@nox.session
def release(session: nox.Session) -> None:
    """Build what a release consists of into dist/, and try it. The version is that of the newest tag."""
    _install(session, "release", "build", "test")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", silent=True)  # the wheel, of the source archive
    fresh = Path(session.create_tmp()).resolve() / "fresh"
    session.run("python", "-m", "venv", "--clear", str(fresh))
    python = str(fresh / "bin" / "python")
    (wheel,) = Path("dist").glob("*.whl")
    installed = ("pip", "--python", python, "install", "--quiet")
    session.run(*installed, "--require-hashes", "--no-deps", "-r", "requirements.operator.lock")
    session.run(*installed, "--no-deps", "--no-index", str(wheel))
    session.run("pip", "--python", python, "uninstall", "--quiet", "--yes", "pip", "setuptools")
    session.run("cyclonedx-py", "environment", "--pyproject", "pyproject.toml", "-o", "dist/sbom.cdx.json", python)
    image = os.environ.get("JOBSMGR_RELEASE_IMAGE", "jobsmgr")
    printed = (str(fresh / "bin" / "jobsmgr"), "manifests", "--image", f"{image}:{wheel.name.split('-')[1]}")
    Path("dist/install.yaml").write_text(str(session.run(*printed, silent=True, external=True)))
    helm = str(session.run("python", "-m", "tests.programs", "helm", silent=True)).split()[-1]
    session.run("python", "-m", "release.chart", helm, "dist", image)
    session.run("python", "-m", "release", "dist")
    session.run("pytest", "tests/release", *session.posargs, env={"JOBSMGR_FRESH": str(fresh), "JOBSMGR_HELM": helm})


@nox.session
def frozen(session: nox.Session) -> None:
    """Build a binary that needs no Python into dist/, with krew's description. Prepared: no release has it."""
    session.install(*LOCK, *nox.project.dependency_groups(PROJECT, "frozen", "test"), ".")
    work, dist = Path(session.create_tmp()).resolve(), Path("dist")
    dist.mkdir(exist_ok=True)
    for old in dist.glob("kubectl-managedjob-*"):
        old.unlink()
    contents = ("--collect-submodules=jobsmgr", "--collect-data=jobsmgr", "--recursive-copy-metadata=jobsmgr")
    places = tuple(f"--{name}path={work / name}" for name in ("dist", "work", "spec"))
    options = ("--onefile", "--noconfirm", "--log-level=ERROR", "--name=kubectl-managedjob")
    session.run("pyinstaller", *options, *contents, *places, "release/frozen.py")
    ask = "import importlib.metadata; print(importlib.metadata.version('jobsmgr'))"
    version = str(session.run("python", "-c", ask, silent=True)).strip()
    session.run("python", "-m", "release.krew", str(work / "dist" / "kubectl-managedjob"), "dist", version)
    session.run("pytest", "tests/frozen", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Renew requirements.lock, and from it the locks with hashes: what an image has, and what it is built with."""
    session.install("uv")
    groups = [part for group in PROJECT["dependency-groups"] for part in ("--group", group)]
    compiled = ("uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-header")
    session.run(*compiled, "pyproject.toml", *groups, "-o", "requirements.lock", "--upgrade")
    hashed = (*compiled, "--generate-hashes", "--no-annotate", "--upgrade", "-c", "requirements.lock")
    session.run(*hashed, "pyproject.toml", "-o", "requirements.operator.lock")
    session.run(*hashed, "--group", "build", "-o", "requirements.build.lock")
