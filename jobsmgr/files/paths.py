"""Paths that a user names to files: those of folders, and what is left out of them. No file is opened here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from jobsmgr.files.errors import UnusableFile

STDIN = "-"
STDIN_NAME = "<stdin>"
_SUFFIXES = (".yaml", ".yml", ".json")


def is_manifest(path: str) -> bool:
    """Whether a file of this name is read where its folder is named."""
    return path.endswith(_SUFFIXES)


def shown(path: str) -> str:
    """A path as messages name it."""
    return STDIN_NAME if path == STDIN else path


def expand(paths: Iterable[str], exclude: Sequence[str] = ()) -> Iterator[str]:
    """The files that paths name, each once: a folder's own, sorted, but for those that a pattern leaves out.

    A pattern without a slash fits files and folders of that name, one with a slash a path as it is named or below the
    folder that is named; what is in a folder that fits is left out too. Raises `UnusableFile`.
    """
    named = list(paths)
    refuse_second_stdin(named)
    patterns = [pattern.removeprefix("./").rstrip("/") for pattern in exclude]
    seen = set()
    for path in named:
        for file in _expanded(path, patterns):
            if (real := os.path.realpath(file)) not in seen or file == STDIN:
                seen.add(real)
                yield file


def refuse_second_stdin(paths: Sequence[str]) -> None:
    """Raise `UnusableFile` where standard input is named twice: the second time nothing is left."""
    if paths.count(STDIN) > 1:
        raise UnusableFile("standard input can be read only once; give - once")


def _expanded(path: str, patterns: Sequence[str]) -> list[str]:
    if not path:
        raise UnusableFile('"" is not a file name; name a file, a folder, or - for standard input')
    if path == STDIN:
        return [path]
    is_folder = Path(path).is_dir()
    found = sorted(_files(path)) if is_folder else [path]
    if not found:
        raise UnusableFile(f"{path} has no .yaml, .yml or .json file; name a file or another folder")
    kept = [file for file in found if not _is_left_out(file, path if is_folder else "", patterns)]
    if not kept and is_folder:
        raise UnusableFile(f"--exclude skips every file in {path}; remove a pattern, or name another folder")
    return kept


def _files(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (str(Path(root, name)) for name in names if is_manifest(name))


def _is_left_out(file: str, folder: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern fits a file or a folder that it is in, below the one that was named."""
    inside = PurePath(file).relative_to(folder) if folder else PurePath(file)
    places = [inside, *inside.parents][:-1]
    for pattern in patterns:
        for place in places:
            names = (str(place), str(PurePath(folder, place))) if "/" in pattern else (place.name,)
            if any(fnmatchcase(name, pattern) for name in names):
                return True
    return False
