"""What makes a file unusable, as the one sentence that its user sees. Nothing is caught here."""

from __future__ import annotations

from jobsmgr.api.errors import JobsmgrError


class UnusableFile(JobsmgrError):
    """A file, folder or standard input that no document can be taken from."""


class EmptyFile(UnusableFile):
    """A file without any document."""


class TemplateFile(EmptyFile):
    """A file with a template of manifests, which holds no document before it is rendered."""

    def __init__(self, source: str) -> None:
        super().__init__(f"{source} is a template, without a workflow; render it first (helm template)")
