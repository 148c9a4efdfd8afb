"""A real Python distribution, made and installed by a test: a wheel, put into a folder of its own by pip.

Imports nothing of jobsmgr.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path


def wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str], entry_points: Mapping[str, str], *needs: str
) -> Path:
    """Build a wheel.

    Args:
        folder: where it goes.
        name: the distribution's, as a wheel's file name has it (`jobsmgr_team`).
        version: its version.
        files: its modules, text by path.
        entry_points: those of the group `jobsmgr`, `module:object` or a module by name.
        needs: the requirements that it names.
    """
    built = folder / f"{name}-{version}-py3-none-any.whl"
    points = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
    required = "".join(f"Requires-Dist: {one}\n" for one in needs)
    information = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": f"[jobsmgr]\n{points}",
    }
    members = {**files, **{f"{name}-{version}.dist-info/{path}": text for path, text in information.items()}}
    record = "".join(f"{path},,\n" for path in members)
    with zipfile.ZipFile(built, "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)
        archive.writestr(f"{name}-{version}.dist-info/RECORD", record)
    return built


_INSTALLED: dict[tuple[object, ...], Path] = {}
"""What pip has installed for this process, by content: it takes a second for each, and tests ask for the same again."""


def install(
    folder: Path, name: str, version: str, files: Mapping[str, str], entry_points: Mapping[str, str]
) -> dict[str, str]:
    """Build a wheel, install it under `folder`, and give the environment in which a Python process finds it.

    Arguments as for `wheel`.
    """
    target = folder / f"installed-{name}"
    content = (name, version, (*files.items(),), (*entry_points.items(),))
    if content in _INSTALLED:
        shutil.copytree(_INSTALLED[content], target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        _pip_install(wheel(folder, name, version, files, entry_points), target)
        _INSTALLED[content] = target
    found = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(found)}


def _pip_install(built: Path, target: Path) -> None:
    options = ("--quiet", "--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(built)], check=True)
