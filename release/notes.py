"""What a version changes, as text. Runs towncrier and changes no file."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"


def notes(version: str) -> str:
    """The version's section of CHANGELOG.md; before there is one, what the files in changes/ will make of it."""
    section = section_of(version, CHANGELOG.read_text())
    return section if section is not None else draft(version)


def newest(changelog: str) -> str | None:
    """The version of the newest section."""
    found = re.search(r"^## (\S+) ", changelog, re.MULTILINE)
    return found[1] if found else None


def section_of(version: str, changelog: str) -> str | None:
    """What stands under a version's heading."""
    found = re.search(rf"^## {re.escape(version)} [^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() + "\n" if found else None


def draft(version: str) -> str:
    """The section that towncrier would write. Raises `subprocess.CalledProcessError` if a file has a wrong name."""
    command = ["towncrier", "build", "--draft", "--version", version, "--dir", str(ROOT)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout
    return section_of(version, printed) or ""
