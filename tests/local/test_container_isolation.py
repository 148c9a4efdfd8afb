"""What a container of `jobsmgr run` may do and is given: users, limits, and nothing that opens this machine."""

import re

import pytest

from jobsmgr.local.container_options import cpus
from tests.cli.runs import file_of, sh
from tests.local.podman import Ran, output
from tests.plane.images import OTHER_IMAGE

QUOTA = "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null"
MEMORY = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"


def test_users_and_read_only_roots(ran: Ran) -> None:
    """The container's security context stands over the pod's; a read-only root has no writable /tmp either."""
    params = (
        "params: {podSecurityContext: {runAsUser: 1000, runAsGroup: 2000, supplementalGroups: [3, 4], fsGroup: 5},"
        " securityContext: {runAsUser: 3000, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false,"
        " capabilities: {drop: [ALL]}}}"
    )
    script = (
        "id -u; id -G; for place in /work /tmp /run /dev/shm; do touch $place/x 2>/dev/null || echo no $place; done;"
        " grep -E 'NoNewPrivs|CapEff' /proc/self/status"
    )
    found = output(done := ran(file_of(sh("a", script, params))))
    assert found[:5] == ["3000", "2000 3 4 5", "no /work", "no /tmp", "no /run"], done.out + done.err
    assert [line.split() for line in found[5:]] == [["CapEff:", "0" * 16], ["NoNewPrivs:", "1"]]


def test_users_of_the_image(ran: Ran) -> None:
    """They stay where only the group is given; that a user is not root is not taken on trust."""
    contexts = {
        "group": "runAsGroup: 77",
        "other": "runAsNonRoot: true",
        "root": "runAsNonRoot: true",
        "user": "runAsNonRoot: true, runAsUser: 9",
    }
    more = "parallel: true, params: {{podSecurityContext: {{{}}}}}"
    text = file_of(*(sh(job, "id -u; id -g", more.format(context)) for job, context in contexts.items()))
    for job in ("group", "other"):
        text = text.replace(f"image: busybox, name: {job},", f'image: "{OTHER_IMAGE}", name: {job},')
    done = ran(text)
    found = {job: output(done, job) for job in contexts}
    expected = {"group": ["1000", "77"], "other": ["1000", "0"], "root": [], "user": ["9", "0"]}
    assert found == expected, done.out + done.err
    why = r"✘ g/root +failed .*runAsNonRoot: image \"\S+\" runs as user \"0\"; set runAsUser to a number that is not 0$"
    assert re.search(why, done.out, re.MULTILINE), done.out


@pytest.mark.parametrize(
    ("context", "field"),
    [("privileged: true", "privileged"), ("runAsNonRoot: true, runAsUser: 0", "runAsNonRoot")],
)
def test_what_is_refused_before_the_start(ran: Ran, context: str, field: str) -> None:
    """What would open this machine, and what a cluster would never start."""
    done = ran(file_of(sh("a", "echo started", f"params: {{securityContext: {{{context}}}}}")))
    assert (done.code, done.out) == (2, "")
    assert f"spec.groups[0].jobs[0].params.securityContext.{field}: " in done.err


def test_limits(ran: Ran) -> None:
    """Of CPU and memory; less CPU than the kernel can count is the least that it can, as the kubelet has it."""
    scripts = {"half": QUOTA, "least": QUOTA, "memory": MEMORY, "none": "echo fine", "endless": "echo fine"}
    resources = {
        "half": "limits: {cpu: 500m}",
        "least": "limits: {cpu: 1m}",
        "memory": "limits: {memory: 32Mi}",
        "endless": "limits: {memory: '1e30', cpu: '1e30'}",
        "none": 'requests: {cpu: 64, memory: 1Ti, "example.com/gpu": 1}',
    }
    more = "parallel: true, params: {{resources: {{{}}}}}"
    done = ran(file_of(*(sh(job, script, more.format(resources[job])) for job, script in scripts.items())))
    found = {job: " ".join(output(done, job)).split()[:1] for job in scripts}
    expected = {
        "half": ["50000"],
        "least": ["1000"],
        "memory": [str(32 * 2**20)],
        "none": ["fine"],
        "endless": ["fine"],
    }
    assert found == expected, done.out + done.err


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("2", "2"), ("1e3", "1000"), ("100m", "0.100"), ("0", "0"), ("1u", "0.01"), ("1e30", "1000000"), ("", "")],
)
def test_cpus(limit: str, expected: str) -> None:
    """As both engines read them; 0 is no limit."""
    assert cpus(limit) == expected


def test_too_much_memory(ran: Ran) -> None:
    """The job is killed, and failed; this differs from another kill, whatever podman reports."""
    limit = "parallel: true, params: {resources: {limits: {memory: 16Mi}}}"
    done = ran(file_of(sh("a", "exec sort /dev/zero", limit)))
    assert re.search(r"✘ g/a failed +\S+  failed with exit code 137 \(OOMKilled\)$", done.out, re.MULTILINE), done.out
    done = ran(file_of(sh("a", "kill -KILL $$; exit 1", limit), sh("b", "sh -c 'kill -KILL $$'; exit $?", limit)))
    assert re.search(r"✘ g/b failed +\S+  failed with exit code 137$", done.out, re.MULTILINE), done.out
