"""`switchroom db`: bring the database up to date, or look whether it is.

The store is imported when a command runs, not before: other commands start faster without it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cti.cli.options import add_site, site_from
from cti.settings import Settings, SettingsError

if TYPE_CHECKING:
    from crm_store.migrating import SchemaReport

_EPILOG = """examples:
  switchroom db upgrade --data-dir lab-data
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
    add_database_options(parser)


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Add `--database` and what says where a server's is, for every command that opens the store itself."""
    add_site(parser)
    parser.add_argument(
        "--database",
        default="",
        metavar="URL",
        help="sqlite:///file or postgresql://user@host/name; goes before the other two",
    )


def existing(url: str) -> str:
    """The URL, if what it names is there: a command that only reads must not make a database.

    Raises:
        SettingsError: there is no such SQLite file.
    """
    prefix = "sqlite:///"
    if url.startswith(prefix) and not Path(url.removeprefix(prefix)).is_file():
        raise SettingsError(
            f"there is no database {url.removeprefix(prefix)}; "
            "give --config and --data-dir as the server has them, or its place with --database"
        )
    return url


def database_url(settings: Settings) -> str:
    """Where a configuration keeps its store."""
    return settings.data.database or f"sqlite:///{settings.data.folder}/switchroom.db"


def run(args: argparse.Namespace) -> int:
    """Carry it out. 0: the database is up to date; 1: it is not; 2: it cannot be reached."""
    from crm_store.errors import StoreError
    from crm_store.schema_version import check, upgrade

    action = upgrade if args.action == "upgrade" else check
    try:
        url = args.database or database_url(site_from(args))
        report = asyncio.run(action(url))
    except (StoreError, SettingsError) as error:
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
