"""What `kubectl get` prints, read as a person reads it: by its columns. Nothing of jobsmgr is imported here."""

import re

from tests.plane.control_plane import ControlPlane

Row = dict[str, str]


def printed(plane: ControlPlane, namespace: str, *flags: str) -> dict[str, Row]:
    """The table of all workflows of a namespace: by name, each column by its title."""
    head, *lines = plane.kubectl("get", "mjob", *flags, namespace=namespace).stdout.splitlines()
    # A title begins where its column does.
    starts = [(found[0], found.start()) for found in re.finditer(r"\S+", head)]
    ends = [start for _, start in starts[1:]] + [None]
    rows = [
        {title: line[start:end].strip() for (title, start), end in zip(starts, ends, strict=True)} for line in lines
    ]
    return {row["NAME"]: row for row in rows}
