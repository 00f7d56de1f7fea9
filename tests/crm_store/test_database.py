"""What the database's library keeps in memory is bounded for all connections together."""

from __future__ import annotations

import _sqlite3
import asyncio
import ctypes
from pathlib import Path

from sqlalchemy import text

from crm_store.database import SQLITE_OCTETS, Database


def sqlite_octets() -> int:
    """What SQLite has taken from the system in this process."""
    used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    used.restype = ctypes.c_int64
    return int(used())


async def test_the_pages_of_many_connections_take_no_more_than_those_of_a_few(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path}/large.db")
    database.create_file()
    before = sqlite_octets()
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE large (octets BLOB)"))
        await connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                " INSERT INTO large SELECT randomblob(300) FROM n"
            )
        )
    connections = [await database.engine.connect() for _ in range(10)]
    for each in connections:
        await each.execute(text("SELECT sum(length(octets)) FROM large"))
    assert sqlite_octets() - before < 1.25 * SQLITE_OCTETS
    await asyncio.gather(*(each.close() for each in connections))
    await database.close()
