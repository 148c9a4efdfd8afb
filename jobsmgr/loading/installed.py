"""Plugins of other distributions, found through the entry-point group `jobsmgr`. None is imported here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "jobsmgr"
_HEADING = f"[{ENTRY_POINT_GROUP}]".encode()
_INFO = (".dist-info", ".egg-info", "EGG-INFO")


def installed_plugins() -> list[EntryPoint]:
    """The entry points of the group, sorted by name."""
    if not _may_have_any():
        return []
    from importlib.metadata import entry_points

    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)


def _may_have_any() -> bool:
    """Whether any distribution may name the group.

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
    """The declared entry points of each distribution in a folder."""
    try:
        infos = [path for path in folder.iterdir() if path.name.endswith(_INFO)]
    except OSError:
        return
    for info in infos:
        try:
            yield (info / "entry_points.txt").read_bytes()
        except OSError:
            continue  # most have none
