"""`switchroom desk`: the agent's desk in this terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cti.desk.agent.options import PHONES, DeskOptions
from cti.desk.text import LANGUAGES

if TYPE_CHECKING:
    from textual.app import App

_EXAMPLE = """\
examples:
  switchroom desk --login 1001
  switchroom desk --server http://switch.example.com:8080 --login 1001 --phone external
  switchroom desk --login 1001 --password-file ~/.switchroom-password --auto-answer --ready
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "desk",
        help="the agent's desk with its phone",
        description="The agent's desk: screen pops, call control, notes, and a softphone.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sign_on_arguments(parser)
    parser.add_argument(
        "--phone",
        choices=PHONES,
        default="auto",
        help="the user agent of the desk's phone; external: answer on another phone",
    )
    parser.add_argument(
        "--no-audio", action="store_true", help="use no sound devices (the phone stays silent)"
    )
    parser.add_argument("--auto-answer", action="store_true", help="answer by itself, for headsets")
    parser.add_argument(
        "--ready", action="store_true", help="become available as soon as the phone is registered"
    )
    parser.set_defaults(run=run)


def add_sign_on_arguments(parser: argparse.ArgumentParser) -> None:
    """What desk and wallboard have in common."""
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where the API answers")
    parser.add_argument("--login", default="", help="asked for on the screen when absent")
    parser.add_argument(
        "--password-file", type=Path, help="file whose first line is the password, - for input"
    )
    parser.add_argument("--language", choices=LANGUAGES, default="", help="else the user's own")


def read_password(path: Path | None) -> str:
    """The first line of the file; empty without one, so that the screen asks.

    Raises `SystemExit` with a message when the file cannot be read.
    """
    if path is None:
        return ""
    try:
        text = sys.stdin.readline() if str(path) == "-" else path.expanduser().read_text("utf-8")
    except OSError as error:
        raise SystemExit(
            f"--password-file: {path}: {error.strerror}; give a file whose first line is the password"
        ) from None
    except UnicodeDecodeError:
        raise SystemExit(
            f"--password-file: {path}: no text in UTF-8; save it as such, the password in its first line"
        ) from None
    return text.splitlines()[0] if text else ""


def password_of(path: Path | None) -> str:
    """From the file, or asked for. Raises SystemExit where nobody can be asked, as under cron."""
    from getpass import getpass

    if path is not None:
        return read_password(path)
    try:
        return getpass("Password: ")
    except EOFError:
        raise SystemExit(
            "No password: give --password-file, there is no terminal to ask at"
        ) from None


def run_in_terminal(name: str, make: Callable[[], App[None]]) -> int:
    """Run a screen until it is left; gives the exit code."""
    if not sys.stdout.isatty():
        print(f"switchroom {name} needs a terminal", file=sys.stderr)
        return 2
    app = make()
    app.run()
    return app.return_code or 0


def run(args: argparse.Namespace) -> int:
    """Run the desk until the agent leaves."""
    from cti.desk.agent.app import DeskApp  # takes a moment; `--help` should not

    options = DeskOptions(
        server=args.server,
        login=args.login,
        password=read_password(args.password_file),
        phone=args.phone,
        audio=not args.no_audio,
        language=args.language,
        auto_answer=args.auto_answer,
        ready=args.ready,
    )
    return run_in_terminal("desk", lambda: DeskApp(options))
