"""A whole server for the demo: the lab, with customers in its store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from crm_store.seed import seed
from crm_store.store import Store
from cti.local_server import LocalServer, local_server


class DemoFailedError(Exception):
    """The demo cannot go on; the message says why."""


@contextlib.asynccontextmanager
async def demo_server(
    folder: Path, *options: str, tell: Callable[[str], None] = lambda text: None
) -> AsyncIterator[LocalServer]:
    """Seed the store below `folder`, start a server there, stop it at the end; `tell` says what takes long.

    `options` are further ones of `switchroom serve`.

    Raises:
        ServerFailedError: the server did not come up; the message has the end of its log.
    """
    data = folder / "data"
    data.mkdir(mode=0o750, parents=True, exist_ok=True)
    store = await Store.open(f"sqlite:///{data / 'switchroom.db'}", data_dir=data)
    await seed(store, now=time.time())
    await store.close()
    async with local_server(folder, *options, tell=tell) as server:
        yield server
