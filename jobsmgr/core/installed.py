"""Plugins of other distributions, found through the entry-point group `jobsmgr`. None is imported here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "jobsmgr"
_HEADING = f"[{GROUP}]".encode()
_INFO = (".dist-info", ".egg-info", "EGG-INFO")


def installed_plugins() -> list[EntryPoint]:
    """The entry points of the group, sorted by name."""
    if not _worth_asking():
        return []
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _worth_asking() -> bool:
    """Whether any distribution names the group.

    `importlib.metadata` takes longer to import than all built-in plugins, and most users have no other. It is asked
    whenever there might be an answer: also where only it can look, in archives and through finders of others.
    """
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return True
    folders = [Path(entry) for entry in dict.fromkeys(sys.path)]
    if any(folder.is_file() for folder in folders):
        return True
    return any(_HEADING in text for folder in folders for text in _declared(folder))


def _declared(folder: Path) -> Iterator[bytes]:
    """What the distributions in a folder say of their entry points."""
    try:
        infos = [path for path in folder.iterdir() if path.name.endswith(_INFO)]
    except OSError:
        return
    for info in infos:
        try:
            yield (info / "entry_points.txt").read_bytes()
        except OSError:
            continue  # most have none
