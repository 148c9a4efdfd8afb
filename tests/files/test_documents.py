"""Files, folders and standard input as documents, and where a field of one stands."""

from pathlib import Path

import pytest

from jobsmgr.files.documents import Document
from jobsmgr.files.errors import UnusableFile
from jobsmgr.files.positions import Position
from jobsmgr.files.reading import load_documents, read_documents

TEXT = """\
kind: ManagedJob
metadata:
  name: a
  labels:
    example.com/team: x
    plain: y
spec:
  params:
    volumeMounts:
      - name: v
        mountPath: /v
    resources:
      limits:
        nvidia.com/gpu: 1
  groups:
    - name: g
      jobs: []
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "a.yaml"
    path.write_text(TEXT)
    (found,) = read_documents(str(path))
    return found


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("", 1, 1),
        ("kind", 1, 7),
        ("metadata.name", 3, 9),
        ("metadata.labels[plain]", 6, 12),
        ("metadata.labels[example.com/team]", 5, 23),
        ("spec.params.resources.limits[nvidia.com/gpu]", 14, 25),
        ("spec.params.resources.limits.nvidia.com/gpu", 14, 25),
        ("spec.params.volumeMounts[0].mountPath", 11, 20),
        ("spec.params.volumeMount[0].name", 10, 15),
        ("spec.groups[0]", 16, 7),
        ("spec.groups[0].jobs", 17, 7),
    ],
)
def test_a_field_has_its_place(document: Document, path: str, line: int, column: int) -> None:
    """A scalar where it begins, a list or object in a field at its key; `volumeMount` under its alias too."""
    assert document.position(path) == Position(line, column)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("spec.groups[0].image", 16, 7),
        ("spec.groups[0].jobs[3].name", 17, 7),
        ("spec.groups[7].name", 15, 3),
        ("spec.retries", 7, 1),
        ("status.phase", 1, 1),
        ("kind.inner", 1, 7),
    ],
)
def test_a_field_that_is_missing_stands_where_its_parent_does(
    document: Document, path: str, line: int, column: int
) -> None:
    """The innermost part that is there."""
    assert document.position(path) == Position(line, column)


def test_a_key_stands_before_its_value(document: Document) -> None:
    """For findings about the key itself."""
    assert document.key_position("metadata.name") == Position(3, 3)
    assert document.key_position("metadata.labels[example.com/team]") == Position(5, 5)
    assert document.key_position("metadata.missing") == Position(2, 1)
    assert document.where("metadata.name").endswith("a.yaml:3:9")


def test_documents_are_counted_within_their_file(tmp_path: Path) -> None:
    """Empty ones are none."""
    (tmp_path / "a.yaml").write_text("---\n---\nkind: A\n---\n# nothing\n---\nkind: B\nmetadata: {name: b}\n")
    (tmp_path / "b.json").write_text('{"kind": "C"}')
    found = load_documents([str(tmp_path)])
    assert [(each.kind, each.name, each.index) for each in found] == [("A", "", 0), ("B", "b", 1), ("C", "", 0)]


def test_items_of_a_list_keep_their_remarks(tmp_path: Path) -> None:
    """Each its own, with paths that count from the item."""
    path = tmp_path / "list.yaml"
    path.write_text("kind: List\nitems:\n- kind: A\n- kind: B\n  x: y\n  z: [on]\n")
    first, second = load_documents([str(path)])
    assert (first.kind, second.kind, first.ambiguities) == ("A", "B", ())
    assert [(each.path, each.text) for each in second.ambiguities] == [("x", "y"), ("z[0]", "on")]
    assert second.position("z[0]") == Position(6, 7)


def test_a_list_of_one_kind_is_a_list_too(tmp_path: Path) -> None:
    """As `kubectl get --raw` prints it, and kubectl applies it."""
    path = tmp_path / "list.yaml"
    path.write_text("kind: ManagedJobList\nitems:\n- kind: ManagedJob\n  metadata: {name: a}\n")
    assert [(each.kind, each.name) for each in load_documents([str(path)])] == [("ManagedJob", "a")]


def test_json_values_may_follow_each_other(tmp_path: Path) -> None:
    """As `jq '.items[]'` prints them: each has its place in the file."""
    path = tmp_path / "stream.json"
    path.write_text('{"kind": "A",\n\t"x": 1}\n{"kind": "B", "x":\n2} {"kind": "C",  "x": 3}\n')
    found = load_documents([str(path)])
    assert [(each.kind, each.index, each.position("x")) for each in found] == [
        ("A", 0, (2, 7)),
        ("B", 1, (4, 1)),
        ("C", 2, (4, 24)),
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\ud83d\ude00", "😀"),
        (r"x\uD83D\uDE00\ud83d\ude01y", "x😀😁y"),
        (r"\\ud83d\\ude00", r"\ud83d\ude00"),
        (r"\\\ud83d\ude00\"\n", '\\😀"\n'),
        (r"\u00e9\ud83d\ude00", "é😀"),
    ],
)
@pytest.mark.parametrize("ahead", ["", '{"kind": "A"}\n'], ids=["alone", "second"])
def test_json_writes_some_characters_as_two(written: str, meant: str, ahead: str, tmp_path: Path) -> None:
    """As Python's json does by itself; what stands behind them on the line stays in its place."""
    path = tmp_path / "a.json"
    path.write_text(f'{ahead}{{"{written}": "{written}", "kind": "B"}}')
    found = load_documents([str(path)])[-1]
    assert found.value == {meant: meant, "kind": "B"}
    line = path.read_text().splitlines()[-1]
    assert found.position("kind") == (2 if ahead else 1, line.index('"B"') + 1)


