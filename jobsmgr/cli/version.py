"""`jobsmgr version`: this program's version and those of its basis. No cluster is asked."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import click

from jobsmgr.cli.shared.options import output_option

_BASIS = ("attrs", "cattrs", "click", "kr8s", "pluggy", "PyYAML")


@click.command()
@output_option("text", "json")
def version(output: str) -> None:
    """Show the versions of jobsmgr, of Python, and of the packages that it uses."""
    versions = {"jobsmgr": metadata.version("jobsmgr"), "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in _BASIS}
    if output == "json":
        click.echo(json.dumps(versions, indent=2))
        return
    for name, number in versions.items():
        click.echo(f"{name} {number}")
