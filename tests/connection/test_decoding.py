"""What the API server sends, read with care: lines, and documents of any depth."""

import json
from typing import Any

import pytest

from jobsmgr.connection.decoding import DEEPEST, Unreadable, document, json_object


def nested(levels: int) -> str:
    """An object that goes down so many levels, with brackets and quotes in strings on the way."""
    return '{"]}\\"{": [' * (levels // 2) + '"\\\\"' + "]}" * (levels // 2)


def depth(value: Any) -> int:
    """How many levels a value of one branch has."""
    levels = 0
    while isinstance(value, dict | list) and value:
        levels, value = levels + 1, next(iter(value.values() if isinstance(value, dict) else value))
    return levels


@pytest.mark.parametrize("levels", [2, DEEPEST, 400])
def test_what_python_reads_is_read_whole(levels: int) -> None:
    """Strings may hold anything that looks like structure."""
    assert document(nested(levels).encode()) == json.loads(nested(levels))


def test_deeper_than_python_reads_it_is_cut_and_all_the_rest_stays() -> None:
    """Before it, behind it and beside it."""
    text = f'{{"a": 1, "deep": {nested(9000)}, "b": [{nested(9000)}, {{"c": "d"}}], "e": null}}'
    found = document(text.encode())
    assert list(found) == ["a", "deep", "b", "e"]
    assert (found["a"], found["b"][1], found["e"]) == (1, {"c": "d"}, None)
    assert depth(found["deep"]) == DEEPEST - 1


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a":', '{"a": ' * 9000, nested(9000)[:-1], "\xff"])
def test_what_is_no_object_is_unreadable(text: str) -> None:
    """Also where it is cut off in its depths."""
    with pytest.raises(Unreadable):
        json_object(text.encode("latin-1"))
