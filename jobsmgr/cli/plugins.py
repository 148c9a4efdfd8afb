"""`jobsmgr plugins`: the plugins that are loaded. How they are found is not known here."""

from __future__ import annotations

import json

import click

from jobsmgr.cli.shared.options import output_option
from jobsmgr.loading.plugins import load_hooks


@click.command()
@output_option("text", "json")
def plugins(output: str) -> None:
    """Show each loaded plugin, the package it comes from, and the hooks that it implements.

    Plugins are found through the entry-point group "jobsmgr". The plugin that was registered last is called first.
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
