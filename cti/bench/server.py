"""A server to be measured: a process of its own, on the lab's configuration."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from cti.bench.processes import Usage, children, file_backed, threads, usage
from cti.local_server import LocalServer, ServerFailedError, local_server

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


@dataclass(frozen=True, slots=True)
class MeasuredServer:
    """A running server and its two processes."""

    server: LocalServer
    gateway_pid: int

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.server.url

    @property
    def sip(self) -> tuple[str, int]:
        """Where SIP is spoken."""
        return self.server.sip

    @property
    def agent_port(self) -> int:
        """Where the agents' phones are to be."""
        return self.server.agent_port

    def usage(self) -> ServerUsage:
        """CPU and memory until now."""
        return ServerUsage(usage(self.server.process.pid), usage(self.gateway_pid))

    def threads(self) -> tuple[int, int]:
        """How many threads each of the two has now."""
        return threads(self.server.process.pid), threads(self.gateway_pid)

    def file_backed(self) -> tuple[int, int]:
        """Octets of pages of files that each of the two has in memory now."""
        return file_backed(self.server.process.pid), file_backed(self.gateway_pid)


@contextlib.asynccontextmanager
async def measured_server(
    folder: Path,
    *,
    config: Path | None = None,
    rtp_ports: str = RTP_PORTS,
    options: tuple[str, ...] = (),
) -> AsyncIterator[MeasuredServer]:
    """Start a server with its data below `folder`, stop it at the end; `options` are further ones.

    Raises:
        ServerFailedError: it did not come up.
    """
    usual = ("--rtp-ports", rtp_ports, "--log-level", "WARNING")
    async with local_server(folder, *usual, *options, config=config) as server:
        yield MeasuredServer(server, _gateway_of(server.process.pid))


def _gateway_of(pid: int) -> int:
    for child in children(pid):
        if b"gateway" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise ServerFailedError("the server has no gateway process")


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
