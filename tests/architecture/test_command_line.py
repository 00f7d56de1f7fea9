"""Every command explains itself with an example, and knows nothing slow until it runs."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cti.cli.main import COMMANDS, main
from tests.architecture.tree import ROOT

INTERNAL = {"gateway": "started by the server itself"}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    if command not in INTERNAL:
        assert f"switchroom {command}" in told.partition("xample")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_overview_has_a_line_for_it(command: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"cti.cli.{command}").add_parser(parser.add_subparsers())
    if command not in INTERNAL:
        assert f"\n    {command} " in parser.format_help()


def options_of(parser: argparse.ArgumentParser, words: str) -> Iterator[tuple[str, set[str]]]:
    """Every command and action, with its options."""
    yield words, {option for action in parser._actions for option in action.option_strings}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options_of(inner, f"{words} {name}")


@pytest.mark.parametrize("command", COMMANDS)
def test_who_asks_for_the_configuration_asks_for_the_data_folder(command: str) -> None:
    """Else `serve --data-dir X` keeps what no other command finds."""
    parsers = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"cti.cli.{command}").add_parser(parsers)
    for words, options in options_of(parsers.choices[command], command):
        assert ("--config" in options) == ("--data-dir" in options), words
        assert "--data-dir" in options or "--database" not in options, words


def test_help_comes_at_once() -> None:
    """Each command's, one after the other in a process that has loaded nothing yet."""
    slow = ("textual", "fastapi", "sqlalchemy", "numpy", "pjsua2", "baresip")
    code = (
        "import sys, argparse, importlib\n"
        "parsers = argparse.ArgumentParser().add_subparsers()\n"
        f"for command in {tuple(COMMANDS)!r}:\n"
        "    importlib.import_module(f'cti.cli.{command}').add_parser(parsers)\n"
        f"    print(command, [m for m in {slow!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "".join(f"{command} []\n" for command in COMMANDS)
