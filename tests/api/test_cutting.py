"""Texts cut to bytes as an API server stores them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr.api.cutting import cut, stored_bytes, text_bytes

TEXT = st.text(st.sampled_from('a"\\\n\x00<&\u2028é漢\U0001f600\ud83d\u0301') | st.characters(codec=None), max_size=60)


@given(TEXT, st.integers(0, 200))
def test_a_text_is_cut_to_whole_characters_that_fit(text: str, most: int) -> None:
    """It is itself or a beginning and an ellipsis; cut again it stays; with one character more it would not fit."""
    found = cut(text, most)
    assert text_bytes(found) <= most
    assert cut(found, most) == found
    if found != text and found:
        kept = found.removesuffix("...")
        assert text.startswith(kept)
        assert text_bytes(text[: len(kept) + 1]) + 3 > most
    assert (found == text) == (text_bytes(text) <= most)


@pytest.mark.parametrize(
    ("text", "size"),
    [("a", 1), ("é", 2), ("漢", 3), ("\U0001f600", 4), ('"', 2), ("\\", 2), ("\n", 2), ("\x01", 6), ("<", 6), ("&", 6)],
)
def test_sizes_are_those_of_the_stored_form(text: str, size: int) -> None:
    """UTF-8, with the escapes of Go's JSON."""
    assert text_bytes(text) == size
    assert stored_bytes({text: [text]}) == 2 * size + len('{"":[""]}')


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text("abc"), lambda one: st.lists(one)))
def test_what_needs_no_escape_has_the_size_of_its_json(value: Any) -> None:
    """Compact."""
    assert stored_bytes(value) == len(json.dumps(value, separators=(",", ":")))
