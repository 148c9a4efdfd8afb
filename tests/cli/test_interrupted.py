"""A signal that comes at an odd moment ends the program as any other does."""

import click
import pytest

from jobsmgr.api.errors import Interrupted
from jobsmgr.cli import main


class Interrupts:
    """An attribute in whose naming a signal comes."""

    def __set_name__(self, owner: type, name: str) -> None:
        raise Interrupted


def test_a_signal_while_a_class_is_made(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As while a module is imported: before 3.12, Python raises a `RuntimeError` in its place."""

    @click.command()
    def command() -> None:
        type("Made", (), {"field": Interrupts()})

    monkeypatch.setattr(main, "cli", command)
    assert main.run([]) == 130
    assert "bug" not in capsys.readouterr().err


def test_any_other_error_is_not_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(main, "cli", command)
    with pytest.raises(RuntimeError, match="broken"):
        main.run([])
