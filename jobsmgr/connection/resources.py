"""What requests name: kinds of objects as the API's paths have them, rights, namespaces. Nothing is sent here."""

from __future__ import annotations

import attrs

from jobsmgr.api.workflow import API_VERSION, KIND, PLURAL

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA_ALONE = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""A list whose items have no spec and no status."""
OPENAPI = "/openapi/v3/apis"
"""The path before that of a group's version, below which the API server describes its objects."""


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

    @property
    def version(self) -> str:
        """The version of the API group."""
        return self.group_version.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@attrs.frozen
class Right:
    """A verb on a resource."""

    verb: str
    resource: Resource
    subresource: str = ""
    name: str = ""
    """Of the one object that it is for; empty: all."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.plural}{f'/{self.subresource}' if self.subresource else ''}"


WORKFLOWS = Resource(API_VERSION, PLURAL, KIND)
UPDATE_CRD = "update the CRD: jobsmgr manifests --only crd | kubectl apply -f -"
"""What to do about a cluster whose CRD lacks fields that are needed."""
JOBS = Resource("batch/v1", "jobs", "Job")
PODS = Resource("v1", "pods", "Pod")
EVENTS = Resource("v1", "events", "Event")
LEASES = Resource("coordination.k8s.io/v1", "leases", "Lease")
NAMESPACES = Resource("v1", "namespaces", "Namespace")
TOKEN_REVIEWS = Resource("authentication.k8s.io/v1", "tokenreviews", "TokenReview")
SUBJECT_REVIEWS = Resource("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview")
ACCESS_REVIEWS = Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")


def where(namespace: str) -> str:
    """A namespace, or all of them if it is empty, in words."""
    return f'namespace "{namespace}"' if namespace else "all namespaces"
