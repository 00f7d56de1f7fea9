"""`switchroom serve`: the server."""

from __future__ import annotations

import argparse
import sys

from cti.cli.options import add_config


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "serve",
        help="run the server",
        description="Runs the server until SIGTERM or Ctrl-C. Calls that run may then finish, for "
        "as long as [server] drain_s says; a second signal ends them at once.",
        epilog="Example: switchroom serve --config config/lab.toml --data-dir /tmp/lab",
    )
    add_config(parser)
    parser.add_argument(
        "--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")
    )
    parser.add_argument(
        "--trace-sip",
        action="store_true",
        help="log every SIP message, without keys, proofs of passwords and digits",
    )

    parser.add_argument(
        "--end-with-stdin",
        action="store_true",
        help="stop when standard input ends: for whoever starts a server of its own",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C: running calls finish first; a second signal ends them."""
    import uvloop

    from cti.cli.options import settings_from
    from cti.serving import prepare_process, serve_until_signal
    from cti.settings import SettingsError

    try:
        settings = settings_from(args)
        prepare_process(args.log_level, trace_sip=args.trace_sip)
        return uvloop.run(serve_until_signal(settings, end_with_stdin=args.end_with_stdin))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
