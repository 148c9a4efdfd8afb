"""Folders as users have them: templates beside workflows, and what is left out by a pattern."""

from pathlib import Path

import pytest

from jobsmgr.files.errors import TemplateFile, UnusableFile
from jobsmgr.files.paths import expand
from jobsmgr.files.reading import load_documents, read_documents
from tests.cli.program import ONE_JOB, run

TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n{{- if .Values.more }}\n{{ end }}\n"
QUOTED = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "{{ .Release.Name }}-a"\n'
HOLDS_BRACES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: alerts}\ndata: {text: 'a {{ .Labels.job }} b'}\n"
FILES = {
    "wf.yaml": ONE_JOB,
    "settings.yaml": HOLDS_BRACES,
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\n",
    "chart/values.yaml": "name: a\n",
    "chart/templates/config.yaml": TEMPLATE,
    "chart/templates/quoted.yaml": QUOTED,
    "chart/templates/NOTES.txt": "{{ nothing }}",
    "other/broken.yaml": "a: [\n",
    "other/deep/broken.json": "{",
}
COMMANDS = ["lint", "render", "explain", "graph", "run --executor simulate"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_templates_are_passed_over(command: str, folder: Path) -> None:
    """By every command; what else is broken is not."""
    done = run(*command.split(), str(folder), "--exclude", "other")
    assert done.code == 0, done.err
    done = run(*command.split(), str(folder))
    assert done.code in (1, 2)
    assert "broken" in done.out + done.err


def test_lint_counts_them(folder: Path) -> None:
    """And reads what holds braces without being a template."""
    assert run("lint", str(folder), "--exclude", "other").err.startswith("1 workflow, 2 templates skipped: ")
    assert [document.name for document in load_documents([str(folder / "settings.yaml")])] == ["alerts"]
    done = run("lint", str(folder / "chart"))
    assert done.code == 2
    assert "(found: no kind, 2 templates skipped)" in done.err


def test_a_template_of_a_workflow_is_an_error(folder: Path) -> None:
    """With the way to check it."""
    (folder / "wf.yaml").write_text(ONE_JOB.replace("name: wf", "name: {{ .Values.name }}"))
    done = run("lint", str(folder / "wf.yaml"))
    assert done.code == 1
    assert "render templates first (helm template . | jobsmgr lint -), or skip the file with --exclude" in done.out


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_a_template_alone_is_no_input(command: str, folder: Path) -> None:
    """It says what it is."""
    done = run(*command.split(), str(folder / "chart/templates"))
    assert done.code == 2
    assert "is a template, without a workflow; render it first (helm template)" in done.err


@pytest.mark.parametrize(
    "text", [TEMPLATE, QUOTED, "{{- range .Values.all }}\na: b\n{{- end }}\n", "{{ toYaml .x }}\n"]
)
def test_what_is_a_template(text: str, tmp_path: Path) -> None:
    """It cannot be read, or its names are to be filled in."""
    (file := tmp_path / "a.yaml").write_text(text)
    with pytest.raises(TemplateFile):
        read_documents(str(file))


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        (["other", "chart"], {"wf.yaml", "settings.yaml"}),
        (["*.yaml"], {"other/deep/broken.json"}),
        (["broken.*", "chart/templates", "c*"], {"wf.yaml", "settings.yaml"}),
        (["chart/*", "other/"], {"wf.yaml", "settings.yaml"}),
        (["./other", "./chart/"], {"wf.yaml", "settings.yaml"}),
        (["deep"], set(FILES) - {"other/deep/broken.json", "chart/templates/NOTES.txt"}),
        (["other/deep"], set(FILES) - {"other/deep/broken.json", "chart/templates/NOTES.txt"}),
        (["eep", "ther/*"], set(FILES) - {"chart/templates/NOTES.txt"}),
    ],
)
def test_what_a_pattern_leaves_out(patterns: list[str], left: set[str], folder: Path) -> None:
    """A name anywhere, or a path below the folder; with a folder all that is in it."""
    found = {str(Path(file).relative_to(folder)) for file in expand([str(folder)], patterns)}
    assert found == left


def test_paths_fit_as_they_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell has put them in: `lint *.yaml --exclude wf.yaml`."""
    monkeypatch.chdir(folder)
    assert list(expand(["wf.yaml", "settings.yaml"], ["wf.yaml"])) == ["settings.yaml"]
    assert list(expand(["other", "wf.yaml"], ["other/broken.yaml"])) == ["other/deep/broken.json", "wf.yaml"]


def test_a_pattern_may_not_leave_out_everything(folder: Path) -> None:
    """A run of nothing is nobody's wish."""
    for path in (folder / "other", folder / "wf.yaml"):
        with pytest.raises(UnusableFile, match="--exclude skips every file in"):
            load_documents([str(path)], ["*"])
