"""What runs of one workflow are compared by. What must be the same is not known here."""

import json
from typing import Any

PASSING = ("uid", "startTime", "completionTime", "lastTransitionTime", "duration")
"""Fields of a status that two runs never share."""


def lasting(content: Any, name: str, *more: str) -> Any:
    """A status, or what else is JSON, without what passes and `more` such fields; `run` stands for the name in it."""

    def kept(entry: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key not in PASSING and key not in more}

    return json.loads(json.dumps(content).replace(name, "run"), object_hook=kept)
