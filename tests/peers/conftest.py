"""One server for the tests of a file: starting it takes a second or two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.kit.lab import Lab


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: object) -> AsyncIterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("lab")  # type: ignore[attr-defined]
    async with Lab(folder) as running:
        yield running
