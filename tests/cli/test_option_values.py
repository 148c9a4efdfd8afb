"""What an option refuses: every type that can refuse a value says so in a sentence of ours."""

from collections.abc import Iterator

import click
import pytest

from jobsmgr.cli.main import cli
from jobsmgr.cli.shared.values import OneOf, Positive, Switch, WholeNumber
from tests.cli.program import run

ANYTHING = (click.types.StringParamType, click.Path, click.types.UnprocessedParamType)
"""Types that refuse no text; what a callback refuses has its own tests."""


def parameters() -> Iterator[tuple[str, click.Parameter]]:
    """Each option and argument of each command that a text can be given to."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        for param in command.params:
            # A flag has a text only where the environment may give it one.
            if not getattr(param, "is_flag", False) or name == "operator":
                yield f"{name} {param.opts[0]}", param


def test_no_type_of_clicks_own_refuses_a_value() -> None:
    """Its words are "is not a valid integer range", "0<x<=600": our types say what is allowed."""
    for title, param in parameters():
        if isinstance(param.type, ANYTHING) or getattr(param, "is_eager", False):
            continue
        with pytest.raises(click.BadParameter) as caught:
            param.type.convert("?!", param, None)
        assert '"?!"' in caught.value.message, title


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        (WholeNumber(0, 65535), "x", '"x" is not a whole number from 0 to 65535'),
        (WholeNumber(0, 65535), "65536", '"65536" is not a whole number from 0 to 65535'),
        (WholeNumber(1), "0", '"0" is not a whole number of at least 1'),
        (WholeNumber(1), "1.5", '"1.5" is not a whole number of at least 1'),
        (Positive(600), "0", '"0" is not a number above 0 and at most 600'),
        (Positive(600), "nan", '"nan" is not a number above 0 and at most 600'),
        (Positive(600), "inf", '"inf" is not a number above 0 and at most 600'),
        (OneOf(["json", "text"]), "JSON", '"JSON" is not one of json, text'),
        (Switch(), "maybe", '"maybe" is not one of true, false, yes, no, on, off, 1, 0'),
    ],
)
def test_what_a_type_refuses(kind: click.ParamType, text: str, sentence: str) -> None:  # type: ignore[type-arg]
    """The value that was found, and all that is allowed."""
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (WholeNumber(0, 65535), "0", 0),
        (WholeNumber(1), "12", 12),
        (Positive(600), "0.5", 0.5),
        (Positive(600), "600", 600.0),
        (OneOf(["json", "text"]), "text", "text"),
        (Switch(), "no", False),
    ],
)
def test_what_a_type_takes(kind: click.ParamType, text: str, value: object) -> None:  # type: ignore[type-arg]
    """As click's type does, bounds included."""
    assert kind.convert(text, None, None) == value


def test_the_option_is_named() -> None:
    """On one line, with where to look."""
    done = run("operator", "--http-port", "x")
    sentence = "Error: Invalid value for '--http-port': \"x\" is not a whole number from 0 to 65535."
    assert (done.code, done.err) == (2, f"{sentence} Try 'jobsmgr operator --help'.\n")
