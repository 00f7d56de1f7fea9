"""`switchroom campaigns rehearse`: a campaign against simulated people, before the first real call."""

from __future__ import annotations

import argparse
from typing import Final

_EPILOG: Final = """examples:
  switchroom campaigns rehearse --agents 10 --cap 3 --days 1 --seeds 5
  switchroom campaigns rehearse --agents 5 --cap 3 --days 22 --seeds 100 --json
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "rehearse",
        help="run a campaign against simulated people",
        description="Run a campaign against simulated people, with the pacer that dials real ones.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--agents", type=int, default=10, metavar="A", help="agents on the floor (default: 10)"
    )
    parser.set_defaults(act=run)


def run(args: argparse.Namespace) -> int:
    """Rehearse, and print what came of it."""
    raise SystemExit(f"{args.agents} agents: not in this build yet")
