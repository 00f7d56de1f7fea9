from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from crm_store import connections
from crm_store.database import Database
from tests.crm_store.postgres import Postgres
from tests.kit.patience import PATIENCE_S


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    opened = Database(postgres.new_database())
    yield opened
    await opened.close()


def backend(connection: Connection) -> int:
    """The process of the server behind a connection."""
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


async def test_only_a_connection_that_rested_is_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(database.engine.dialect, "do_ping", asked.append)
    first = await database.work(backend)
    assert [await database.work(backend) for _ in range(3)] == [first] * 3
    assert not asked
    monkeypatch.setattr(connections, "RESTED_S", 0.0)
    assert await database.look(backend) == first
    assert len(asked) == 1


async def test_a_connection_that_the_server_closed_is_replaced_and_nobody_notices(
    database: Database,
) -> None:
    gone = asyncio.Event()
    async with database.engine.connect() as connection:
        theirs: Any = (await connection.get_raw_connection()).driver_connection
        theirs.add_termination_listener(lambda _connection: gone.set())
        first = await connection.run_sync(backend)
    other = Database(database.url.render_as_string(hide_password=False))
    await other.work(lambda c: c.execute(text(f"SELECT pg_terminate_backend({first})")))
    await other.close()
    async with asyncio.timeout(PATIENCE_S):
        await gone.wait()
    assert await database.work(backend) != first


async def test_a_connection_that_broke_in_silence_is_replaced_after_its_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await database.work(backend)
    monkeypatch.setattr(connections, "RESTED_S", 0.0)

    def broken(_connection: object) -> bool:
        raise database.engine.dialect.loaded_dbapi.OperationalError("no answer")

    monkeypatch.setattr(database.engine.dialect, "do_ping", broken)
    assert await database.work(backend) != first
