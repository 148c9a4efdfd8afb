"""JSON given as YAML: where values begin and end, and escapes that YAML's parser refuses. Nothing is parsed here."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"\s*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_HALF = re.compile(r"\\ud[89ab]", re.IGNORECASE)
_ESCAPE = re.compile(r"(?P<pair>\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\.", re.IGNORECASE)


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


def joined_pairs(text: str) -> str:
    r"""JSON with the characters that pairs of escapes (`\ud83d\ude00`) stand for, which YAML has no pairs for.

    Spaces after a string make up for the difference, so that every position stays the same.
    """
    return _STRING.sub(_joined, text) if _HALF.search(text) else text


def _joined(string: re.Match[str]) -> str:
    shorter = _ESCAPE.sub(_character, string[0])
    return shorter + " " * (len(string[0]) - len(shorter))


def _character(escape: re.Match[str]) -> str:
    pair: str | None = escape["pair"]
    return escape[0] if pair is None else str(json.loads(f'"{pair}"'))
