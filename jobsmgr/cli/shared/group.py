"""A click group that imports a command only when it is called. What a command does is its own module's concern."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VALUE_OPTIONS = frozenset(
    {
        *("-n", "--namespace", "--context", "--kubeconfig", "--request-timeout"),
        *("-o", "--output", "-l", "--selector", "--color"),
    }
)
"""Options with a value that may precede the command; the command itself reads them."""
_SHORT_WITH_EQUALS = re.compile(r"(-\w)=")
_OWN_OPTIONS = frozenset({"-h", "--help", "--version"})


class Lazy(NamedTuple):
    """Where a command lives (`module:attribute`) and its line in the help, so that help imports no command."""

    target: str
    help: str


class LazyGroup(click.Group):
    """A group of entries; a command's options may precede its name (`jobsmgr -o json lint x.yaml`)."""

    def __init__(
        self, *args: Any, entries: Mapping[str, Lazy] | None = None, stand_in: str = "", **kwargs: Any
    ) -> None:
        """`stand_in` is the command whose options are completed where they precede a command."""
        super().__init__(*args, **kwargs)
        self.entries = dict(entries or {})
        self._stand_in = stand_in

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which they were given."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if (entry := self.entries.get(cmd_name)) is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return with_common_options(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, with their lines of the help, without importing one; and the options."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.entries if name.startswith(incomplete)]
        items = [CompletionItem(name, help=self.entries[name].help) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move options that precede the command's name behind it, where the command reads them."""
        words = self._reordered(list(_spelled_out(args)))
        if ctx.resilient_parsing:
            words = self._without_last_option(words)
        if words and not ctx.resilient_parsing and not self._has_command(words):
            raise click.UsageError("Missing command.", ctx)
        return super().parse_args(ctx, words)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; a wrong one with what it seems to mean."""
        name = args[0]
        if name not in self.entries and not ctx.resilient_parsing:
            import difflib

            near = difflib.get_close_matches(name, self.entries, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def _without_last_option(self, words: list[str]) -> list[str]:
        """The words before one that is completed, without the option whose value it may be.

        An option without its value would keep click from reading the arguments before it. The stand-in has those that
        precede a command.
        """
        if not words or not words[-1].startswith("-") or words[-1] == "--":
            return words
        kept = words[:-1]
        return kept if words[0] in self.entries or words[-1] not in VALUE_OPTIONS else [self._stand_in, *kept]

    @staticmethod
    def _has_command(words: list[str]) -> bool:
        return not words[0].startswith("-") or words[0] in _OWN_OPTIONS

    def _reordered(self, args: list[str]) -> list[str]:
        skip = False
        for index, arg in enumerate(args):
            if skip or arg.startswith("-"):
                if not skip and arg in _OWN_OPTIONS:
                    return args
                skip = not skip and arg in VALUE_OPTIONS
                continue
            return [arg, *args[:index], *args[index + 1 :]] if arg in self.entries else args[index:]
        return args


def _spelled_out(args: list[str]) -> Iterator[str]:
    """`-o=json`, which kubectl takes and click reads as the value "=json", as two words; not after `--`."""
    words = iter(args)
    for arg in words:
        if arg == "--":
            yield arg
            yield from words
        elif (match := _SHORT_WITH_EQUALS.match(arg)) and match[1] in VALUE_OPTIONS:
            yield from (match[1], arg[match.end() :])
        else:
            yield arg


def with_common_options(command: click.Command) -> click.Command:
    """A command that takes `-v` and `--color` too; what it declares itself stays its own."""
    known = {name for param in command.params for name in param.opts}
    for option in _common_options():
        if known.isdisjoint(option.opts):
            command.params.append(option)
    return command


def _common_options() -> list[click.Option]:
    from jobsmgr.cli.shared.values import OneOf, Switch  # the list of commands needs none of it

    choices = OneOf(["auto", "always", "never"])
    return [
        click.Option(
            ["-v", "--verbose"], is_flag=True, type=Switch(), expose_value=False, help="Show tracebacks of errors."
        ),
        click.Option(
            ["--color"],
            type=choices,
            default="auto",
            callback=_keep_color,
            expose_value=False,
            help="Colour the output: auto (on a terminal; NO_COLOR and FORCE_COLOR are honoured), always or never.",
        ),
    ]


def _keep_color(ctx: click.Context, param: click.Parameter, value: str) -> None:
    ctx.color = ctx.find_root().color = _wants_color(value)


def _wants_color(chosen: str) -> bool:
    """What `--color` says, else NO_COLOR, else FORCE_COLOR, else whether it is a terminal that knows colours.

    Both variables count when they are not empty (no-color.org, force-color.org); FORCE_COLOR=0 forces nothing.
    """
    if chosen != "auto":
        return chosen == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
