"""All that crosses the process's boundary is UTF-8, whatever the locale: words, variables, files, output."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import PROGRAM
from tests.cli.runs import file_of

LATIN = "de_DE.ISO-8859-1"
LOCALES = {
    "C": {"LC_ALL": "C"},
    "POSIX": {"LC_ALL": "POSIX"},
    "LANG=C": {"LANG": "C"},
    "C without Python's own cure": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "LANG=C without it": {"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"LC_ALL": LATIN},
    "latin-1 with PYTHONUTF8=0": {"LANG": LATIN, "PYTHONUTF8": "0"},
    "nothing": {},
}
WORD = "grün 語 😀"
FILE = file_of(
    f'name: j, command: [sh, -c, \'printf "%s|%s|%s\\\\n" "$0" "$A" "$B"\', \'{WORD}\'],'
    " params: {env: [{name: A, value: 'ü $(B)'}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}]}",
    more="  params: {env: [{name: B, valueFrom: {secretKeyRef: {name: s, key: k}}}], annotations: {fuer: ß}}\n",
)
SECRET = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{k: '{WORD}'}}\n"


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a locale of another encoding, made by the C library's own tool."""
    folder = tmp_path_factory.mktemp("locales")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / LATIN)], check=True)
    return folder


def _run(locale: str, locales: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    environment = {**kept, "LOCPATH": str(locales), **LOCALES[locale]}
    return subprocess.run([PROGRAM, *words], capture_output=True, check=False, env=environment, cwd=folder)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_run_is_the_same_in_every_locale(locale: str, locales: Path, tmp_path: Path) -> None:
    """Its file's name, its job's words and variables, its output, its log and its result."""
    (tmp_path / "übung 語.yaml").write_text(FILE + SECRET, encoding="utf-8")
    words = ("run", "--executor", "process", "--show-secrets", "--output-dir", "ergebnis ü", "übung 語.yaml")
    done = _run(locale, locales, tmp_path, *words)
    assert done.returncode == 0, done.stdout.decode()
    expected = f"{WORD}|ü {WORD}|{WORD}"
    assert (tmp_path / "ergebnis ü/wf/g/j-1.log").read_text("utf-8") == f"{expected}\n"
    assert expected in done.stdout.decode()
    result = json.loads((tmp_path / "ergebnis ü/result.json").read_bytes())
    assert result["workflows"][0]["groups"][0]["jobs"][0]["compiledParams"]["annotations"] == {"fuer": "ß"}


@pytest.mark.parametrize("words", ["lint", "lint -o json", "render", "explain", "graph", "run --executor simulate"])
def test_other_commands_are_the_same_in_every_locale(words: str, locales: Path, tmp_path: Path) -> None:
    """Byte by byte; a mistake in a file of such a name too."""
    (tmp_path / "ü 語.yaml").write_text(FILE + SECRET, encoding="utf-8")
    (tmp_path / "ö.yaml").write_text(FILE.replace("name: j,", "name: 語,"), encoding="utf-8")
    for file in ("ü 語.yaml", "ö.yaml"):
        results = {
            (done.returncode, done.stderr, re.sub(rb" in .*s ", b"", done.stdout))
            for locale in ("nothing", "C without Python's own cure", "latin-1 with PYTHONUTF8=0")
            for done in [_run(locale, locales, tmp_path, *words.split(), file)]
        }
        assert len(results) == 1
        assert b"bug" not in next(iter(results))[1]


def test_a_name_that_is_no_text_is_written_out(locales: Path, tmp_path: Path) -> None:
    """Files may be called anything; JSON holds what UTF-8 can."""
    name = os.fsdecode(b"\xff.yaml")
    (tmp_path / name).write_text(FILE.replace("command", "comand"), encoding="utf-8")
    done = _run("C", locales, tmp_path, "lint", "-o", "json", name)
    assert json.loads(done.stdout)[0]["file"] == "\\udcff.yaml"
    assert rb"\udcff.yaml:" in _run("C", locales, tmp_path, "lint", name).stdout


def test_half_of_a_line_begins_with_a_whole_character(locales: Path, tmp_path: Path) -> None:
    """What a job printed last may be longer than what is kept of it."""
    (tmp_path / "wf.yaml").write_text(file_of("name: j, command: [sh, -c, 'printf %05000d 0 | sed s/0/ä/g']"))
    done = _run("nothing", locales, tmp_path, "run", "--executor", "process", "wf.yaml")
    assert "\ufffd" not in done.stdout.decode()
    assert done.stdout.decode().count("ä") == 5000
