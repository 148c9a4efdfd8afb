"""Objects as a chart's templates, read back by Helm as the same objects."""

from pathlib import Path
from typing import Any

import pytest

from manifests.generate.templates import Templates, for_each, only_if
from tests.installation.support import helm, loaded

HEAD = "apiVersion: v2\nname: one\nversion: 1.0.0\n"


def rendered(folder: Path, template: str, *values: str) -> Any:
    """The one object of a chart with this template alone."""
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text(HEAD)
    (folder / "templates" / "one.yaml").write_text(template)
    done = helm("template", "r", str(folder), *(part for value in values for part in ("--set-json", value)))
    assert (done.returncode, done.stderr) == (0, "")
    return [*loaded(done.stdout).values()]


def config_map(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


@pytest.mark.parametrize(
    "text", ["{{ $labels.namespace }}", "a {{`b`}} }}", "line\n{{- end }}\n", "__VALUE0_", "1e3", '{{ "{{" }}']
)
def test_text_that_looks_like_an_action_is_none(tmp_path: Path, text: str) -> None:
    """It is written out as it is."""
    found = config_map(text=text)
    assert rendered(tmp_path, Templates().text([found])) == [found]


def test_actions_stand_where_their_marks_are(tmp_path: Path) -> None:
    """A value inside a text and alone, a number, a tree, what is given, and what is there under a condition."""
    marks = Templates()
    name = marks.value("$.Values.name")
    one = config_map(
        name=name,
        longer=f"{name}-x",
        count=marks.number("$.Values.count"),
        tree=marks.tree("$.Values.tree"),
        **marks.given("$.Values.tree", "given"),
        **marks.given("$.Values.missing", "missing"),
        **marks.when("$.Values.yes", {"three": {"is": name}}),
        **marks.when("$.Values.no", {"four": "4"}),
        list=[*marks.item("$.Values.yes", {"is": name}), *marks.item("$.Values.no", "no"), "last"],
    )
    values = ('name="1e3"', "count=3", "yes=true", "no=false", 'tree={"a":[1,{"b":"c"}]}')
    tree = {"a": [1, {"b": "c"}]}
    expected = config_map(name="1e3", longer="1e3-x", count=3, tree=tree, given=tree, three={"is": "1e3"})
    expected["data"]["list"] = [{"is": "1e3"}, "last"]
    assert rendered(tmp_path, marks.text([one]), *values) == [expected]


def test_a_template_for_each_element_and_under_a_condition(tmp_path: Path) -> None:
    """As many objects as there are elements; none where the condition does not hold."""
    marks = Templates()
    one = {**config_map(), "metadata": {"name": marks.value("$each")}}
    each = for_each("$.Values.names", "each", marks.text([one]))
    other = only_if("$.Values.other", marks.text([config_map()]))
    found = rendered(tmp_path, each + other, 'names=["a","1"]', "other=false")
    assert [object_["metadata"]["name"] for object_ in found] == ["a", "1"]
