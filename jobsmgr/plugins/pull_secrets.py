"""Secrets for pulling the image. Their content is never read here."""

from __future__ import annotations

from jobsmgr import Fragment, JobContext, hookimpl


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The names of the secrets, outermost level first."""
    return Fragment(image_pull_secrets=job.params.image_pull_secrets)
