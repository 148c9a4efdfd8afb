"""What steering a workflow writes, and the plain command that does the same."""

import json
import shlex

from jobsmgr.api.retry import RETRY_ANNOTATION, RETRY_JOBS_ANNOTATION
from jobsmgr.client import steering
from jobsmgr.client.records import Record


def record(**status: object) -> Record:
    return Record({"metadata": {"name": "wf", "namespace": "ns"}, "status": status})


FINISHED = {"phase": "failed", "conditions": [{"type": "Finished", "status": "True"}]}


def test_the_plain_command_writes_the_same_patch() -> None:
    """Word by word, in any shell."""
    for act in (steering.SUSPEND, steering.RESUME, steering.ABORT):
        words = shlex.split(act.kubectl(record()))
        assert words[:5] == ["kubectl", "patch", "managedjob", "wf", "--type=merge"]
        assert json.loads(words[6]) == act.patch
        assert words[7:] == ["-n", "ns"]


def test_a_retry_chooses_anew() -> None:
    """The jobs of a former request are taken away with it."""
    act = steering.retry("now", ["g/a", "g/b"])
    assert act.patch["metadata"]["annotations"] == {RETRY_ANNOTATION: "now", RETRY_JOBS_ANNOTATION: "g/a,g/b"}
    assert steering.retry("now", []).patch["metadata"]["annotations"][RETRY_JOBS_ANNOTATION] is None
    words = shlex.split(act.kubectl(record()))
    assert words[:5] == ["kubectl", "annotate", "--overwrite", "managedjob", "wf"]
    assert f"{RETRY_JOBS_ANNOTATION}=g/a,g/b" in words
    assert f"{RETRY_JOBS_ANNOTATION}-" in shlex.split(steering.retry("now", []).kubectl(record()))


def test_what_would_change_nothing_is_refused() -> None:
    """A workflow that has ended cannot be suspended."""
    assert steering.SUSPEND.objection(record()) == ""
    assert steering.SUSPEND.objection(record(**FINISHED)) == (
        'workflow "wf" has ended (failed), so there is nothing to suspend'
    )
    assert steering.retry("now", []).objection(record(**FINISHED)) == ""
