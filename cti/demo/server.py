"""A whole server for the demo: ports of its own, a folder of its own, customers in the store."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from crm_store.seed import seed
from crm_store.store import Store
from cti.free_ports import free_port
from cti.paths import shipped

_START_S: Final = 30.0
_STOP_S: Final = 15.0


class DemoFailedError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoServer:
    """A running server."""

    host: str
    sip_port: int
    http_port: int
    data: Path
    log: Path
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{self.host}:{self.http_port}"


@contextlib.asynccontextmanager
async def demo_server(folder: Path) -> AsyncIterator[DemoServer]:
    """Seed the store below `folder`, start a server there, stop it at the end.

    Raises:
        DemoFailedError: the server did not come up; the message has the end of its log.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    store = await Store.open(f"sqlite:///{data / 'switchroom.db'}", data_dir=data)
    await seed(store, now=time.time())
    await store.close()
    sip_port, http_port = free_port(), free_port()
    log = folder / "server.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.cli.main",
            "serve",
            "--config",
            str(shipped("lab.toml")),
            "--data-dir",
            str(data),
            "--sip-port",
            str(sip_port),
            "--http-port",
            str(http_port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C in this terminal is the desk's
        )
    server = DemoServer(
        host="127.0.0.1",
        sip_port=sip_port,
        http_port=http_port,
        data=data,
        log=log,
        process=process,
    )
    try:
        await _wait_ready(server)
        yield server
    finally:
        await _stop(process)


async def _wait_ready(server: DemoServer) -> None:
    try:
        async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
            while True:
                if server.process.returncode is not None:
                    raise DemoFailedError(f"the server ended at once:\n{_tail(server.log)}")
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{server.url}/healthz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise DemoFailedError(
            f"the server accepted no calls within {_START_S:.0f} s:\n{_tail(server.log)}"
        ) from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]
