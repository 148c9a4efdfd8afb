"""The modules of this project that noxfile.py runs are programs. No session is run here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = sorted(
    set(re.findall(r'"-m", "((?:manifests|release|tests|benchmarks)[\w.]*)"', (ROOT / "noxfile.py").read_text()))
)


@pytest.mark.parametrize("module", RUN)
def test_a_module_that_a_session_runs_does_something(module: str) -> None:
    """Python runs a module without a program of its own in silence: the session would go on as if it had worked."""
    path = ROOT.joinpath(*module.split("."))
    if path.is_dir():
        assert (path / "__main__.py").exists()
    else:
        assert 'if __name__ == "__main__":' in path.with_suffix(".py").read_text()
