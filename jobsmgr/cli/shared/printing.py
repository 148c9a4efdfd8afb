"""How objects of a cluster are printed: kubectl's `-o`, columns, order. Which objects is the command's concern."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from jobsmgr.api.fields import Manifest
from jobsmgr.cli.shared.options import handed_as
from jobsmgr.cli.shared.streams import can_print, echo_utf8
from jobsmgr.views.escape import printable

if TYPE_CHECKING:
    from jobsmgr.client.records import Record
    from jobsmgr.views.palette import Palette

_PLAIN = ("wide", "json", "yaml", "name")
_PATH = "jsonpath="


@attrs.frozen(kw_only=True)
class Format:
    """What the options say of printing."""

    output: str
    template: str
    headings: bool
    sort_by: str

    @property
    def shows_objects(self) -> bool:
        """Whether whole objects are printed, not a table."""
        return self.output not in ("", "wide")

    def show(self, objects: Sequence[Manifest], name: Callable[[Manifest], str], *, one: bool) -> None:
        """Print objects, as a List unless it is `one`."""
        from jobsmgr.views import objects as view

        shown = [view.without_bookkeeping(each) for each in objects]
        whole = shown[0] if one and shown else view.as_list(shown)
        match self.output:
            case "name":
                echo_utf8("".join(f"{name(each)}\n" for each in objects))
            case "json":
                echo_utf8(view.as_json(whole))
            case "yaml":
                echo_utf8(view.as_yaml(whole))
            case _:
                echo_utf8(view.by_template(whole, self.template))

    def ordered(self, objects: Iterable[Manifest]) -> list[Manifest]:
        """The objects in the order of `--sort-by`; those without the field come first, as with kubectl."""
        from jobsmgr.views.objects import sorted_by

        found = list(objects)
        return sorted_by(found, self.sort_by) if self.sort_by else found


class _Output(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from jobsmgr.views.objects import BadTemplate, check_template

        text = str(value)
        if text.startswith(_PATH):
            try:
                check_template(text.removeprefix(_PATH))
            except BadTemplate as error:
                self.fail(str(error), param, ctx)
        elif text and text not in _PLAIN:
            self.fail(
                f'"{text}" is not an output format; use one of {", ".join(_PLAIN)} or {_PATH}TEMPLATE', param, ctx
            )
        return text

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in (*_PLAIN, _PATH) if word.startswith(incomplete)]


class _SortBy(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click alone
    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from jobsmgr.views.objects import BadTemplate, check_path

        try:
            check_path(str(value))
        except BadTemplate as error:
            self.fail(str(error), param, ctx)
        return str(value)


def _format(output: str, no_headers: bool, sort_by: str) -> Format:
    has_template = output.startswith(_PATH)
    return Format(
        output=_PATH if has_template else output,
        template=output.removeprefix(_PATH) if has_template else "",
        headings=not no_headers,
        sort_by=sort_by,
    )


print_options = handed_as(
    "output",
    _format,
    click.option(
        "-o",
        "--output",
        type=_Output(),
        default="",
        metavar="FORMAT",
        help="wide, json, yaml, name or jsonpath=TEMPLATE, as in kubectl. Default: a table.",
    ),
    click.option("--no-headers", is_flag=True, help="Print the table without a header."),
    click.option(
        "--sort-by",
        type=_SortBy(),
        default="",
        metavar="PATH",
        help="Sort by this field: .metadata.creationTimestamp, .status.phase.",
    ),
)
"""-o, --no-headers and --sort-by as one `output`."""


def columns() -> int | None:
    """The width of the terminal; None where the output is no terminal, and nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def palette_of(*, only_ascii: bool = False) -> Palette:
    """The colours and signs that standard output takes."""
    from jobsmgr.views.palette import SIGNS, Palette

    color = bool(click.get_current_context().color)
    return Palette(color=color, ascii=only_ascii or not can_print(sys.stdout, SIGNS))


def draws_live() -> bool:
    """Whether standard output is a terminal on which a part can be drawn anew."""
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def say_beside(text: str) -> None:
    """Tell the user something beside the output."""
    click.echo(printable(text), err=True)


def say_waiting(why: str) -> None:
    """Tell the user, beside the output, why nothing comes."""
    click.echo(waiting_line(why), err=True)


def waiting_line(why: str) -> str:
    """Why nothing comes, as one line."""
    return f"waiting: {printable(why)}"


def ending(record: Record) -> str:
    """How a workflow ended, in one line, as `run` has it."""
    from jobsmgr.connection import clock
    from jobsmgr.views.endings import ending_line

    jobs, seconds = f"{record.status.progress} jobs", record.seconds(clock.now())
    return ending_line(palette_of(), record.name, record.phase, jobs, seconds, record.why[1])
