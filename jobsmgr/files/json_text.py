"""JSON given as YAML: where values begin and end, and what of it YAML's parser refuses. Nothing is parsed here."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[\s\ufeff]*")
"""Between values; a byte order mark is what a joined file began with."""
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_FOREIGN = re.compile(r"\\ud[89a-f]|[\x7f-\x84\x86-\x9f\ufffe\uffff]", re.IGNORECASE)
"""What JSON has and YAML has not: halves of a character as escapes, and control characters that are no escapes."""
_PART = re.compile(
    r"(?P<pair>\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|(?P<half>\\ud[89a-f][0-9a-f]{2})|\\."
    r"|(?P<control>[\x7f-\x84\x86-\x9f\ufffe\uffff])",
    re.IGNORECASE,
)


def json_spans(text: str) -> list[tuple[int, int]]:
    """Where each of several JSON values in a row begins and ends; empty for what is not JSON all through."""
    decoder, found, index = json.JSONDecoder(), [], 0
    while (begin := _after_space(text, index)) < len(text):
        try:
            _, index = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return []
        found.append((begin, index))
    return found


def _after_space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    return match.end() if match else index


def as_yaml(text: str) -> str:
    r"""JSON in which strings are written as YAML can read them.

    A pair of escapes (`\ud83d\ude00`) is the character that it stands for, half of one is U+FFFD as in Go, a control
    character is an escape. Where a string gets shorter, spaces after it keep every position the same.
    """
    return _STRING.sub(_readable, text) if _FOREIGN.search(text) else text


def _readable(string: re.Match[str]) -> str:
    written = _PART.sub(_character, string[0])
    return written + " " * (len(string[0]) - len(written))


def _character(part: re.Match[str]) -> str:
    if part["pair"]:
        return str(json.loads(f'"{part["pair"]}"'))
    if part["half"]:
        return "\ufffd"
    return f"\\u{ord(part['control']):04x}" if part["control"] else part[0]
