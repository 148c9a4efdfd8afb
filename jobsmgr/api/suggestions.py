"""What was probably meant by a name that does not exist, as the end of a message. No name is looked up here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean "x"?` for the most similar of the known names, other advice where none is similar."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'did you mean "{near[0]}"?' if near else otherwise
