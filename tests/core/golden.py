"""Compare with what is stored under `tests/golden`; `JOBSMGR_UPDATE_GOLDEN=1` stores anew. Nothing is tested here."""

import os
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "golden"


def golden(name: str, found: Any) -> Any:
    """What is stored under a name; with the switch set, what was found, stored first."""
    path = FOLDER / f"{name}.yaml"
    if os.environ.get("JOBSMGR_UPDATE_GOLDEN"):
        path.write_text(yaml.safe_dump(found, sort_keys=False, width=120))
    return yaml.safe_load(path.read_text())
