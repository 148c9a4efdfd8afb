"""Under which identity the pod runs. Whether that account exists is known to the cluster only."""

from __future__ import annotations

from typing import Any

from jobsmgr import Fragment, JobContext, hookimpl


@hookimpl
def jobsmgr_pod_fragment(job: JobContext) -> Fragment:
    """The service account, and whether its token is mounted; where no level says, Kubernetes decides."""
    pod: dict[str, Any] = {}
    if job.params.service_account:
        pod["serviceAccountName"] = job.params.service_account
    if job.params.automount_service_account_token is not None:
        pod["automountServiceAccountToken"] = job.params.automount_service_account_token
    return Fragment(pod=pod)
