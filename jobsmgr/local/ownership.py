"""Who owns the files of a volume: the kubelet's rule for a pod's `fsGroup`. What a volume holds is not known here.

As a program (`python -m jobsmgr.local.ownership PLACE GROUP MODE POLICY`) it does the same where only another user
namespace may give files away: a rootless podman's.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

ON_ROOT_MISMATCH = "OnRootMismatch"
"""The `fsGroupChangePolicy` that leaves a volume alone whose root has been given to the group already."""
_OTHERS = 0o007


class Access(Enum):
    """What the group may do with the files, as bits of their mode."""

    READ = 0o440
    WRITE = 0o660

    @property
    def of_folders(self) -> int:
        """The same for folders: they can be entered, and what is made in them is the group's too."""
        return self.value | 0o110 | stat.S_ISGID


def give(place: Path, group: int, access: Access, policy: str = "") -> None:
    """Give a volume to a group, with all that is in it, as `SetVolumeOwnership` of Kubernetes does.

    Links keep their mode. Raises PermissionError where this user may not.
    """
    if policy == ON_ROOT_MISMATCH and _is_given(place, group, access):
        return
    for path in _all(place):
        os.chown(path, -1, group, follow_symlinks=False)
        _add(path, access.value, access.of_folders)


def open_up(place: Path, access: Access) -> None:
    """Let everybody do what the group should be able to do: for a user who may not give files away."""
    for path in _all(place):
        _add(path, access.value >> 3 & _OTHERS, access.of_folders >> 3 & _OTHERS)


def _all(place: Path) -> Iterator[Path]:
    yield place
    for folder, folders, files in os.walk(place):
        yield from (Path(folder, name) for name in (*folders, *files))


def _add(path: Path, of_files: int, of_folders: int) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) | (of_folders if stat.S_ISDIR(mode) else of_files))


def _is_given(place: Path, group: int, access: Access) -> bool:
    found = place.stat()
    return found.st_gid == group and found.st_mode & access.of_folders == access.of_folders


if __name__ == "__main__":
    give(Path(sys.argv[1]), int(sys.argv[2]), Access[sys.argv[3]], sys.argv[4])
