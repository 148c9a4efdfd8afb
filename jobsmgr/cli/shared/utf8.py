"""UTF-8 at every boundary of the process, whatever the locale says. Nothing is read or written here."""

from __future__ import annotations

import os
import sys


def ensure_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding (latin-1, or C with PYTHONUTF8=0).

    Words of the command line, variables, names of files, streams, what is handed to a job: Python decides for all of
    them before any code of ours runs, so that one restart covers them and nothing else does. The process, its streams
    and its signals stay the same.
    """
    if sys.getfilesystemencoding() != "utf-8" and sys.executable:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
