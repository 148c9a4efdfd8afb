"""Values of Secrets do not leave a run, however its output comes."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobsmgr.local.masking import Mask, _Output


def shown(values: list[bytes], *chunks: bytes) -> bytes:
    """What is left of output that comes in these pieces."""
    found: list[bytes] = []
    output = _Output(Mask(values), found.append)
    for chunk in chunks:
        output.write(chunk)
    output.finish()
    return b"".join(found)


KEY = b"-----BEGIN KEY-----\nabcdefgh\nij\n-----END KEY-----\n"
TOKEN = b"s3cret-token"


@pytest.mark.parametrize(
    ("values", "output", "expected"),
    [
        ([TOKEN], b"a s3cret-token b", b"a *** b"),
        ([TOKEN], b"s3cret-tokens3cret-token", b"******"),
        ([TOKEN], b"s3cret-toke", b"s3cret-toke"),
        ([TOKEN + b"\n"], b"s3cret-token\n", b"***\n"),
        ([b"abc"], b"abc", b"abc"),
        ([b"", b"  \n"], b"a \n", b"a \n"),
        (["äöü".encode()], "äöü".encode(), "äöü".encode()),
        (["äöüß".encode()], "äöüß".encode(), b"***"),
        ([b"pass", b"password"], b"password pass passw", b"*** *** ***w"),
        ([KEY], KEY, b"***\n***\nij\n***\n"),
        ([KEY], KEY.replace(b"\n", b"\r\n"), b"***\r\n***\r\nij\r\n***\r\n"),
        ([KEY], json.dumps(KEY.decode()).encode(), b'"***"'),
        ([b'say "so"'], b'{"a": "say \\"so\\""}', b'{"a": "***"}'),
        ([TOKEN], base64.b64encode(TOKEN), b"***"),
        ([TOKEN], base64.b64encode(TOKEN + b"\n"), b"***"),
        ([b"token"], base64.b64encode(b"token").rstrip(b"="), b"***"),
        ([b"\xff\xfe\xfd\xfc>>>???"], base64.urlsafe_b64encode(b"\xff\xfe\xfd\xfc>>>???"), b"***"),
        ([b"x" * 90], base64.encodebytes(b"x" * 90), b"***\n***\n"),
        ([b"x" * 9000], b"x" * 9000, b"*********"),
        ([b"\xff\xfe\xfd\xfc"], b"a\xff\xfe\xfd\xfcb", b"a***b"),
    ],
)
def test_what_is_shown(values: list[bytes], output: bytes, expected: bytes) -> None:
    """In one piece, and byte by byte."""
    assert shown(values, output) == expected
    assert shown(values, *(output[index : index + 1] for index in range(len(output)))) == expected


@given(
    st.lists(st.binary(min_size=1, max_size=6).map(lambda value: value.replace(b"\r", b"a")), max_size=4),
    st.lists(st.sampled_from([b"a", b"b", b"\n", b"abab", b"aabb", b"\xc3\xa4"]), max_size=20),
    st.data(),
)
def test_no_piece_of_output_is_lost_or_shown(values: list[bytes], pieces: list[bytes], data: st.DataObject) -> None:
    """However it is cut, it is the same; and no value is in it but where the mask stands."""
    values += [b"abab", b"aabb\nbbaa"]
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert shown(values, *chunks) == Mask(values).output(whole)
    assert b"abab" not in shown(values, *chunks)


def test_what_cannot_become_a_value_is_handed_on_at_once() -> None:
    """A prompt without a line's end is seen while its job waits."""
    found: list[bytes] = []
    output = _Output(Mask([TOKEN]), found.append)
    output.write(b"continue? ")
    assert found == [b"continue? "]
    output.write(b"yes s3c")
    assert found[1:] == [b"yes "]
