"""A version in SemVer's form, for tools that know no other."""

import pytest

from release.versions import semver


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.3", "1.2.3"),
        ("0.1.0.dev241", "0.1.0-dev.241"),
        ("1.2.0rc1", "1.2.0-rc.1"),
        ("1.2.0b2.dev3", "1.2.0-beta.2.dev.3"),
        ("0.0", "0.0.0"),
    ],
)
def test_both_forms_say_the_same(version: str, expected: str) -> None:
    """Three numbers, and what comes before a release behind a dash."""
    assert semver(version) == expected


@pytest.mark.parametrize("version", ["1.2.3+local", "v1.2", "", "1.2.3.post1"])
def test_anything_else_is_refused(version: str) -> None:
    """Rather than passed on in a form that a tool refuses later."""
    with pytest.raises(ValueError, match="is no version of a release"):
        semver(version)
