"""`python -m release DIST`: write what accompanies the files in a folder: notes.md, SHA256SUMS.

The bill of materials there is completed: who makes it does not know a version that comes from a tag.
"""

import hashlib
import json
import sys
from pathlib import Path

from release.notes import notes
from release.versions import version_of


def completed(bill: str, version: str) -> str:
    """A bill of materials whose subject has its version."""
    content = json.loads(bill)
    content["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/jobsmgr@{version}"}
    return json.dumps(content, indent=2) + "\n"


def sums(dist: Path) -> str:
    """The files' checksums, as `sha256sum --check` reads them."""
    files = sorted(path for path in dist.iterdir() if path.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    version = version_of(folder)
    materials = folder / "sbom.cdx.json"
    materials.write_text(completed(materials.read_text(), version))
    (folder / "notes.md").write_text(notes(version))
    (folder / "SHA256SUMS").write_text(sums(folder))
