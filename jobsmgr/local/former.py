"""A former run as its result.json shows it, so that another one goes on from where it ended. Nothing is run here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from jobsmgr.api.codec import objects
from jobsmgr.api.fields import Manifest, mapping
from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.api.status import ENDS, Phase
from jobsmgr.api.workflow import JobKey
from jobsmgr.engine.port import Key
from jobsmgr.files.errors import UnusableFile
from jobsmgr.local.recording import RESULT, TRIES, VALUES


class ResultUnusable(UnusableFile):
    """No result of a former run can be read."""


@attrs.frozen
class FormerRun:
    """The workflows of a result, by namespace and name."""

    directory: Path
    workflows: Mapping[Key, Manifest]
    values: Mapping[str, str]
    """Of the variables that were set for it."""

    @classmethod
    def read(cls, directory: Path) -> FormerRun:
        """The run whose output went to this directory. Raises `ResultUnusable`."""
        place = directory / RESULT
        try:
            content = json.loads(place.read_bytes())
        except OSError as error:
            raise ResultUnusable(
                f"{place} cannot be read: {error.strerror or error}; name the --output-dir of an earlier run"
            ) from None
        except ValueError as error:
            raise ResultUnusable(
                f"{place} is not valid JSON ({error}); name the --output-dir of an earlier run"
            ) from None
        found = objects(mapping(content).get("workflows"))
        values = {name: str(value) for name, value in mapping(mapping(content).get(VALUES)).items()}
        return cls(directory, {_key(one): one for one in found}, values)

    def reopened(self, raw: Manifest) -> dict[str, Any]:
        """A workflow with the status that it had at the end, and a request to run again what did not succeed.

        Raises `ResultUnusable` if it was not part of that run.
        """
        metadata = mapping(raw["metadata"])
        key = _key(metadata)
        if (former := self.workflows.get(key)) is None:
            known = ", ".join(f'"{one}"' for one in self.workflows) or "none"
            text = f'{self.directory / RESULT} has no workflow "{key}", only: {known}; select workflows with --name'
            raise ResultUnusable(text)
        status = {name: value for name, value in former.items() if name not in ("namespace", "name")}
        phase = status.get("phase") if status.get("phase") in ENDS else Phase.FAILED.value
        status |= {"phase": phase, "observedGeneration": 1, "groups": [_group(one) for one in _groups(former)]}
        annotations = {**mapping(metadata.get("annotations")), RETRY_ANNOTATION: _next_token(status)}
        annotations.pop(RETRY_JOBS_ANNOTATION, None)
        return {**raw, "metadata": {**metadata, "annotations": annotations}, "status": status}

    def succeeded(self, key: Key) -> frozenset[JobKey]:
        """The jobs of a workflow that are kept."""
        jobs = _jobs(self.workflows.get(key, {}))
        return frozenset(each for each, job in jobs if job.get("phase") == Phase.SUCCEEDED)

    def tries(self, directory: Path) -> dict[tuple[Key, JobKey], list[dict[str, Any]]]:
        """The tries of each job so far, with the place of their logs as seen from a directory."""
        same = directory.resolve() == self.directory.resolve()
        return {
            (key, each): [
                {**one, "log": one.get("log") if same else str(self.directory / str(one.get("log")))}
                for one in objects(job.get(TRIES))
            ]
            for key, workflow in self.workflows.items()
            for each, job in _jobs(workflow)
        }


def _key(named: Manifest) -> Key:
    """By namespace and name, as metadata and a result's workflows have them."""
    return Key(str(named.get("namespace")), str(named.get("name")))


def _groups(workflow: Manifest) -> list[Manifest]:
    return objects(workflow.get("groups"))


def _jobs(workflow: Manifest) -> Iterator[tuple[JobKey, Manifest]]:
    for group in _groups(workflow):
        for job in objects(group.get("jobs")):
            yield JobKey(str(group.get("name")), str(job.get("name"))), job


def _group(group: Manifest) -> dict[str, Any]:
    """A group with the jobs that had ended; the others start anew."""
    jobs = [job for job in objects(group.get("jobs")) if job.get("phase") in ENDS]
    return {**group, "jobs": [{name: value for name, value in job.items() if name != TRIES} for job in jobs]}


def _next_token(status: Manifest) -> str:
    """A token that no former run has used: a number that grows by one each time."""
    last = mapping(status.get("retry")).get("token")
    return str(int(last) + 1) if isinstance(last, str) and last.isascii() and last.isdigit() else "1"
