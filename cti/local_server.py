"""A server as a child process, on loopback with ports of its own: for the demo and the bench."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from cti.free_ports import free_port
from cti.paths import shipped

_START_S: Final = 200.0
"""The first start of a version compiles the loops of the sound engine; a small machine takes its time."""
_STOP_S: Final = 20.0
_COMPILING: Final = "compiling the sound engine"
"""So begins what `switch.compiled` says of it."""


class ServerFailedError(Exception):
    """The server did not come up; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A running server, and where it is."""

    host: str
    sip_port: int
    http_port: int
    agent_port: int
    """Where the lab's static phones are to be: free for whoever plays them."""
    data: Path
    log: Path
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{self.host}:{self.http_port}"

    @property
    def sip(self) -> tuple[str, int]:
        """Where SIP is spoken."""
        return (self.host, self.sip_port)


@contextlib.asynccontextmanager
async def local_server(
    folder: Path,
    *options: str,
    config: Path | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> AsyncIterator[LocalServer]:
    """Start a server with data and log below `folder`, wait until it takes calls, stop it at the end.

    `config` is the shipped lab unless given; `options` are further ones of `switchroom serve`. `tell` is told
    what takes long at the first start.

    Raises:
        ServerFailedError: it did not come up.
    """
    ports = free_port(), free_port(), free_port()
    server = await _launch(folder, ports, options, config)
    try:
        await _wait_ready(server, tell)
        yield server
    finally:
        await _stop(server.process)


@contextlib.asynccontextmanager
async def started_again(
    server: LocalServer, *options: str, config: Path | None = None
) -> AsyncIterator[LocalServer]:
    """Start another process on what a server that is dead has left behind, at the same ports.

    Unlike `local_server` this does not wait until it takes calls.
    """
    ports = server.sip_port, server.http_port, server.agent_port
    again = await _launch(server.data.parent, ports, options, config)
    try:
        yield again
    finally:
        await _stop(again.process)


async def _launch(
    folder: Path, ports: tuple[int, int, int], options: Sequence[str], config: Path | None
) -> LocalServer:
    sip_port, http_port, agent_port = ports
    data, log = folder / "data", folder / "server.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.cli.main",
            "serve",
            "--config",
            str(config or shipped("lab.toml")),
            "--data-dir",
            str(data),
            "--sip-port",
            str(sip_port),
            "--http-port",
            str(http_port),
            "--load-agent-port",
            str(agent_port),
            *("--tls-port", "0", "--ws-port", "0", "--wss-port", "0"),
            "--end-with-stdin",
            *options,
            stdin=asyncio.subprocess.PIPE,  # ends when we do, however we do
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C in this terminal is for whoever has the screen
        )
    return LocalServer(
        host="127.0.0.1",
        sip_port=sip_port,
        http_port=http_port,
        agent_port=agent_port,
        data=data,
        log=log,
        process=process,
    )


async def _wait_ready(server: LocalServer, tell: Callable[[str], None]) -> None:
    told = ""
    try:
        async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
            while server.process.returncode is None:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{server.url}/healthz")).status_code == 200:
                        return
                news = _compiling(server.log)
                if news != told:
                    told = news
                    tell(news)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise ServerFailedError(
            f"the server took no calls within {_START_S:.0f} s:\n{_tail(server.log)}"
        ) from None
    raise ServerFailedError(f"the server ended at once:\n{_tail(server.log)}")


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


def _compiling(log: Path) -> str:
    """What the log says last of the sound engine being compiled."""
    lines = (line for line in _tail(log).splitlines() if _COMPILING in line)
    last = next(reversed(list(lines)), "")
    return last[last.index(_COMPILING) :] if last else ""


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]
