"""What makes a file unusable, as the one sentence that its user sees. Nothing is caught here."""

from __future__ import annotations

from jobsmgr.api.errors import JobsmgrError


class UnusableFile(JobsmgrError):
    """A file, folder or standard input that no document can be taken from."""


class EmptyFile(UnusableFile):
    """A file without any document."""
