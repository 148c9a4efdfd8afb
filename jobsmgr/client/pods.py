"""The pods of a workflow's jobs: whose they are, and which containers have begun. Nothing is fetched here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from jobsmgr.api.codec import objects
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.names import WORKFLOW_LABEL, label_value, labelled_attempt, labelled_job
from jobsmgr.api.workflow import JobKey
from jobsmgr.client.cluster import Query
from jobsmgr.client.records import in_words
from jobsmgr.connection.decoding import metadata_of
from jobsmgr.connection.resources import PODS


def pods_of(namespace: str, workflow: str) -> Query:
    """The pods of a workflow, as their labels say."""
    return Query(resource=PODS, namespace=namespace, labels=f"{WORKFLOW_LABEL}={label_value(workflow)}")


@attrs.frozen
class JobPod:
    """A pod that runs, or ran, a job."""

    raw: Manifest
    key: JobKey

    @property
    def name(self) -> str:
        """Its name."""
        return str(metadata_of(self.raw).get("name") or "")

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(metadata_of(self.raw).get("uid") or "")

    @property
    def created(self) -> str:
        """When it was created, as it is written."""
        return str(metadata_of(self.raw).get("creationTimestamp") or "")

    @property
    def attempt(self) -> int:
        """Which attempt of the job it belongs to."""
        return labelled_attempt(metadata_of(self.raw))

    def containers(self) -> Iterator[Container]:
        """Its containers in their order, the job's own first."""
        listed = objects(mapping(self.raw.get("spec")).get("containers"))
        found = objects(mapping(self.raw.get("status")).get("containerStatuses"))
        states = {str(each.get("name")): each for each in found}
        for index, each in enumerate(listed):
            name = str(each.get("name") or "")
            yield Container(name, states.get(name, {}), is_main=index == 0)


@attrs.frozen
class Container:
    """A container of a pod; `status` is its `containerStatuses` entry."""

    name: str
    status: Manifest
    is_main: bool

    @property
    def _state(self) -> Manifest:
        return mapping(self.status.get("state"))

    @property
    def has_begun(self) -> bool:
        """Whether it runs, or has run, so that there is a log."""
        return self.is_running or "terminated" in self._state

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return "running" in self._state

    @property
    def waiting(self) -> str:
        """Why it has not begun, in the runtime's words; empty where nothing says."""
        waiting = mapping(self._state.get("waiting"))
        return in_words(str(waiting.get("reason") or ""), str(waiting.get("message") or ""))

    @property
    def starts(self) -> int:
        """How often it has been started again."""
        count = self.status.get("restartCount")
        return count if isinstance(count, int) else 0


def job_pods(pods: Iterable[Manifest], owners: frozenset[str]) -> list[JobPod]:
    """The pods that belong to Jobs with those uids, in the order of their creation.

    Labels are everybody's to write: a pod is a job's by its owner.
    """
    found = []
    for raw in pods:
        metadata = metadata_of(raw)
        owner = {str(each.get("uid")) for each in objects(metadata.get("ownerReferences"))}
        if (key := labelled_job(metadata)) is not None and owner & owners:
            found.append(JobPod(raw, key))
    return sorted(found, key=lambda pod: (pod.created, pod.name))
