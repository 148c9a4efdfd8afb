"""Write the manifests that are worked out from the models: `python -m manifests.generate`. Touches no cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from jobsmgr.api.crd import custom_resource_definition

CRD = Path(__file__).parent / "crd" / "managedjobs.yaml"

_HEADER = "# Written by `python -m manifests.generate` from the models in jobsmgr/api: change those, not this file.\n"


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write shared parts out: anchors are hard to read, and some tools refuse them."""
        return True


def crd_text() -> str:
    """The text of the CRD's file."""
    return _HEADER + yaml.dump(custom_resource_definition(), Dumper=_Dumper, sort_keys=False, width=120)


if __name__ == "__main__":
    CRD.parent.mkdir(exist_ok=True)
    CRD.write_text(crd_text())
