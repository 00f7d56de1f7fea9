"""A server to be measured: a process of its own, on the lab's configuration."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from cti.bench.processes import Usage, children, usage
from cti.free_ports import free_port
from cti.paths import shipped

_START_S: Final = 30.0
_STOP_S: Final = 20.0
RTP_PORTS: Final = "16000-31999"


@dataclass(frozen=True, slots=True)
class ServerUsage:
    """What the two processes of a server have used."""

    call_agent: Usage
    gateway: Usage

    def since(self, before: ServerUsage) -> ServerUsage:
        """What was used since `before`."""
        return ServerUsage(
            self.call_agent.since(before.call_agent), self.gateway.since(before.gateway)
        )

    @property
    def cpu_s(self) -> float:
        """Both, user and system."""
        return self.call_agent.cpu_s + self.gateway.cpu_s


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredServer:
    """A running server, and where it is."""

    sip_port: int
    http_port: int
    agent_port: int
    pid: int
    gateway_pid: int

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def sip(self) -> tuple[str, int]:
        """Where SIP is spoken."""
        return ("127.0.0.1", self.sip_port)

    def usage(self) -> ServerUsage:
        """CPU and memory until now."""
        return ServerUsage(usage(self.pid), usage(self.gateway_pid))


@contextlib.asynccontextmanager
async def measured_server(
    folder: Path, *, config: Path | None = None
) -> AsyncIterator[MeasuredServer]:
    """Start a server with its data below `folder`, stop it at the end.

    Raises:
        RuntimeError: it did not come up; the message has the end of its log.
    """
    sip_port, agent_port, http_port = free_port(), free_port(), free_port()
    log = folder / "server.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.cli.main",
            "serve",
            "--config",
            str(config or shipped("lab.toml")),
            "--data-dir",
            str(folder / "data"),
            "--sip-port",
            str(sip_port),
            "--http-port",
            str(http_port),
            "--load-agent-port",
            str(agent_port),
            "--rtp-ports",
            RTP_PORTS,
            "--log-level",
            "WARNING",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    try:
        await _wait_ready(process, http_port, log)
        yield MeasuredServer(
            sip_port=sip_port,
            http_port=http_port,
            agent_port=agent_port,
            pid=process.pid,
            gateway_pid=_gateway_of(process.pid),
        )
    finally:
        await _stop(process)


def _gateway_of(pid: int) -> int:
    for child in children(pid):
        if b"gateway" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise RuntimeError("the server has no gateway process")


async def _wait_ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    try:
        async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
            while process.returncode is None:
                with contextlib.suppress(httpx.HTTPError):
                    reply = await client.get(f"http://127.0.0.1:{port}/healthz")
                    if reply.status_code == 200:
                        return
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    raise RuntimeError(f"the server did not come up:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-3000:]


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


async def status_of(server: MeasuredServer) -> Mapping[str, Any]:
    """The server's own counters."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        signed_on = await client.post(
            "/api/v1/sign-on", json={"login": "admin", "password": "desk-admin"}
        )
        token = signed_on.json()["token"]
        reply = await client.get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})
        found: Mapping[str, Any] = reply.json()
        return found
