"""Templates and orders of objects, as kubectl has them (`tests/e2e` runs kubectl beside the program)."""

from typing import Any

import pytest

from jobsmgr.views.objects import BadTemplate, by_template, check_path, check_template, sorted_by

ITEMS: list[dict[str, Any]] = [{"name": "b", "n": 10, "tags": {"x.y/z": "1"}}, {"name": "a", "n": 9}, {"name": "c"}]
WHOLE = {"items": ITEMS}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].name}", "b a c"),
        (".items[0].name", "b"),
        ("{.items[-1].name}", "c"),
        ("{.items[9].name}", ""),
        (r"{.items[0].tags.x\.y/z}", "1"),
        ("{.items[0]['name']}", "b"),
        ('{.items[?(@.name=="a")].n}', "9"),
        ('{range .items[*]}{.name}={.n}{"\\n"}{end}', "b=10\na=9\nc=\n"),
        ("all: {.items[1]}", 'all: {"name":"a","n":9}'),
    ],
)
def test_a_template(template: str, text: str) -> None:
    """Paths, filters, ranges and literal text."""
    assert by_template(WHOLE, template) == text


@pytest.mark.parametrize("template", ["{.a", "{range .items[*]}{.name}", "{.a b}", '{"x}', "}"])
def test_a_wrong_template(template: str) -> None:
    """It is refused before anything is asked for."""
    with pytest.raises(BadTemplate):
        check_template(template)


def test_an_order() -> None:
    """Numbers by value; what has no such field comes first."""
    assert [each["name"] for each in sorted_by(ITEMS, ".n")] == ["c", "a", "b"]
    assert [each["name"] for each in sorted_by(ITEMS, "{.name}")] == ["a", "b", "c"]
    with pytest.raises(BadTemplate):
        check_path("metadata name")
