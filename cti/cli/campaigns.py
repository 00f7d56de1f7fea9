"""`switchroom campaigns`: outbound campaigns, one module a subcommand."""

from __future__ import annotations

import argparse
import importlib
from typing import Final

_MODULES: Final = (
    "campaigns_steer",
    "campaigns_lists",
    "campaigns_forbid",
    "campaigns_look",
    "campaigns_records",
    "campaigns_rehearse",
)
"""Each adds subcommands with `add_parser(subparsers)` and says who runs them: `set_defaults(act=run)`."""

_EPILOG: Final = """examples:
  switchroom campaigns create spring queue=sales mode=predictive caller_ids=+12025550100
  switchroom campaigns import spring people.csv
  switchroom campaigns start spring
  switchroom campaigns why spring
  switchroom campaigns rehearse --agents 10 --cap 3 --days 1 --seeds 5
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "campaigns",
        help="outbound: rehearse and steer campaigns",
        description="Outbound campaigns.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for module in _MODULES:
        importlib.import_module(f"cti.cli.{module}").add_parser(actions)


def run(args: argparse.Namespace) -> int:
    """Run what the subcommand's module said."""
    code: int = args.act(args)
    return code
