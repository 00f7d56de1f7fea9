"""Tables made, changed and compared by Alembic. Imported when it is needed: it takes a fifth of a second."""

from __future__ import annotations

from dataclasses import dataclass

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from crm_store.errors import StoreUnavailable
from crm_store.models.tables import METADATA


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


def config_of(connection: Connection) -> Config:
    """Alembic's configuration, on this connection."""
    config = Config()
    # The package's own folder, so that an installed wheel finds it as well.
    config.set_main_option("script_location", "crm_store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(connection: Connection) -> None:
    """Bring the tables to the version of this program. Raises StoreUnavailable when a newer one made them."""
    config = config_of(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise StoreUnavailable(
            f"the database is at version {current}, which this program does not know; "
            "it was upgraded by a newer one: install that, or restore a backup"
        )
    command.upgrade(config, "head")


def compare(connection: Connection) -> SchemaReport:
    """What there is against what this program needs."""
    head = ScriptDirectory.from_config(config_of(connection)).get_current_head()
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
