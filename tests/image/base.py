"""A base image made of Debian's packages, once, into the user's cache folder: no registry of images is asked.

Imports nothing of jobsmgr and runs no container.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.plane.cache import cache_folder, locked
from tests.programs.building import say

VARIABLE = "JOBSMGR_BASE"
"""The environment variable that names a base image to use in place of this one."""

_SUITE = "bookworm"
_RECIPE = ("--variant=minbase", "--include=python3,python3-venv,ca-certificates", _SUITE)
_LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "dev")


class NoBase(Exception):
    """This machine cannot make one; the message is one sentence that says what it lacks."""


def base_archive() -> Path:
    """Give the base image's files as a tar, made first if no earlier run has: about a minute.

    Raises:
        NoBase: there is no debootstrap, this is not root, or it failed.
    """
    target = cache_folder("base") / _key() / "base.tar"
    if target.exists():
        return target
    for complaint in _lacks():
        raise NoBase(complaint)
    with locked(target.parent, lambda: say("base", "another process is making the base image; waiting for it")):
        if not target.exists():
            _make(target)
    return target


def _key() -> str:
    """Name a base by its recipe and the machine's kind."""
    return hashlib.sha256("\0".join([*_RECIPE, *_LEFT_OUT, platform.machine()]).encode()).hexdigest()[:16]


def _lacks() -> list[str]:
    found = shutil.which("debootstrap", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    return [
        *([] if found else ["debootstrap is not installed (apt-get install debootstrap)"]),
        *([] if os.geteuid() == 0 else ["debootstrap needs root"]),
    ]


def _make(target: Path) -> None:
    say("base", f"making a base image of Debian {_SUITE} with Python; once, about a minute")
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / "root"
        command = ["debootstrap", *_RECIPE, str(root)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            lines = (made.stdout + made.stderr).strip().splitlines() or [f"exit code {made.returncode}"]
            raise NoBase(f"debootstrap failed: {lines[-1]}")
        archive = Path(scratch) / "base.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(root, ".", filter=_kept)
        archive.replace(target)


def _kept(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What no container needs is left out; a folder itself stays."""
    name = info.name.removeprefix("./")
    return None if any(name.startswith(f"{folder}/") for folder in _LEFT_OUT) else info


def main() -> int:
    """Make it if needed and print its path; 1 after a one-sentence error."""
    try:
        print(base_archive())
    except NoBase as error:
        say("base", str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
