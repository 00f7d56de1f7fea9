"""The version of the tables: upgrade a database, and tell whether it is up to date."""

from __future__ import annotations

from dataclasses import dataclass

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from crm_store.database import Database
from crm_store.errors import StoreUnavailable
from crm_store.models.tables import METADATA

_UPGRADE_LOCK = 0x53575231
"""Key of PostgreSQL's advisory lock: of several nodes that start, one upgrades, others wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """What `check` found."""

    current: str | None
    """The database's version; None when it is empty."""
    head: str
    """The version this program needs."""
    differences: tuple[str, ...]
    """Where tables differ from what this program expects, in words."""

    @property
    def is_current(self) -> bool:
        return self.current == self.head and not self.differences


async def upgrade(url: str) -> SchemaReport:
    """Bring a database to the version of this program, creating it where it does not exist; then `check`.

    Raises `StoreUnavailable` when it cannot be reached or was made by a newer program.
    """
    await bring_up_to_date(url)
    return await check(url)


async def bring_up_to_date(url: str) -> None:
    """As `upgrade`, without comparing the tables: at the start of a server that takes most of the time."""
    database = Database(url)
    database.create_file()
    try:
        async with database.engine.begin() as connection:
            if not database.is_sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK}
                )
            await connection.run_sync(_upgrade)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"the database cannot be upgraded: {error}") from error
    finally:
        await database.close()


async def check(url: str) -> SchemaReport:
    """Compare a database with what this program needs; changes nothing."""
    database = Database(url)
    try:
        await database.check_file()
        async with database.engine.connect() as connection:
            return await connection.run_sync(_check)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(f"the database cannot be read: {error}") from error
    finally:
        await database.close()


def _config(connection: Connection) -> Config:
    config = Config()
    # The package's own folder, so that an installed wheel finds it as well.
    config.set_main_option("script_location", "crm_store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = _config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise StoreUnavailable(
            f"the database is at version {current}, which this program does not know; "
            "it was upgraded by a newer one: install that, or restore a backup"
        )
    command.upgrade(config, "head")


def _check(connection: Connection) -> SchemaReport:
    head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    current = context.get_current_revision()
    differences = compare_metadata(context, METADATA) if current == head else []
    return SchemaReport(
        current=current,
        head=head or "",
        differences=tuple(_in_words(difference) for difference in differences),
    )


def _in_words(difference: object) -> str:
    if isinstance(difference, tuple) and difference and isinstance(difference[0], str):
        rest = " ".join(getattr(part, "name", None) or str(part) for part in difference[1:])
        return f"{difference[0].replace('_', ' ')}: {rest}"
    return str(difference)
