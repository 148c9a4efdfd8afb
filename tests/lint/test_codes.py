"""docs/lint.md against the program: every code is on the page, every example is true."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from jobsmgr.api.codes import Code
from tests.cli.program import HEAD, METADATA, ROOT
from tests.lint.findings import codes, found

PAGE = (ROOT / "docs" / "lint.md").read_text()


class Section(NamedTuple):
    """A code's part of the page."""

    code: str
    title: str
    text: str

    def example(self, kind: str) -> str:
        """The YAML after "Bad:" or "Good:", with the first lines put in that the page leaves out."""
        blocks = re.findall(rf"^{kind}:\n\n```yaml\n(.*?)^```$", self.text, re.DOTALL | re.MULTILINE)
        assert len(blocks) == 1, f"{self.code} has {len(blocks)} examples that are {kind.lower()}"
        text: str = blocks[0]
        if text.startswith("apiVersion"):
            return text
        return HEAD + ("" if "metadata:" in text else METADATA) + text

    def also(self) -> set[str]:
        """What the bad example cannot but break too."""
        return set(re.findall(r"MJ\d{3}", "".join(re.findall(r"^Also found: (.*)$", self.text, re.MULTILINE))))


def _sections() -> Iterator[Section]:
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        code, _, title = heading.partition(": ")
        yield Section(code, title, text)


SECTIONS = {section.code: section for section in _sections()}


def test_the_page_has_every_code_with_its_title() -> None:
    """In order, and no other."""
    assert [(section.code, section.title) for section in _sections()] == [
        (code.value, code.heading) for code in sorted(Code)
    ]


def test_the_page_has_every_severity() -> None:
    """Each part begins with it."""
    stated = {code: section.text.split()[0].rstrip(".").lower() for code, section in SECTIONS.items()}
    assert stated == {code.value: code.severity.value for code in Code}


def test_codes_are_said_once() -> None:
    """In their table alone; and no two rules are one, as an Enum would have them."""
    sources = (ROOT / "jobsmgr").rglob("*.py")
    said = {code: source.name for source in sources for code in re.findall(r'"(MJ\d{3})"', source.read_text())}
    assert said == {code.value: "codes.py" for code in Code}
    assert list(Code) == list(Code.__members__.values())


@pytest.mark.parametrize("code", Code)
def test_the_bad_example_has_that_finding_alone(code: str) -> None:
    """Each bad example shows one mistake."""
    section = SECTIONS[code]
    assert codes(section.example("Bad")) == {code} | section.also()


@pytest.mark.parametrize("code", Code)
def test_the_good_example_has_none(code: str) -> None:
    """What is shown as good is."""
    assert found(SECTIONS[code].example("Good")) == []
