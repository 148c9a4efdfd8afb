"""A job's output as lines that are safe to print."""

import pytest

from jobsmgr.views.log_lines import LONGEST, LogLines


def lines(*chunks: bytes) -> list[str]:
    found: list[str] = []
    splitter = LogLines(found.append)
    for chunk in chunks:
        splitter.write(chunk)
    splitter.finish()
    return found


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a", b"b\nc"), ["ab", "c"]),
        ((b"\xe2\x9c", b"\x94\n"), ["✔"]),
        ((b"a\r\nb\r\n",), ["a", "b"]),
        ((b"10%\r20%\r100%\r\n",), ["100%"]),
        ((b"\x1b[1;31mred\x1b[0m\x1b[K\n",), ["red"]),
        ((b"\x1b[2J\x07\n",), ["\\x1b[2J\\x07"]),
        ((b"a\tb\n",), ["a       b"]),
        ((b"\xff\xfe\n",), ["\ufffd\ufffd"]),
        ((b"\n\n",), ["", ""]),
        ((), []),
    ],
)
def test_lines(chunks: tuple[bytes, ...], expected: list[str]) -> None:
    """However the bytes come, and whatever they are."""
    assert lines(*chunks) == expected


def test_a_line_without_end_is_broken() -> None:
    """Output without line breaks fills no memory."""
    found = lines(*[b"x" * 1000] * 100)
    assert "".join(found) == "x" * 100_000
    assert max(map(len, found)) <= LONGEST
