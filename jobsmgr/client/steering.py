"""What a person does with a stored workflow: the patch, and kubectl's command for it. Nothing is sent here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

import attrs

from jobsmgr.api.fields import Manifest
from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.api.workflow import KIND
from jobsmgr.client.records import Record


@attrs.frozen(kw_only=True)
class Act:
    """Something that is done to workflows."""

    verb: str
    done: str
    """The word that reports success: `suspended`."""
    patch: Manifest
    """A merge patch."""
    answered_in: Manifest = attrs.field(factory=dict)
    """The part of a workflow in which the operator answers, where it does more than carry out what is in the spec."""
    idle_in: frozenset[bool] = frozenset()
    """Where it would change nothing: True for workflows that have ended, False for those that have not."""

    def objection(self, record: Record) -> str:
        """Why it would change nothing; empty if it would."""
        if record.is_finished in self.idle_in:
            how = f"has ended ({record.phase.value})" if record.is_finished else f"has not ended ({record.phase.value})"
            return f'workflow "{record.name}" {how}, so there is nothing to {self.verb}'
        return ""

    def kubectl(self, record: Record) -> str:
        """The plain command that does the same."""
        if list(self.patch) == ["metadata"]:
            annotations = self.patch["metadata"]["annotations"]
            pairs = [f"{key}={value}" if value else f"{key}-" for key, value in annotations.items()]
            words = ["kubectl", "annotate", "--overwrite", KIND.lower(), record.name, *pairs]
        else:
            patch = json.dumps(self.patch, separators=(",", ":"))
            words = ["kubectl", "patch", KIND.lower(), record.name, "--type=merge", "-p", patch]
        return shlex.join([*words, "-n", record.namespace])


SUSPEND = Act(verb="suspend", done="suspended", patch={"spec": {"suspend": True}}, idle_in=frozenset({True}))
RESUME = Act(verb="resume", done="resumed", patch={"spec": {"suspend": False}}, idle_in=frozenset({True}))
ABORT = Act(verb="abort", done="is being aborted", patch={"spec": {"abort": True}}, idle_in=frozenset({True}))


def retry(token: str, jobs: Sequence[str]) -> Act:
    """Run again what failed or was aborted, or those jobs and all that waits for them.

    An old choice of jobs, which may still be in the annotation beside it, is taken away.
    """
    annotations = {RETRY_ANNOTATION: token, RETRY_JOBS_ANNOTATION: ",".join(jobs) or None}
    return Act(
        verb="retry",
        done="asked to run again",
        patch={"metadata": {"annotations": annotations}},
        answered_in={"status": {"retry": {"token": token}}},
    )
