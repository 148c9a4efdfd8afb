"""The kinds of objects that requests name, as the API's paths have them. Nothing is sent here."""

from __future__ import annotations

import attrs

from jobsmgr.api.workflow import API_VERSION, KIND, PLURAL

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


@attrs.frozen
class Resource:
    """A resource of the API, and the kind of its objects."""

    group_version: str
    plural: str
    kind: str

    @property
    def group(self) -> str:
        """The API group; empty for the core's."""
        return self.group_version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


WORKFLOWS = Resource(API_VERSION, PLURAL, KIND)
JOBS = Resource("batch/v1", "jobs", "Job")
EVENTS = Resource("v1", "events", "Event")
LEASES = Resource("coordination.k8s.io/v1", "leases", "Lease")
ACCESS_REVIEWS = Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
