"""The image of the Containerfile: what is in it, what it says of itself, and that it runs as its pod runs it."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.conftest import REVISION, VERSION, Image
from tests.plane.access import ROOT
from tests.plane.distribution import wheel
from tests.test_dependencies import locked, normal

COMPILED = """
import importlib.util, json, pathlib, sys
sources = [path for path in pathlib.Path("/opt/jobsmgr/lib").rglob("*.py")]
caches = [pathlib.Path(importlib.util.cache_from_source(path)) for path in sources]
flags = {cache.read_bytes()[4] if cache.exists() else str(cache) for cache in caches}
import jobsmgr.cli.operator.command
loaded = [module.__spec__ for name, module in sys.modules.items() if name.partition(".")[0] in ("jobsmgr", "kr8s")]
print(json.dumps({
    "sources": len(sources), "flags": list(flags),
    "not from a cache": [one.name for one in loaded if not one.cached or not pathlib.Path(one.cached).exists()],
}))
"""
UNCHECKED = 0b01
"""The flags of a compiled file that is never compared with its source (PEP 552)."""

INSTALLED = """
import importlib.metadata, json, platform
print(json.dumps({one.name: one.version for one in importlib.metadata.distributions()}))
"""

TEAM = """
from jobsmgr import Fragment, JobContext, hookimpl


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    return Fragment(labels={"team": "data"})
"""


def test_every_file_is_compiled_and_never_looked_at_again(image: Image) -> None:
    """Nothing can be compiled later: the root file system is read-only."""
    found = image.python(COMPILED)
    assert found["sources"] > 500
    assert found["flags"] == [UNCHECKED]
    assert found["not from a cache"] == []


def test_it_has_what_is_locked_and_nothing_else(image: Image) -> None:
    """Neither pip nor what the image was built with."""
    pinned = locked("requirements.operator.lock")
    found = {normal(name): version for name, version in image.python(INSTALLED).items()}
    assert found.pop("jobsmgr")
    assert {name: version for name, version in found.items() if pinned.get(name) != version} == {}
    assert {"kr8s", "pluggy", "click"} <= found.keys()


def test_it_says_what_it_is_and_runs_as_nobody(image: Image) -> None:
    """A numeric user, for `runAsNonRoot`; no shell before the program, so that signals reach it."""
    configuration = image.configuration()
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", configuration["User"])
    assert configuration["Entrypoint"] == ["jobsmgr"]
    assert configuration["Cmd"] == ["operator"]
    prefix = "org.opencontainers.image."
    labels = {key.removeprefix(prefix): value for key, value in configuration["Labels"].items() if prefix in key}
    assert labels.keys() >= {"title", "description", "licenses"}
    assert (labels["version"], labels["revision"]) == (VERSION, REVISION)


def test_its_commands_work_without_a_right_to_anything(image: Image) -> None:
    """No file to write, no capability, no network; and an error is one sentence there too."""
    shown = image.run("version")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0] == f"jobsmgr {VERSION}"
    wrong = image.run("operator", "--workers", "none")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Traceback" not in wrong.stderr
    alone = image.run()
    assert alone.returncode == 1
    assert "no cluster is configured" in alone.stderr


def test_what_is_locked_is_there_for_the_other_processor_too(tmp_path: Path) -> None:
    """As wheels with a locked hash, for the Python of the default base: such an image needs no compiler."""
    machine = "x86_64" if platform.machine() == "aarch64" else "aarch64"
    (version,) = re.findall(r"^ARG BASE=\S+:([\d.]+)-slim$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    platforms = [f"--platform={name}_{machine}" for name in ("manylinux2014", "manylinux_2_28")]
    options = ("--dry-run", "--ignore-installed", "--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet")
    target = (*platforms, f"--python-version={version}", "--implementation=cp", f"--target={tmp_path}")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        *target,
        "-r",
        str(ROOT / "requirements.operator.lock"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def plugin(folder: Path, *needs: str, version: str = "1.0") -> Path:
    """A wheel with one plugin. Its name is in the key of podman's cache, its content is not."""
    folder.mkdir()
    return wheel(folder, "jobsmgr_team", version, {"jobsmgr_team.py": TEAM}, {"team": "jobsmgr_team"}, *needs)


def with_plugins(folder: Path, plugins: str) -> tuple[str, ...]:
    """The options of a build with plugins that are files of a folder."""
    return ("--target=with-plugins", f"--volume={folder}:/wheels:ro", f"--build-arg=PLUGINS={plugins}")


def test_a_second_target_has_plugins(image: Image, tmp_path: Path) -> None:
    """Installed beside what is locked, loaded, compiled; all else is as it was."""
    tag = "localhost/jobsmgr:team"
    made = plugin(tmp_path / "wheels", "jobsmgr", "PyYAML")
    built = image.build(tag, *with_plugins(made.parent, f"/wheels/{made.name}"))
    assert built.returncode == 0, built.stderr[-3000:]
    shown = image.run("plugins", image=tag)
    assert re.search(r"^team +jobsmgr_team 1\.0 +jobsmgr_pod_fragment$", shown.stdout, re.MULTILINE), shown.stdout
    assert image.python(COMPILED, image=tag)["flags"] == [UNCHECKED]
    ours, theirs = (image.python(INSTALLED, image=one) for one in ("localhost/jobsmgr:tested", tag))
    assert theirs == ours | {"jobsmgr_team": "1.0"}
    assert image.configuration(tag)["Entrypoint"] == image.configuration()["Entrypoint"]


@pytest.mark.parametrize(
    ("needs", "plugins", "complaint"),
    [
        (("pluggy<1",), "/wheels/jobsmgr_team-2.0-py3-none-any.whl", "pluggy"),
        ((), "", "PLUGINS: names no plugin"),
    ],
    ids=["another-version", "none"],
)
def test_plugins_that_do_not_fit_are_refused(
    image: Image, tmp_path: Path, needs: tuple[str, ...], plugins: str, complaint: str
) -> None:
    """The build fails, and says why."""
    folder = plugin(tmp_path / "wheels", *needs, version="2.0").parent
    built = image.build("localhost/jobsmgr:refused", *with_plugins(folder, plugins))
    assert built.returncode != 0
    assert complaint in built.stdout + built.stderr
