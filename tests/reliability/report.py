"""What a full run has counted, as a page of the docs. Nothing is run here.

`python -m tests.reliability.report FOLDER [FILE]` reads what the sessions have kept in a folder.
"""

import datetime
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from tests.figures import Figures

PAGE = Path(__file__).parents[2] / "docs" / "reliability-report.md"


class Part(NamedTuple):
    """What the page says of a kind of figures."""

    title: str
    about: str
    """What is counted, in one sentence."""


PARTS = {
    "model": Part(
        "Model check",
        "States of the operator's own code, of an API server in memory, and of what is on its way between them.",
    ),
    "mutants": Part(
        "Mutants",
        "Each seeded defect has to make the test fail that is named beside it.",
    ),
    "crash-sweep": Part(
        "Crash sweep",
        "A point is a write before or after which the operator is killed, or whose answer is lost.",
    ),
    "misoperation": Part(
        "Misoperation",
        "Each field is set to other values and set back; the end has to be that of a new installation.",
    ),
    "failover": Part(
        "Fail-over",
        "From the signal that ends the leader to the first Job that the other replica creates.",
    ),
    "poisoned": Part(
        "Beside workflows that fail forever",
        "From the creation of a workflow to its first Job, alone and beside workflows that cannot continue.",
    ),
    "soak": Part(
        "Soak",
        "One request in twenty fails; one operator is killed every 30 to 90 seconds, another one lives throughout.",
    ),
    "scale": Part(
        "A month on a virtual clock",
        "The engine, the core and the plugins without an API server.",
    ),
    "stress": Part(
        "Tests beside busy cores",
        "The same tests again and again while something else keeps all cores busy.",
    ),
}
MODULES = Path(__file__).parents[1] / "plane" / "go.mod"
"""What the control plane is built from."""
SERVERS = ("k8s.io/kubernetes", "go.etcd.io/etcd/server/v3")
PACKAGES = ("kr8s", "httpx", "aiohttp", "anyio", "attrs", "cattrs", "pluggy")


def page(folder: Path) -> str:
    """The page."""
    found = {kind: Figures.read(folder, kind) for kind in PARTS}
    parts = (line for kind in PARTS if found[kind] for line in _part(kind, found[kind]))
    return "\n".join([*_head(found), *parts]) + "\n"


def _head(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    violations = sum(int(one.get("violations", 0)) for parts in found.values() for one in parts)
    yield "# Reliability report\n"
    yield "What the parts of `nox -s reliability-full` found in one run of each. The promises are in"
    yield "[Guarantees](guarantees.md).\n"
    yield f"**{violations} violations.**\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| date | {datetime.datetime.now(datetime.UTC):%Y-%m-%d} |"  # noqa: TID251  of the report itself
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"| machine | {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()} |"
    yield f"| Python | {platform.python_version()} |"
    yield f"| servers | {', '.join(_servers())} |"
    yield f"| jobsmgr | {version('jobsmgr')} |"
    yield f"| packages | {', '.join(f'{name} {version(name)}' for name in PACKAGES)} |"
    if missing := [part.title for kind, part in PARTS.items() if not found[kind]]:
        yield f"| not part of this run | {', '.join(missing)} |"


def _servers() -> Iterator[str]:
    for line in MODULES.read_text().splitlines():
        if (parts := line.split()) and parts[0] in SERVERS:
            yield f"{parts[0]} {parts[1]}"


def _part(kind: str, parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    columns = list(dict.fromkeys(name for part in parts for name in part))
    yield f"\n## {PARTS[kind].title}\n\n{PARTS[kind].about}\n"
    if len(parts) == 1:
        yield "| | |"
        yield "|---|---|"
        yield from (f"| {_words(name)} | {_text(parts[0][name])} |" for name in columns)
        return
    yield f"| {' | '.join(map(_words, columns))} |"
    yield f"|{'---|' * len(columns)}"
    for part in parts:
        yield f"| {' | '.join(_text(part.get(name, '')) for name in columns)} |"
    yield f"| {' | '.join(_total(parts, name, number) for number, name in enumerate(columns))} |"


def _total(parts: Sequence[Mapping[str, Any]], name: str, number: int) -> str:
    values = [part.get(name, 0) for part in parts]
    if not number:
        return "**together**"
    return f"**{_text(round(sum(values), 1))}**" if all(isinstance(value, int | float) for value in values) else ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(str(name))} {_text(inner)}" for name, inner in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def main(folder: str, file: str = str(PAGE)) -> None:
    """Write the page."""
    Path(file).write_text(page(Path(folder)))
    print(f"written: {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
