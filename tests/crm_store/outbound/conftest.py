"""Stores that are quick to make: a file is copied, one database is emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from crm_store.models.tables import METADATA
from crm_store.store import Store
from tests.crm_store.postgres import Postgres
from tests.kit.blank_store import lay_blank_store


@pytest.fixture(scope="session")
def made_database(postgres: Postgres) -> str:
    return postgres.blank_store()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        database: str = request.getfixturevalue("made_database")
        return database
    path = tmp_path / "switchroom.db"
    lay_blank_store(path)
    return f"sqlite:///{path}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = Store(url, data_dir=None, region="US")
    if url.startswith("postgresql"):
        names = ", ".join(table.name for table in METADATA.sorted_tables)
        async with opened._database.transaction() as connection:
            await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    yield opened
    await opened.close()
