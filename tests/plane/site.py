"""Where a test's workflows are: what speaks of a namespace names its plane too. Nothing of jobsmgr is imported here."""

from typing import NamedTuple

from tests.plane.control_plane import ControlPlane


class Site(NamedTuple):
    """A namespace and the plane that it is on."""

    plane: ControlPlane
    namespace: str
