"""How jobs end, and what never begins: exit codes, signals, output, tries, deadlines, what is missing. Runs nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.node.files import BUSYBOX, Case, Manifest, at, claim, claimed, config_map, file_of, in_turn, secret, sh

AT_ONCE = "what a pod has to wait for"
NO_POD = "the log of a pod that a deadline ended"
IN_PLACE = "tries in one pod"
CARRIAGE_RETURN = "a carriage return at the end of a line"
OUTLIVED = "memory that ran out for a child process alone"
REFUSED = "a ConfigMap, Secret, key or claim that does not exist"

LATE = {"activeDeadlineSeconds": 5}
"""For what would never end on a cluster."""

_AGAIN = "test -e /v/x && exec echo second; touch /v/x; echo first; exit 1"
_LISTENS = "trap 'echo asked; exit 7' TERM; echo up; while :; do sleep 0.1; done"


def cases() -> Iterator[Case]:
    """All of them."""
    for part in (_codes, _signals, _output, _order, _tries, _deadlines, _missing):
        yield from part()


def _differs(why: str, *facts: str, job: str = "g/j") -> dict[str, str]:
    return {f"{job}.{fact}": why for fact in facts}


def _codes() -> Iterator[Case]:
    jobs = {f"c{code}": sh(f"exit {code}") for code in (1, 3, 125, 126, 127, 128, 137, 255)}
    yield Case(name="exit-codes", text=file_of("exit-codes", {**jobs, "in-a-shell": sh("ehco")}))
    commands = {"typo": "ehco", "no-file": "/absent", "no-program": "/etc/passwd", "directory": "/bin"}
    jobs = {name: {"image": BUSYBOX, "command": [command]} for name, command in commands.items()}
    yield Case(name="not-started", text=file_of("not-started", jobs))
    scripts = {
        "carriage-return": "#!/bin/sh\r\necho hi\r\n",
        "interpreter": "#!/absent\necho hi\n",
        "no-first-line": "echo hi\n",
        "fine": "#!/bin/sh\necho hi\n",
    }
    mounted = at("/s", {"configMap": {"name": "scripts", "defaultMode": 0o755}})
    jobs = {name: {"image": BUSYBOX, "command": [f"/s/{name}"], "params": mounted} for name in scripts}
    yield Case(name="scripts", text=file_of("scripts", jobs, config_map("scripts", data=scripts)))


def _signals() -> Iterator[Case]:
    jobs = {
        "killed": sh("sh -c 'kill -KILL $$$$'; exit $?"),
        "terminated": sh("sh -c 'kill -TERM $$$$'; exit $?"),
        "itself": sh("kill -TERM $$$$; echo still here"),
        "trapped": sh("trap 'exit 9' USR1; kill -USR1 $$$$; exit 1"),
    }
    yield Case(name="signals", text=file_of("signals", jobs))
    # The shell outlives what is killed: of a container that ends with it, containerd often does not say why. Nor does
    # it always otherwise: its notice of cgroup version 1 gets lost on a busy machine, and then the code alone remains.
    limits = {"limits": {"memory": "16Mi"}}
    jobs = {
        "killed": sh("tail /dev/zero; code=$?; sleep 2; exit $code", resources=limits),
        "other-code": sh("tail /dev/zero; sleep 2; exit 3", resources=limits),
        "no-matter": sh("tail /dev/zero; sleep 2", resources=limits),
    }
    differs = {f"g/{name}.why": OUTLIVED for name in ("other-code", "no-matter")}
    missed = frozenset(f"g/{name}.why" for name in jobs)
    yield Case(name="out-of-memory", text=file_of("out-of-memory", jobs), differs=differs, missed=missed)


def _output() -> Iterator[Case]:
    jobs = {
        "both": sh("echo out; echo err >&2; echo out"),
        "no-newline": sh("printf 'no newline'"),
        "nothing": sh(":"),
        "bytes": sh(r"printf 'a\000b\377c\033[31mred\n'"),
        "long": sh("head -c 40000 /dev/zero | tr '\\0' x; echo; echo end"),
        "unicode": sh("echo größer 価格"),
    }
    yield Case(name="output", text=file_of("output", jobs))
    text = file_of("output-cr", {"j": sh(r"printf 'a\r\n'")})
    yield Case(name="output-cr", text=text, differs=_differs(CARRIAGE_RETURN, "output"))


def _order() -> Iterator[Case]:
    jobs = in_turn(fails=sh("exit 1"), waits=sh("echo never")) | {"beside": sh("echo beside")}
    yield Case(name="aborted", text=file_of("aborted", jobs))
    needs = {"first": sh("echo 1"), "second": {**sh("echo 2"), "dependencies": [{"name": "first"}]}}
    yield Case(name="dependencies", text=file_of("dependencies", needs))


def _tries() -> Iterator[Case]:
    in_place = {"restartPolicy": "OnFailure"}
    empty: Manifest = {"emptyDir": {}}
    in_vain = {**sh("ls /v /tmp; touch /tmp/x /v/x; exit 4", **at("/v", empty)), "retries": 2}
    yield Case(name="tries-in-vain", text=file_of("tries-in-vain", {"j": in_vain}))
    second = {**sh(_AGAIN, **at("/v", claimed("tries"))), "retries": 2}
    yield Case(name="tries-second", text=file_of("tries-second", {"j": second}, claim("tries")))
    text = file_of("tries-in-place", {"j": {**sh(_AGAIN, **in_place, **at("/v", empty)), "retries": 2}})
    yield Case(name="tries-in-place", text=text, differs=_differs(IN_PLACE, "exits", "why", "output"))
    text = file_of("tries-in-place-in-vain", {"j": {**sh("exit 4", **in_place), "retries": 1}})
    yield Case(name="tries-in-place-in-vain", text=text, differs=_differs(IN_PLACE, "exits", "why", "output"))


def _deadlines() -> Iterator[Case]:
    text = file_of("deadline-job", {"j": {**sh(_LISTENS), "activeDeadlineSeconds": 5}})
    yield Case(name="deadline-job", text=text, timed=True, differs=_differs(NO_POD, "output"))
    jobs = in_turn(a=sh(_LISTENS), b=sh("echo never"))
    text = file_of("deadline-workflow", jobs, activeDeadlineSeconds=8)
    yield Case(name="deadline-workflow", text=text, timed=True, differs=_differs(NO_POD, "output", job="g/a"))


def _missing() -> Iterator[Case]:
    """What `jobsmgr run` finds before or when it starts; a cluster waits for it until a deadline, or for ever."""
    key = {"secretKeyRef": {"name": "keys", "key": "absent"}}
    missing: dict[str, tuple[Mapping[str, Any], str]] = {
        "config-map": (sh("true", fromEnv=[{"configMapRef": {"name": "absent"}}]), 'ConfigMap "absent"'),
        "secret-key": (sh("true", env=[{"name": "A", "valueFrom": key}]), '"absent"'),
        "volume": (sh("true", **at("/v", {"configMap": {"name": "absent"}})), 'ConfigMap "absent"'),
        "claim": (sh("true", **at("/v", claimed("absent"))), '"absent"'),
    }
    for name, (job, message) in missing.items():
        text = file_of(f"missing-{name}", {"j": {**job, **LATE}}, secret("keys", stringData={"present": "1"}))
        yield Case(name=f"missing-{name}", text=text, refused=message, timed=True)
    for name, job in {
        "missing-image": {"image": "localhost:1/absent:1"},
        "not-root": sh("true", securityContext={"runAsNonRoot": True}),
    }.items():
        differs = _differs(AT_ONCE, "exits", "why", "output", "reason")
        yield Case(name=name, text=file_of(name, {"j": {**job, **LATE}}), timed=True, differs=differs)
