"""What a YAML scalar is to kubectl: the rules of the YAML library it uses. No documents are parsed here.

kubectl reads YAML 1.1 with changes: `y` and `n` are booleans too, numbers may have Go's prefixes (`0o777`), base 60 and
time stamps are strings, and a number that is whole is an integer (`1e3` is 1000), because YAML becomes JSON first.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_TRUE = ("y", "yes", "true", "on")
_FALSE = ("n", "no", "false", "off")
_NAN_OR_INFINITE = re.compile(r"\.(nan|NaN|NAN)|[-+]?\.(inf|Inf|INF)")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CANONICAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_BASES = {"x": 16, "b": 2, "o": 8}
_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "null": (type(None),),
}
_NUMBER_START = frozenset("+-.0123456789")


def _spellings(words: tuple[str, ...]) -> list[str]:
    return [form for word in words for form in (word, word.capitalize(), word.upper())]


WORDS: dict[str, Scalar] = {
    **dict.fromkeys(_spellings(_TRUE), True),
    **dict.fromkeys(_spellings(_FALSE), False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
}
"""Plain scalars that look like words and are not strings."""


class NotJson(ValueError):
    """A scalar that kubectl refuses because JSON has nothing like it."""


def plain(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar. Raises `NotJson` for infinities and NaN."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _NAN_OR_INFINITE.fullmatch(text):
        raise NotJson(f"`{text}` is a number that JSON cannot represent")
    if text[0] == ".":
        return _float(text) if _FLOAT.fullmatch(text) else text
    return _number(text, text.replace("_", ""))


def _number(text: str, digits: str) -> Scalar:
    if _INTEGER.fullmatch(digits):
        value = _integer(digits)
        if -(2**63) <= value < 2**63 or (0 <= value < 2**64 and digits[0] not in "+-"):
            return value
    return _float(digits, text) if _FLOAT.fullmatch(digits) else text


def _integer(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    body = digits.lstrip("+-")
    if body[:1] == "0" and len(body) > 1:
        base = _BASES.get(body[1].lower(), 8)
        return sign * int(body[2:] if body[1].isalpha() else body, base)
    return sign * int(body)


def _float(digits: str, text: str | None = None) -> Scalar:
    value = float(digits)
    if math.isinf(value):
        return text or digits
    return whole(value)


def tagged(kind: str, text: str) -> Scalar:
    """The value of a scalar with one of YAML's own tags (`int` of `!!int`). Raises ValueError where it is none."""
    if kind == "binary":
        return _from_base64(text)
    if kind not in _KINDS:
        return text
    value = plain(text)
    if type(value) not in _KINDS[kind]:
        raise ValueError(text)
    return value


def _from_base64(text: str) -> str:
    import base64
    import binascii

    try:
        return base64.b64decode(text).decode(errors="replace")
    except binascii.Error:
        raise ValueError(text) from None


def whole(value: float) -> int | float:
    """A number as JSON carries it to the API server: an integer where it is one."""
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def is_ambiguous(text: str, value: Scalar) -> bool:
    """Whether a plain scalar is something else than most readers expect (`y`, `on`, `0777`, `1e3`, `1_000`)."""
    if isinstance(value, bool):
        return text.lower() not in ("true", "false")
    if isinstance(value, int | float):
        return _CANONICAL.fullmatch(text) is None
    return False


def reads_as_text(text: str) -> bool:
    """Whether kubectl takes a plain scalar for the very string that it is."""
    try:
        return plain(text) == text
    except NotJson:
        return False
