"""Why a command of this machine could not be started, in a sentence that names what is wrong. Nothing is run here."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

MAY_PASS = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY})
"""What may be over at the next try: a machine that is full, a program that is being written."""
_LONGEST_LINE = 4096
_SCRIPT, _PROGRAM = b"#!", b"\x7fELF"


def why_not_started(command: str, path: str, directory: Path, error: OSError) -> str:
    """The sentence; `path` is the job's PATH, `directory` where it starts, `error` the kernel's answer."""
    if "/" in command:
        file = directory / command
        found = file if file.exists() else None
    else:
        known = shutil.which(command, path=path)
        found = Path(known) if known else None
    if found is None and error.errno == errno.ENOENT:
        where = "does not exist on this machine" if "/" in command else "was not found in the PATH of this machine"
        return f'command "{command}" {where}; correct or install it'
    reason = _of_file(found, error) if found is not None else ""
    return f'command "{command}" cannot be run: {reason or error.strerror or error}'


def _of_file(file: Path, error: OSError) -> str:
    """What is wrong with a file that exists; empty where nothing is known beyond the kernel's own word."""
    if file.is_dir():
        return "it is a directory; name a program in it"
    try:
        with file.open("rb") as stream:
            line = stream.readline(_LONGEST_LINE)
    except OSError:
        line = b""
    if error.errno == errno.ENOENT:
        return _without_interpreter(line)
    if error.errno == errno.ENOEXEC:
        return 'it is not a program for this machine and has no "#!" line; add one, or put its interpreter first'
    if error.errno == errno.EACCES:
        return "it is not executable; run chmod +x, or put its interpreter first"
    return ""


def _without_interpreter(line: bytes) -> str:
    if line.startswith(_PROGRAM):
        return "its loader does not exist on this machine; use a program that is built for this machine"
    if not line.startswith(_SCRIPT):
        return ""
    words = line.removeprefix(_SCRIPT).rstrip(b"\n").strip(b" \t").split(maxsplit=1)
    interpreter = words[0].decode(errors="replace") if words else ""
    if line.rstrip(b"\n").endswith(b"\r"):
        return (
            'its first line ends in a carriage return (CR), which is read as part of "#!"; save it with LF line endings'
        )
    return f'its first line names the interpreter "{interpreter}", which does not exist; correct or install it'
