"""The pages against the program: options, reasons, limits, examples and links are those there are."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from jobsmgr.api.crd import schema
from jobsmgr.api.sizes import MAX_OBJECT_BYTES, MAX_STATUS_BYTES
from jobsmgr.api.status import Reason
from jobsmgr.cli import main
from tests.cli.program import HEAD, ROOT, run

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMON = {"--help", "--verbose"}


def _rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the tables below a heading."""
    text = (ROOT / "docs" / page).read_text()
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"{page} has no {heading!r}"
    lines = [line for line in section[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize(("page", "command"), [("run.md", "run"), ("operator.md", "operator")])
def test_the_page_has_every_option_and_no_other(page: str, command: str) -> None:
    """In its table; what every command takes need not be there."""
    loaded = main.cli.get_command(click.Context(main.cli), command)
    assert loaded is not None
    options = [param for param in loaded.params if isinstance(param, click.Option)]
    known = {name for param in options for name in (*param.opts, *param.secondary_opts)}
    cells = " ".join(row[0] for row in _rows(page, "Options")).replace("\\|", "|")
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(re.findall(r"`([^`]*)`", cells))))
    assert named - known == set()
    missing = [param.opts for param in options if not named & set(param.opts) and not COMMON & set(param.opts)]
    assert [opts for opts in missing if opts != ["--color"]] == []


def test_every_reason_is_explained() -> None:
    """But for the one that no status ever has: who does not lead writes none."""
    text = "".join((ROOT / "docs" / page).read_text() for page in ("workflow.md", "operator.md"))
    assert [reason for reason in Reason if f"`{reason.value}`" not in text] == [Reason.NOT_LEADER]


def test_the_limits_are_those_of_the_schema() -> None:
    """To the number."""
    spec: Any = schema()
    group = spec["properties"]["groups"]["items"]["properties"]
    job = group["jobs"]["items"]["properties"]
    rows = dict(_rows("workflow.md", "Limits"))
    pair = (spec["properties"]["groups"]["maxItems"], group["jobs"]["maxItems"])
    assert rows["groups; jobs of a group"] == "{:,}; {:,}".format(*pair)
    assert rows["a group's or job's name"].startswith(f"{group['name']['maxLength']} characters")
    assert group["name"]["maxLength"] == job["name"]["maxLength"]
    pair = (group["dependencies"]["maxItems"], job["dependencies"]["maxItems"])
    assert rows["dependencies of a group; of a job"] == "{}; {}".format(*pair)
    whole = "the whole object, including the largest status that it can get"
    assert rows[whole].startswith(f"{MAX_OBJECT_BYTES >> 20} MiB")
    assert rows["the status"].startswith(f"with more than {MAX_STATUS_BYTES >> 10} KiB")


def test_every_parameter_is_explained() -> None:
    """How levels combine is said of each."""
    params = schema()["properties"]["params"]["properties"]
    said = " ".join(row[0] for row in _rows("workflow.md", "Parameters"))
    assert {name for name in params if f"`{name}`" not in said} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whole_workflows_on_a_page_are_clean(page: Path) -> None:
    """What is shown there is copied; docs/lint.md has its own test."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    for block in blocks if page.name != "lint.md" else ():
        if block.startswith(HEAD):
            done = run("lint", "--strict", "-", stdin=block)
            assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files that are there, and headings in them."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, target


def test_readme_leads_to_every_page() -> None:
    """By its own links, so that nobody has to list a folder."""
    linked = set(re.findall(r"\]\((docs/[^)#]+\.md)", PAGES[0].read_text()))
    assert {f"docs/{page.name}" for page in PAGES if page.parent.name == "docs"} - linked == set()


def test_the_go_operators_values_become_values_of_the_chart() -> None:
    """Each that the table gives in their place is one."""
    values = yaml.safe_load((ROOT / "manifests" / "chart" / "values.yaml").read_text())
    for _, ours, _ in _rows("leaving-the-go-operator.md", "Values of the chart")[1:]:
        for name in re.findall(r"`([a-zA-Z.]+)(?=[`:])", ours):
            found: Any = values
            for key in name.split("."):
                assert key in found, name
                found = found[key]


def test_the_example_of_readme_is_the_file_it_names() -> None:
    """Line by line, but for what is left out and for comments."""
    (block,) = re.findall(
        r"examples/etl\.yaml\), .*?^```yaml\n(.*?)^```$", PAGES[0].read_text(), re.MULTILINE | re.DOTALL
    )
    file = iter((ROOT / "examples" / "etl.yaml").read_text().splitlines())
    for line in block.splitlines():
        shown = line.partition(" #")[0].rstrip()
        assert any(shown == there.partition(" #")[0].rstrip() for there in file), line
