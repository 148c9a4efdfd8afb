"""What a plane shows of a failure: its objects, its events, and the last words of its components.

Decides nothing, writes nothing.
"""

from collections.abc import Iterator

from tests.plane.control_plane import ControlPlane

_KINDS = "managedjobs,jobs,pods,events"
_LAST_WORDS = 20_000
"""Characters of a log: two minutes of a node with a few Pods."""


def evidence(plane: ControlPlane, namespace: str | None = None) -> Iterator[tuple[str, str]]:
    """Sections with a title: workflows, Jobs, Pods and events (of one namespace, or of all), then every log."""
    where = ["--all-namespaces"] if namespace is None else []
    options = ("-o", "yaml", "--request-timeout=10s")  # the API server may be what is wrong
    shown = plane.kubectl("get", _KINDS, *where, *options, namespace=namespace or "default", check=False)
    yield f"kubectl get {_KINDS}", shown.stdout + shown.stderr
    for log in sorted(plane.folder.glob("*.log")):
        if log != plane.audit_log:
            yield f"the end of {log}", log.read_text(errors="replace")[-_LAST_WORDS:]
