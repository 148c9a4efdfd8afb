"""Words of the API stand in one place of the program each; everything else names that place."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jobsmgr.api.names import LABEL_PREFIX, MANAGED_BY_LABEL
from jobsmgr.api.status import ConditionType, Reason

PACKAGE = Path(__file__).parents[1] / "jobsmgr"
KUBERNETES = {
    "cluster/trim.py": {"Complete", "Failed"},  # conditions of a Job
    "cluster/errors.py": {"NamespaceTerminating"},  # a cause in an API server's answer
    "api/pods.py": {"Failed"},  # a phase of a Pod
    "api/crd.py": {"Failed"},  # the heading of a column
    "installation/admission.py": {"Forbidden"},  # a reason of an API server's answer
    "__init__.py": {"PluginError"},  # a class
}
"""Words that mean something else where they stand."""


def texts(file: Path) -> Iterator[str]:
    """The strings of a module that are no prose."""
    tree = ast.parse(file.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def said(*words: str) -> dict[str, set[str]]:
    """Which of these words each module says, or strings that contain them where they end in a slash."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        hits = {text for text in texts(file) for word in words if text == word or (word[-1] == "/" and word in text)}
        name = str(file.relative_to(PACKAGE))
        if hits := hits - KUBERNETES.get(name, set()):
            found[name] = hits
    return found


def test_types_of_conditions_and_reasons() -> None:
    """They stand in their enums."""
    assert said(*ConditionType, *Reason) == {"api/status.py": {*ConditionType, *Reason}}


def test_keys_that_are_the_operators() -> None:
    """The prefix of its labels, annotations and finalizer, and the label that says who manages an object."""
    assert said(LABEL_PREFIX, MANAGED_BY_LABEL) == {"api/names.py": {LABEL_PREFIX, MANAGED_BY_LABEL}}
