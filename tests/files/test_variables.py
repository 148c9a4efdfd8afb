"""Values for a workflow's own variables, where its document is not what it should be."""

from typing import Any

import pytest

from jobsmgr.files.documents import Document
from jobsmgr.files.errors import UnusableFile
from jobsmgr.files.positions import Position
from jobsmgr.files.variables import with_variables


def _document(spec: Any) -> Document:
    return Document("a.yaml", 0, {"kind": "ManagedJob", "spec": spec}, Position(1, 1))


@pytest.mark.parametrize("spec", [None, [], "x", {"params": ["x"]}, {"params": {"env": "A"}}, {"params": {"env": [1]}}])
def test_a_document_of_another_shape_declares_nothing(spec: Any) -> None:
    """What is wrong with it is reported where it is checked."""
    with pytest.raises(UnusableFile, match='has no variable "A"; it declares none'):
        with_variables([_document(spec)], {"A": "a"})


def test_what_is_no_entry_stays() -> None:
    """Beside one that gets its value."""
    (given,) = with_variables([_document({"params": {"env": ["x", {"name": "A", "value": "b"}]}})], {"A": "a"})
    assert given.value["spec"] == {"params": {"env": ["x", {"name": "A", "value": "a"}]}}
