"""What this program is made of: its plugins and versions. No cluster is asked."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import click

from jobsmgr.core.hooks import load_hooks

_BASIS = ("attrs", "cattrs", "click", "kr8s", "pluggy", "PyYAML")

_output = click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")


@click.command()
@_output
def plugins(output: str) -> None:
    """Show every plugin that is loaded, its distribution, and the hooks it implements.

    Plugins are found through the entry-point group "jobsmgr"; later ones stand before earlier ones.
    """
    hooks = load_hooks()
    rows = [(name, origin, hooks.implemented(name)) for name, origin in hooks.origins.items()]
    if output == "json":
        click.echo(json.dumps([{"name": name, "from": origin, "hooks": done} for name, origin, done in rows], indent=2))
        return
    table = [("NAME", "FROM", "HOOKS"), *((name, origin, ", ".join(done)) for name, origin, done in rows)]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    for name, origin, done in table:
        click.echo(f"{name:<{widths[0]}}  {origin:<{widths[1]}}  {done}")


@click.command()
@_output
def version(output: str) -> None:
    """Show the versions of jobsmgr, of Python, and of the packages that it stands on."""
    versions = {"jobsmgr": metadata.version("jobsmgr"), "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in _BASIS}
    if output == "json":
        click.echo(json.dumps(versions, indent=2))
        return
    for name, number in versions.items():
        click.echo(f"{name} {number}")
