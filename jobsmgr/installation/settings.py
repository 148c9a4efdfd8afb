"""What can be chosen for an installation, and what all its objects have in common. No whole object is made here."""

from __future__ import annotations

from typing import Any

import attrs

from jobsmgr.leadership import needs


@attrs.frozen(kw_only=True)
class Installation:
    """One operator on a cluster."""

    image: str
    name: str = "jobsmgr"
    """Of its objects, and the value of the label by which its pods are found."""
    namespace: str = "jobsmgr"
    account: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    """Its service account."""
    lease: str = needs.NAME

    @property
    def labels(self) -> dict[str, str]:
        """What its pods and objects are found by. A Deployment's selector cannot change, so neither may this."""
        return {"app.kubernetes.io/name": self.name}

    def metadata(self, suffix: str = "") -> dict[str, Any]:
        """The metadata of a cluster-scoped object."""
        return {"name": f"{self.name}{suffix}", "labels": self.labels}

    def placed(self, suffix: str = "") -> dict[str, Any]:
        """The metadata of an object in the operator's own namespace."""
        return {"name": f"{self.name}{suffix}", "namespace": self.namespace, "labels": self.labels}
