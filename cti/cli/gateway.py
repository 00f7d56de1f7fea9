"""`switchroom gateway`: the media gateway process. The server starts it; people seldom do."""

from __future__ import annotations

import argparse
import sys


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "gateway",
        help="run a media gateway (the server starts its own)",
        epilog="Example: switchroom gateway --socket /run/switchroom/gateway.sock --rtp-address 192.0.2.1",
    )
    parser.add_argument("--socket", required=True, help="Unix socket of the control protocol")
    parser.add_argument("--rtp-address", default="127.0.0.1")
    parser.add_argument("--rtp-ports", default="16000-31999", metavar="LOW-HIGH")
    parser.add_argument("--prompts", action="append", default=[], metavar="FOLDER")
    parser.add_argument(
        "--dtls-certificate",
        default="",
        metavar="FILE",
        help="PEM, certificate and key, for DTLS-SRTP",
    )
    parser.add_argument("--rtp-timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument(
        "--linger",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long sound goes on without a call agent",
    )


def run(args: argparse.Namespace) -> int:
    """Run until told to stop, or until no call agent has come back in time."""
    from cti.gateway_process import run_from_options
    from cti.settings import SettingsError

    try:
        return run_from_options(args)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
