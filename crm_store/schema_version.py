"""The version of the tables: upgrade a database, and tell whether it is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from crm_store.database import Database
from crm_store.errors import StoreUnavailable

if TYPE_CHECKING:
    from crm_store.migrating import SchemaReport

_UPGRADE_LOCK: Final = 0x53575231
"""Key of PostgreSQL's advisory lock: of several nodes that start, one upgrades, others wait."""
_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_TABLE: Final = "alembic_version"


def newest_version() -> str:
    """The version that this program needs, by the names of its migrations (`v0008_what.py`)."""
    return max(each.name for each in _VERSIONS.glob("v*.py")).split("_")[0].removeprefix("v")


async def upgrade(url: str) -> SchemaReport:
    """Bring a database to the version of this program, creating it where it does not exist; then `check`.

    Raises `StoreUnavailable` when it cannot be reached or was made by a newer program.
    """
    await bring_up_to_date(url)
    return await check(url)


async def bring_up_to_date(url: str) -> None:
    """As `upgrade`, without comparing the tables: at the start of a server that takes most of the time.

    A database that has the version already is asked for it and nothing else.
    """
    database = Database(url)
    database.create_file()
    try:
        async with database.engine.begin() as connection:
            if await connection.run_sync(_version_of) == newest_version():
                return
            # Not at the top: a restart, which calls wait for, hardly ever has to load Alembic.
            from crm_store.migrating import migrate

            if not database.is_sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK}
                )
            await connection.run_sync(migrate)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"the database cannot be upgraded: {error}") from error
    finally:
        await database.close()


async def check(url: str) -> SchemaReport:
    """Compare a database with what this program needs; changes nothing."""
    from crm_store.migrating import compare

    database = Database(url)
    try:
        await database.check_file()
        async with database.engine.connect() as connection:
            return await connection.run_sync(compare)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"the database cannot be read: {error}") from error
    finally:
        await database.close()


def _version_of(connection: Connection) -> str | None:
    """None: it was never upgraded."""
    if not inspect(connection).has_table(_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()
