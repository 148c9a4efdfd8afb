"""A job's output as lines that are safe to print."""

import pytest

from jobsmgr.views.escape import printable, shortened
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


BROKEN = {
    "two bytes a character": "ä" * 100_000,
    "two bytes a character, from an odd place": "x" + "ä" * 100_000,
    "three bytes a character": "x" + "語" * 50_000,
    "four bytes a character": "xyz" + "😀" * 50_000,
    "sizes mixed": "aä語😀" * 20_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("size", [1, 1000, 4096, 65_536])
def test_a_line_is_broken_between_characters(text: str, size: int) -> None:
    """Whatever their size, and however the bytes come."""
    data = text[: 40_000 if size == 1 else None].encode()
    found = lines(*(data[start : start + size] for start in range(0, len(data), size)))
    assert "".join(found).encode() == data
    assert len(found) > 1


@pytest.mark.parametrize("color", [b"\x1b[1;31m", b"\x1b[38;2;255;100;0m", b"\x1b[K"])
@pytest.mark.parametrize("shift", range(20))
def test_a_line_is_broken_outside_escape_sequences(color: bytes, shift: int) -> None:
    """A colour that lies across the break is left out as any other."""
    data = b"x" * (LONGEST - shift) + color + b"y" * 100
    assert "".join(lines(data[:LONGEST], data[LONGEST:])) == "x" * (LONGEST - shift) + "y" * 100


@pytest.mark.parametrize("sequence", ["\x1b]8;;https://example.com/\x07", "\x1b]0;title\x1b\\", "\x1b(B", "\x1bc"])
@pytest.mark.parametrize("shift", range(1, 30))
def test_a_sequence_is_written_out_in_one_piece(sequence: str, shift: int) -> None:
    """One that is no colour is shown, all of it in one line."""
    data = b"x" * (LONGEST - shift) + sequence.encode() + b"y" * 100
    assert any(printable(sequence) in line for line in lines(data[:LONGEST], data[LONGEST:]))


def test_bytes_that_are_no_text_are_broken_too() -> None:
    """Nothing waits for a character or a sequence to end that never does."""
    for data in (b"\x80" * 100_000, b"\xff" * 100_000, b"\x1b]" + b"x" * 100_000, b"\x1b[" * 50_000):
        found = lines(data)
        assert len(found) >= len(data) // LONGEST


def test_what_was_written_out_is_not_cut_in_two() -> None:
    """A shortened text ends before an escape that does not fit."""
    whole = printable("ab\x1bcd\u202eef")
    assert whole == r"ab\x1bcd\u202eef"
    cut = {shortened(whole, most, "…") for most in range(len(whole) - 1)}
    assert cut == {"…", "a…", "ab…", r"ab\x1b…", r"ab\x1bc…", r"ab\x1bcd…", r"ab\x1bcd\u202e…"}
    assert shortened(whole, len(whole), "…") == whole
