"""A version as Python writes it (1.2.0rc1, 1.2.0.dev3) and as SemVer does, for other tools. Writes nothing."""

import re
from pathlib import Path

_KINDS = {"a": "alpha", "b": "beta", "rc": "rc", "dev": "dev"}


def semver(version: str) -> str:
    """Python's version as Helm and krew want it: 1.2.0-rc.1, 1.2.0-dev.3. They sort in the same order."""
    found = re.fullmatch(r"(\d+(?:\.\d+){0,2})((?:a|b|rc)\d+)?(\.dev\d+)?", version)
    if found is None:
        raise ValueError(f'"{version}" is no version of a release, as 1.2.0, 1.2.0rc1 or 1.2.0.dev3 are')
    numbers = ".".join([*found[1].split("."), "0", "0"][:3])
    parts = re.findall(r"([a-z]+)(\d+)", f"{found[2] or ''}{found[3] or ''}")
    later = ".".join(f"{_KINDS[kind]}.{number}" for kind, number in parts)
    return f"{numbers}-{later}" if later else numbers


def version_of(dist: Path) -> str:
    """The version of what was built into a folder, from the name of the wheel."""
    (wheel,) = dist.glob("jobsmgr-*.whl")
    return wheel.name.split("-")[1]
