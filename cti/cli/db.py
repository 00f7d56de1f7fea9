"""`switchroom db`: bring the database up to date, or look whether it is.

The store is imported when a command runs, not before: other commands start faster without it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cti.paths import shipped
from cti.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from crm_store.migrating import SchemaReport

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
    add_database_options(parser)


def add_database_options(parser: argparse.ArgumentParser) -> None:
    """Add `--database` and `--config`, the same for every command that opens the store itself."""
    parser.add_argument(
        "--database",
        default="",
        metavar="URL",
        help="sqlite:///file or postgresql://user@host/name (default: what the configuration says)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration file (default: switchroom.toml here, else the shipped lab)",
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
            "give its place with --database, or a configuration with --config"
        )
    return url


def configured(args: argparse.Namespace) -> Settings:
    """The configuration that the options name. Raises `SettingsError`."""
    here = Path("switchroom.toml")
    return load(args.config or (here if here.exists() else shipped("lab.toml")))


def database_url(settings: Settings) -> str:
    """Where a configuration keeps its store."""
    return settings.data.database or f"sqlite:///{settings.data.folder}/switchroom.db"


def run(args: argparse.Namespace) -> int:
    """Carry it out. 0: the database is up to date; 1: it is not; 2: it cannot be reached."""
    from crm_store.errors import StoreError
    from crm_store.schema_version import check, upgrade

    action = upgrade if args.action == "upgrade" else check
    try:
        url = args.database or database_url(configured(args))
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
