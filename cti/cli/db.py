"""`switchroom db`: bring the database up to date, or look whether it is."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Final

from crm_store.errors import StoreError
from crm_store.schema_version import SchemaReport, check, upgrade

DEFAULT_URL: Final = "sqlite:///data/switchroom.db"

_EPILOG = """examples:
  switchroom db upgrade
  switchroom db check --database postgresql://switchroom@db.example.com/switchroom
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `db` to the command line."""
    parser = subparsers.add_parser(
        "db",
        help="upgrade or check the database",
        description="Upgrade or check the database of customers and history.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("upgrade", "check"), help="what to do")
    add_database_option(parser)
    parser.set_defaults(run=run)


def add_database_option(parser: argparse.ArgumentParser) -> None:
    """Add `--database`, the same for every command that opens the store itself."""
    parser.add_argument(
        "--database",
        default=DEFAULT_URL,
        metavar="URL",
        help=f"sqlite:///file or postgresql://user@host/name (default: {DEFAULT_URL})",
    )


def run(args: argparse.Namespace) -> int:
    """Carry it out. 0: the database is up to date; 1: it is not; 2: it cannot be reached."""
    action = upgrade if args.action == "upgrade" else check
    try:
        report = asyncio.run(action(args.database))
    except StoreError as error:
        print(f"switchroom db: {error}", file=sys.stderr)
        return 2
    return _tell(report)


def _tell(report: SchemaReport) -> int:
    if report.is_current:
        print(f"The database is up to date (version {report.current}).")
        return 0
    if report.current != report.head:
        print(
            f"The database is at version {report.current or 'none'}, this program needs "
            f"{report.head}. Run: switchroom db upgrade"
        )
    for difference in report.differences:
        print(f"The tables differ: {difference}")
    return 1
