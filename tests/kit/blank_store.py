"""A store with all its tables and nothing in it: made once for each process of the tests, then copied.

Making the tables takes the time of hundreds of tests; that it is done right is for
tests/crm_store/test_schema_version.py to say.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crm_store.schema_version import bring_up_to_date


def make_tables(url: str) -> None:
    """Bring a database up to date, also from within a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, bring_up_to_date(url)).result()


def lay_blank_store(file: Path) -> None:
    """Put an empty store of SQLite there, for its owner alone, unless there is one."""
    if file.exists():
        return
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(_octets())


@functools.cache
def _octets() -> bytes:
    with tempfile.TemporaryDirectory(prefix="switchroom-blank-") as folder:
        file = Path(folder) / "blank.db"
        make_tables(f"sqlite:///{file}")
        return file.read_bytes()
