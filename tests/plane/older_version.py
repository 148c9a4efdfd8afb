"""The last released version of jobsmgr in an environment of its own, to run beside this one.

Which one that is, git says: the newest tag before this commit. Nothing of jobsmgr is imported here.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import attrs

from tests.plane.access import ROOT
from tests.plane.cache import cache_folder, locked

VARIABLE = "JOBSMGR_OLDER"
"""The environment variable that names a commit to take in place of the newest tag."""


class NoOlder(Exception):
    """There is none; the message is one sentence that says why."""


@attrs.frozen
class OlderVersion:
    """An installed version and the source that it was installed from."""

    commit: str
    folder: Path

    @property
    def program(self) -> tuple[str, ...]:
        """Its operator's command."""
        return (str(self.folder / "environment" / "bin" / "jobsmgr"), "operator")

    @property
    def crd(self) -> Path:
        """The file with its CRD."""
        return self.folder / "source" / "manifests" / "crd" / "managedjobs.yaml"


def older_version() -> OlderVersion:
    """Give the last tagged version, installing it into the user's cache folder if no earlier run has.

    Raises:
        NoOlder: there is no tag and no commit is named, or this is no clone.
    """
    commit = _git("rev-parse", "--verify", f"{os.environ.get(VARIABLE) or _last_tag()}^{{commit}}").decode().strip()
    version = ".".join(map(str, sys.version_info[:2]))
    older = OlderVersion(commit, cache_folder("older") / f"{commit[:16]}-{version}")
    with locked(older.folder, lambda: None):
        whole = older.folder / "whole"
        if not whole.exists():
            _install(older)
            whole.touch()
    return older


def _last_tag() -> str:
    """Before this commit: at a release, it is the one that is upgraded from."""
    try:
        return _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^").decode().strip()
    except NoOlder:
        raise NoOlder(f"no version has been tagged yet; {VARIABLE} can name a commit") from None


def _install(older: OlderVersion) -> None:
    """With the libraries that it was tested with; what an earlier try has left is replaced."""
    source, environment = older.folder / "source", older.folder / "environment"
    for part in (source, environment):
        shutil.rmtree(part, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(_git("archive", older.commit))) as archive:
        archive.extractall(source, filter="data")
    _run(sys.executable, "-m", "venv", str(environment))
    _run(str(environment / "bin" / "pip"), "install", "--quiet", "-c", str(source / "requirements.lock"), str(source))


def _run(*command: str) -> None:
    # An archive has no history to take a version from, and only what was tagged knows its own.
    named = {"SETUPTOOLS_SCM_PRETEND_VERSION": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=named | os.environ)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} fails: {done.stderr}")


def _git(*words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise NoOlder("git is not installed") from None
    if done.returncode:
        raise NoOlder(f"git {words[0]} fails: {done.stderr.decode().strip()}")
    return done.stdout
