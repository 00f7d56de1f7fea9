"""`switchroom wallboard`: queues and agents live in this terminal."""

from __future__ import annotations

import argparse

from cti.cli.desk import add_sign_on_arguments, read_password, run_in_terminal

_EXAMPLE = """\
example:
  switchroom wallboard --login super --password-file ~/.switchroom-password
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "wallboard",
        help="queues, agents and contacts live, for supervisors",
        description="The wallboard: service level, waits, agents and what happens.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sign_on_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the wallboard until it is closed."""
    from cti.desk.supervisor.app import WallboardApp, WallboardOptions

    options = WallboardOptions(
        server=args.server,
        login=args.login,
        password=read_password(args.password_file),
        language=args.language,
    )
    return run_in_terminal("wallboard", lambda: WallboardApp(options))
