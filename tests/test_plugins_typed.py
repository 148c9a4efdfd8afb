"""What plugin authors import passes the strict mode of pyright, and so do the plugins that docs/plugins.md shows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PUBLIC = ("__init__.py", "builtin.py", "hookspecs.py", "testing")

pytest.importorskip("pyright", reason="pyright brings its own Node.js; only the session `types` of nox installs it")


def faults(directory: Path, *include: str) -> list[str]:
    """What pyright finds in files of a directory, as `file: sentence`."""
    settings = {"include": include, "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}
    project = directory / "pyrightconfig.json"
    project.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"], done.stderr
    return [f"{Path(found['file']).name}: {found['message']}" for found in report["generalDiagnostics"]]


def test_the_public_modules(tmp_path: Path) -> None:
    """As a type checker other than ours reads them."""
    (tmp_path / "jobsmgr").symlink_to(ROOT / "jobsmgr")
    assert faults(tmp_path, *(f"jobsmgr/{name}" for name in PUBLIC)) == []


def test_the_examples_of_the_page(tmp_path: Path) -> None:
    """An author who checks strictly copies them as they are."""
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "plugins.md").read_text(), flags=re.DOTALL)
    for number, text in enumerate(examples):
        (tmp_path / f"example_{number}.py").write_text(text)
    assert len(examples) > 9
    assert faults(tmp_path, ".") == []


def test_a_wrong_answer_is_found(tmp_path: Path) -> None:
    """The types say something: what a value may not be is told."""
    (tmp_path / "wrong.py").write_text("from jobsmgr import Fragment\n\nFragment(env='x')\n")
    assert ["wrong.py" in fault and '"env"' in fault for fault in faults(tmp_path, "wrong.py")] == [True]
