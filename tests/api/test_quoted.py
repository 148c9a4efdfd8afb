"""Values as messages quote them."""

import pytest

from jobsmgr.api.errors import quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("größe", '"größe"'),
        ("a\x1b[31m\n", '"a\\u001b[31m\\n"'),
        ("\ud83c", '"\\ud83c"'),  # half a character, as JSON may hold one: no stream could print it
        (None, "null"),
        ([True, 1.5], "[true, 1.5]"),
        ("x" * 58, f'"{"x" * 58}"'),
        ("x" * 59, f'"{"x" * 56}...'),
    ],
)
def test_as_yaml_could_have_it(value: object, text: str) -> None:
    """In the words of the file, not of Python; short, and fit for any terminal."""
    assert quoted(value) == text
