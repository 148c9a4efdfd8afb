"""What keeps a workflow from being run on this machine, found before anything starts. Nothing is caught here."""

from __future__ import annotations

from jobsmgr.api.errors import JobsmgrError, Problem


class CannotRun(JobsmgrError):
    """A job asks for something that this machine, or the chosen executor, does not have."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class NoContainerEngine(JobsmgrError):
    """Neither podman nor docker works here."""


class ImageMissing(JobsmgrError):
    """An image that this machine does not have and cannot pull."""

    def __init__(self, image: str, why: str) -> None:
        self.image = image
        super().__init__(f'image "{image}" could not be pulled: {why}')
