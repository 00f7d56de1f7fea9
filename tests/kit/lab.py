"""The real server on `config/lab.toml`, as a process of its own with ports of its own.

async with Lab(tmp_path) as lab:
    await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

ROOT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 20.0
_STOP_S: Final = 15.0


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Lab:
    """One server process. Leaving the block stops it and fails if it did not stop cleanly."""

    def __init__(self, folder: Path, *options: str, config: Path | None = None) -> None:
        self.host = "127.0.0.1"
        self.data = folder / "data"
        self.config = config or ROOT / "config" / "lab.toml"
        self.sip_port = free_port()
        self.http_port = free_port(socket.SOCK_STREAM)
        self.agent_port = free_port()
        self.out_port = free_port()
        self.log = folder / "server.log"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.expects_crash = False
        self._tokens: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        code = await self.stop()
        text = self.log.read_text(errors="replace")
        if exc is not None or self.expects_crash:
            return
        assert code == 0, f"the server ended with {code}:\n{text[-4000:]}"
        for word in ("Traceback", "ERROR"):
            assert word not in text, f"the server logged {word}:\n{text[-6000:]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def gateway_pid(self) -> int:
        """The process of the media gateway."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            if b"gateway" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise AssertionError("there is no gateway process")

    async def start(self) -> None:
        """Start the server and wait until it accepts calls."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cti.cli.main",
                "serve",
                "--config",
                str(self.config),
                "--data-dir",
                str(self.data),
                "--sip-port",
                str(self.sip_port),
                "--http-port",
                str(self.http_port),
                "--load-agent-port",
                str(self.agent_port),
                "--out-port",
                str(self.out_port),
                *self._options,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        await self.until(self._ready, _START_S, "the server did not come up")

    async def _ready(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise AssertionError(f"the server ended at once:\n{self.log.read_text()[-4000:]}")
        try:
            async with httpx.AsyncClient() as client:
                reply = await client.get(f"{self.url}/healthz")
        except httpx.HTTPError:
            return False
        return reply.status_code == 200

    async def stop(self) -> int:
        """End it as an operator would; gives its exit code."""
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                return -99
        assert process.returncode is not None
        return process.returncode

    def kill(self) -> None:
        """End it as a crash would."""
        self.expects_crash = True
        os.kill(self.pid, signal.SIGKILL)

    # --- asking ---------------------------------------------------------------------------------

    async def token(self, login: str = "super") -> str:
        """Sign on (once) and give the token."""
        if login not in self._tokens:
            async with httpx.AsyncClient() as client:
                reply = await client.post(
                    f"{self.url}/api/v1/sign-on",
                    json={"login": login, "password": f"desk-{login}"},
                )
            assert reply.status_code == 200, reply.text
            self._tokens[login] = reply.json()["token"]
        return self._tokens[login]

    async def get(self, path: str, login: str = "super") -> Any:
        """Ask the API."""
        headers = {"Authorization": f"Bearer {await self.token(login)}"}
        async with httpx.AsyncClient() as client:
            reply = await client.get(f"{self.url}{path}", headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def post(self, path: str, body: Any = None, login: str = "super") -> httpx.Response:
        """Command the API."""
        headers = {"Authorization": f"Bearer {await self.token(login)}"}
        async with httpx.AsyncClient() as client:
            return await client.post(f"{self.url}{path}", json=body, headers=headers)

    async def agent(self, agent: str) -> dict[str, Any]:
        """An agent as supervisors see it."""
        snapshot = await self.get("/api/v1/snapshot")
        for view in snapshot["agents"]:
            if view["agent_id"] == agent:
                found: dict[str, Any] = view
                return found
        return {"agent_id": agent, "state": "logged-out"}

    async def until(
        self, test: Callable[[], Any], timeout_s: float = 5.0, message: str = "it never happened"
    ) -> None:
        """Ask again every 50 ms until `test` holds: the only way to see into another process."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await test():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            text = self.log.read_text(errors="replace")
            raise AssertionError(f"{message}; the server says:\n{text[-3000:]}") from None

    async def agent_is(self, agent: str, state: str, timeout_s: float = 5.0) -> None:
        """Wait until an agent is in a state."""

        async def holds() -> bool:
            return bool((await self.agent(agent))["state"] == state)

        await self.until(holds, timeout_s, f"agent {agent} never was {state}")

    async def is_quiet(self, timeout_s: float = 5.0) -> None:
        """Wait until no leg, no call and no recording is left."""

        quiet_since: float | None = None

        async def holds() -> bool:
            nonlocal quiet_since
            status = await self.get("/api/v1/status", "admin")
            gateway = status["gateway"]
            alive = status["legs"] + status["calls"] + status["contacts"] + status["sessions"]
            if alive:
                quiet_since = None
                return False
            if quiet_since is None:  # the gateway counts once a second: wait for the next count
                quiet_since = gateway["uptime_s"]
            return (
                gateway["uptime_s"] > quiet_since
                and gateway["legs"] == 0
                and gateway["recordings"] == 0
            )

        await self.until(holds, timeout_s, "something was left behind")

    def open_files(self) -> int:
        """File descriptors of server and gateway together."""
        return sum(
            len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (self.pid, self.gateway_pid)
        )

    async def recordings(self, count: int, timeout_s: float = 10.0) -> list[dict[str, Any]]:
        """The index of recordings, oldest first, once it has at least `count` rows."""
        columns = "id, interaction_id, agent_id, queue, duration_s, sha256, path, error"
        rows: list[tuple[Any, ...]] = []

        async def holds() -> bool:
            rows[:] = self.query(f"select {columns} from recording order by started_at")
            return len(rows) >= count

        await self.until(holds, timeout_s, f"the index never had {count} recordings")
        return [dict(zip(columns.split(", "), row, strict=True)) for row in rows]

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the database directly."""
        connection = sqlite3.connect(self.data / "switchroom.db", timeout=5.0)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()
