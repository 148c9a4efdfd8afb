"""What a long run has counted, kept for a report where one is asked for. Nothing is judged here."""

import json
import os
from pathlib import Path
from typing import Any

OPTION = "--figures"
FULL = "--full"


class Figures:
    """Lines of JSON in a folder, one file for each process that writes; without a folder nothing is kept."""

    def __init__(self, folder: str | None) -> None:
        self._folder = Path(folder) if folder else None

    def record(self, kind: str, **numbers: Any) -> None:
        """Keep what a part has counted, and print it."""
        print(f"{kind}: {json.dumps(numbers)}")
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{kind}-{os.getpid()}.jsonl").open("a") as file:
                file.write(json.dumps(numbers) + "\n")

    @staticmethod
    def read(folder: Path, kind: str) -> list[dict[str, Any]]:
        """All that was kept of a kind."""
        files = sorted(folder.glob(f"{kind}-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]
