"""Stores that are quick to make: the tables are made once and copied or emptied for each test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from crm_store.models.tables import METADATA
from crm_store.schema_version import upgrade
from crm_store.store import Store
from tests.crm_store.postgres import Postgres


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "made.db"
    asyncio.run(upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def made_database(postgres: Postgres) -> str:
    url = postgres.new_database()
    asyncio.run(upgrade(url))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        database: str = request.getfixturevalue("made_database")
        return database
    path = tmp_path / "switchroom.db"
    shutil.copy(request.getfixturevalue("made_file"), path)
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
