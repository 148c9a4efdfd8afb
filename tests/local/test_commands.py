"""A command of this machine that could not be started: the sentence names what is wrong, and trying it helps."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobsmgr.local.commands import why_not_started

INTERPRETER = f"#!{sys.executable}\nprint('fine')\n"


def refused(command: str, directory: Path) -> str:
    """The sentence for a command that the kernel refuses."""
    try:
        subprocess.run([command], cwd=directory, check=True, capture_output=True)
    except OSError as error:
        return why_not_started(command, "/usr/bin:/bin", directory, error)
    raise AssertionError(f"{command} was started")


@pytest.fixture
def script(tmp_path: Path) -> Callable[[bytes], Path]:
    """Write a script of that content, which may be executed."""

    def write(content: bytes) -> Path:
        (tmp_path / "script").write_bytes(content)
        (tmp_path / "script").chmod(0o755)
        return tmp_path

    return write


def test_a_carriage_return(script: Callable[[bytes], Path]) -> None:
    """A file that was saved on Windows: not the command is missing. Saved as advised it starts."""
    place = script(INTERPRETER.replace("\n", "\r\n").encode())
    assert refused("./script", place) == (
        'command "./script" cannot be run: its first line ends in a carriage return (CR), which is read as part of'
        ' "#!"; save it with LF line endings'
    )
    script(INTERPRETER.encode())
    subprocess.run(["./script"], cwd=place, check=True, capture_output=True)


def test_a_missing_interpreter(script: Callable[[bytes], Path]) -> None:
    """Named, with or without arguments."""
    for line in (b"#!/opt/no/such\n", b"#! /opt/no/such -e\n", b"#!/opt/no/such"):
        assert refused("./script", script(line)) == (
            'command "./script" cannot be run: its first line names the interpreter "/opt/no/such", which does not'
            " exist; correct or install it"
        )


def test_a_script_without_its_first_line(script: Callable[[bytes], Path]) -> None:
    """A shell would run it, the kernel does not."""
    place = script(b"echo hi\n")
    sentence = 'it is not a program for this machine and has no "#!" line; add one, or put its interpreter first'
    assert refused("./script", place) == f'command "./script" cannot be run: {sentence}'


def test_what_may_not_be_executed(tmp_path: Path) -> None:
    """A file of another mode, and a folder."""
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "script").chmod(0o644)
    sentence = "it is not executable; run chmod +x, or put its interpreter first"
    assert refused("./script", tmp_path) == f'command "./script" cannot be run: {sentence}'
    (tmp_path / "folder").mkdir()
    assert refused("./folder", tmp_path) == 'command "./folder" cannot be run: it is a directory; name a program in it'


def test_what_does_not_exist(tmp_path: Path) -> None:
    """By name or by path."""
    assert refused("ehco", tmp_path) == (
        'command "ehco" was not found in the PATH of this machine; correct or install it'
    )
    assert refused("./absent", tmp_path) == ('command "./absent" does not exist on this machine; correct or install it')
    (tmp_path / "file").touch()
    assert refused("./file/x", tmp_path) == 'command "./file/x" cannot be run: Not a directory'