@pytest.mark.parametrize("text", ['{"a": 1}\n{"a":\n', "{a: 1}\n{b: 2}\n", '{"a": 1} x\n', '{"a":' * 100_000])
def test_what_begins_like_json_and_is_none_is_read_as_yaml(text: str, tmp_path: Path) -> None:
    """And refused as such."""
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UnusableFile, match=f"^{path}"):
        load_documents([str(path)])


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """However often and by whatever name it is given."""
    path = tmp_path / "a.yaml"
    path.write_text("kind: A\n")
    (tmp_path / "b.yaml").symlink_to(path)
    found = load_documents([str(path), str(tmp_path), f"{tmp_path}/../{tmp_path.name}/a.yaml", str(path)])
    assert [each.source for each in found] == [str(path)]


def test_standard_input_is_given_once() -> None:
    """A second time nothing would be left."""
    with pytest.raises(UnusableFile, match=r"^standard input can be read only once; give - once$"):
        load_documents(["-", "-"])


def test_an_empty_name_is_no_folder() -> None:
    """As a shell gives it for a variable that is not set: not the working directory."""
    with pytest.raises(UnusableFile, match=r'^"" is not a file name; name a file, a folder, or - for standard input$'):
        load_documents([""])


def test_an_empty_file_among_others_of_a_folder_is_passed_over(tmp_path: Path) -> None:
    """It is refused where it is named, and where there is nothing else."""
    (tmp_path / "a.yaml").write_text("# nothing yet\n")
    for paths in ([tmp_path], [tmp_path / "a.yaml"]):
        with pytest.raises(UnusableFile, match="is empty; expected a ManagedJob"):
            load_documents(map(str, paths))
    (tmp_path / "b.yaml").write_text("kind: A\n")
    assert [each.kind for each in load_documents([str(tmp_path)])] == ["A"]
    with pytest.raises(UnusableFile, match="is empty; expected a ManagedJob"):
        load_documents([str(tmp_path), str(tmp_path / "a.yaml")])


@pytest.mark.parametrize("text", ["kind: List\n", "kind: List\nitems: 3\n", "kind: List\nitems: {a: 1}\n"])
def test_a_list_without_items_is_a_document_like_others(text: str, tmp_path: Path) -> None:
    """Nothing is made up."""
    (tmp_path / "a.yaml").write_text(text)
    assert [each.kind for each in load_documents([str(tmp_path / "a.yaml")])] == ["List"]


@pytest.mark.parametrize(
    "text", ["- 1\n", "text\n", "5\n", "kind: 5\nmetadata: []\n", "kind: {a: b}\nmetadata: {name: [1]}\n"]
)
def test_what_is_no_object_has_no_kind_that_matters(text: str, tmp_path: Path) -> None:
    """And no name; asking does not fail."""
    (tmp_path / "a.yaml").write_text(text)
    (found,) = load_documents([str(tmp_path)])
    assert isinstance(found.kind, str)
    assert isinstance(found.name, str)


def test_a_syntax_error_of_one_file_names_it(tmp_path: Path) -> None:
    """With line and column."""
    (tmp_path / "a.yaml").write_text("a: b\n")
    (tmp_path / "b.yaml").write_text("a: {\n")
    with pytest.raises(UnusableFile, match=rf"^{tmp_path}/b.yaml:2:1: "):
        load_documents([str(tmp_path)])
