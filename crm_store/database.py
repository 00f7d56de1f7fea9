"""One database: its address, its engine, and whether it is still there.

SQLite runs in WAL mode. A database file that is moved away or deleted under a running program would
silently swallow writes into a file without a name, so the file is looked at before and after every
transaction that writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from crm_store.connections import replace_broken
from crm_store.errors import BadRecord, StoreUnavailable

Result = TypeVar("Result")

SQLITE_OCTETS: Final = 8 << 20
"""What SQLite may keep in memory for all connections together; beyond it, pages that can be read again go."""
BUSY_TIMEOUT_S: Final = 2.0
"""How long a write waits for SQLite's lock before it counts as failed."""
CONNECT_TIMEOUT_S: Final = 5.0


def parse_url(text: str) -> URL:
    """Read a database address: `sqlite:///path`, `postgresql://...`, or the path of a file.

    Raises `BadRecord` for anything else.
    """
    if "://" not in text:
        text = "sqlite:///" + text
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise BadRecord(f"database address {text.split('@')[-1]!r} cannot be read") from error
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise BadRecord("the database must be a file: sqlite:///path/to/switchroom.db")
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise BadRecord(f"database {other!r} is not supported; use sqlite or postgresql")


def is_permanent(error: BaseException) -> bool:
    """True when the row is to blame and trying again cannot help; False when the database is."""
    if isinstance(error, (IntegrityError, DataError)):
        return True
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        if state[:2] in ("22", "23"):
            return True
        # Values that SQLite cannot bind: integers beyond 64 bits, foreign types.
        return isinstance(error.orig, (sqlite3.InterfaceError, sqlite3.ProgrammingError)) and (
            "bind" in str(error.orig)
        )
    if isinstance(error, StatementError):
        return True
    return isinstance(error, (UnicodeError, OverflowError, TypeError, ValueError))


class Database:
    """The engine of one database, with the checks that make its absence visible."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.file: Path | None = None
        """The SQLite file; None for other databases."""
        options: dict[str, Any] = {}
        engine_url = self.url
        if self.url.get_backend_name() == "sqlite":
            self.file = Path(str(self.url.database)).absolute()
            # mode=rw: a file that went away is an error, not a new empty database.
            engine_url = self.url.set(
                database=f"file:{quote(str(self.file))}", query={"mode": "rw", "uri": "true"}
            )
            options["connect_args"] = {"timeout": BUSY_TIMEOUT_S}
        else:
            options["connect_args"] = {"timeout": CONNECT_TIMEOUT_S}
        self.engine: AsyncEngine = create_async_engine(
            engine_url, json_serializer=_to_json, json_deserializer=msgspec.json.decode, **options
        )
        self._identity: tuple[int, int] | None = None
        self._batches: Engine | None = None
        """SQLite for `write` and `work`: a connection is used by one thread at a time."""
        if self.file is not None:
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
            self._batches = create_engine(
                engine_url.set(drivername="sqlite"),
                json_serializer=_to_json,
                json_deserializer=msgspec.json.decode,
                **options,
            )
            event.listen(self._batches, "connect", _configure_sqlite)
        else:
            replace_broken(self.engine.sync_engine)

    @property
    def is_sqlite(self) -> bool:
        return self.file is not None

    def create_file(self) -> None:
        """Create an empty SQLite file, for its owner alone, and its folder where there is none."""
        if self.file is None or self.file.exists():
            return
        try:
            self.file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            self.file.touch(mode=0o600)  # SQLite gives -wal and -shm the mode of the file
            with contextlib.closing(sqlite3.connect(self.file)) as connection:
                # WAL is a property of the file. Set before anyone else opens it.
                connection.execute("PRAGMA journal_mode=WAL")
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"cannot create the database {self.file}: {error}") from error

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries. Raises `StoreUnavailable` when the database is away."""
        try:
            await self.check_file()
            async with self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(f"the database cannot be read: {_words(error)}") from error

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end.

        Raises `StoreUnavailable` when the database is away, `BadRecord` when a value is refused.
        """
        try:
            async with self.transaction() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            if is_permanent(error):
                raise BadRecord(f"the record is refused: {_words(error)}") from error
            raise StoreUnavailable(f"the database cannot be written: {_words(error)}") from error

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction with the database's own errors, for who sorts them out himself."""
        await self.check_file()
        async with self.engine.begin() as connection:
            yield connection
        await self.check_file(wrote=True)

    async def write(self, work: Callable[[Connection], None]) -> None:
        """Do `work` in a transaction of its own, away from the loop; the database's own errors.

        With SQLite all of it is one visit to a thread: by the way of `transaction` each statement
        would take three, and those cost more than the writing.
        """
        if self._batches is None:
            async with self.transaction() as connection:
                await connection.run_sync(work)
            return
        await self.check_file()
        await asyncio.to_thread(_in_transaction, self._batches, work)
        await self.check_file(wrote=True)

    async def work(self, work: Callable[[Connection], Result]) -> Result:
        """Do `work` in a transaction of its own, away from the loop, and give what it gives.

        With SQLite the transaction has the right to write from its beginning: what it reads stays true
        until it is over. Raises `StoreUnavailable` and `BadRecord` as `writing` does.
        """
        try:
            if self._batches is None:
                async with self.transaction() as connection:
                    return await connection.run_sync(work)
            await self.check_file()
            result = await asyncio.to_thread(_in_own_transaction, self._batches, work)
            await self.check_file(wrote=True)
        except (SQLAlchemyError, OSError) as error:
            if is_permanent(error):
                raise BadRecord(f"the record is refused: {_words(error)}") from error
            raise StoreUnavailable(f"the database cannot be written: {_words(error)}") from error
        else:
            return result

    async def look(self, work: Callable[[Connection], Result]) -> Result:
        """As `work`, for what only reads. Raises `StoreUnavailable`."""
        async with self.reading() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
        if self._batches is not None:
            self._batches.dispose()

    async def check_file(self, *, wrote: bool = False) -> None:
        """Notice that the SQLite file is gone or was replaced, and let go of the old one.

        Raises `FileNotFoundError` when it is gone, `OSError` when it was replaced during a write.
        """
        if self.file is None:
            return
        try:
            status = os.stat(self.file)
            identity = (status.st_dev, status.st_ino)
        except FileNotFoundError:
            identity = None
        if identity is not None and identity == self._identity:
            return
        previous, self._identity = self._identity, identity
        if previous is not None:
            await self.close()
        if identity is None:
            if previous is None:
                raise FileNotFoundError(
                    f"there is no database file {self.file} yet; "
                    "`switchroom db upgrade` or the first start of the server makes it"
                )
            raise FileNotFoundError(f"the database file {self.file} is gone")
        if wrote:
            raise OSError(f"the database file {self.file} was replaced during a write")


def _in_transaction(engine: Engine, work: Callable[[Connection], None]) -> None:
    with engine.begin() as connection:
        work(connection)


def _in_own_transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return work(connection)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    # In WAL mode NORMAL survives a crash of the program; a power cut may cost the last moments.
    cursor.execute("PRAGMA synchronous=NORMAL")
    # Of the process: each connection alone would keep up to 2 MiB of pages, which the system keeps too.
    cursor.execute(f"PRAGMA soft_heap_limit={SQLITE_OCTETS}")
    cursor.close()


def _words(error: BaseException) -> str:
    """The database's own words in one line, without statement and values."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(origin).split())[:300]
