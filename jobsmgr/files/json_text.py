"""JSON where YAML is read: where values begin and end, and what YAML's parser would refuse. Nothing is read here."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"\s*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_HALF = re.compile(r"\\ud[89ab]", re.IGNORECASE)
_ESCAPE = re.compile(r"(?P<pair>\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\.", re.IGNORECASE)


def json_spans(text: str) -> list[tuple[int, int]]:
    """Where each of several JSON values in a row begins and ends; empty for what is not JSON all through."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while (begin := _behind_space(text, at)) < len(text):
        try:
            _, at = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return []
        found.append((begin, at))
    return found


def _behind_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def joined_pairs(text: str) -> str:
    r"""JSON with the characters that pairs of escapes (`\ud83d\ude00`) stand for, which YAML knows no pairs for.

    Spaces behind a string make up for its length, so that everything else stays where it was.
    """
    return _STRING.sub(_joined, text) if _HALF.search(text) else text


def _joined(string: re.Match[str]) -> str:
    shorter = _ESCAPE.sub(_character, string[0])
    return shorter + " " * (len(string[0]) - len(shorter))


def _character(escape: re.Match[str]) -> str:
    pair: str | None = escape["pair"]
    return escape[0] if pair is None else str(json.loads(f'"{pair}"'))
