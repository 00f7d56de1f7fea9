"""The real server on `config/lab.toml`, as a process of its own with ports of its own.

async with Lab(tmp_path) as lab:
    await phone.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from crm_store.seed import seed
from crm_store.store import Store
from tests.kit.blank_store import lay_blank_store
from tests.kit.patience import PATIENCE_S
from tests.kit.ports import free_port, rtp_ports

ROOT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 120.0
_RESERVE: Final = 64
"""Half of it is a burst of that many calls within the time of a round trip to the gateway."""


def edited(folder: Path, **values: object) -> Path:
    """A copy of `config/lab.toml` in which keys have other values, wherever they stand."""
    text = (ROOT / "config" / "lab.toml").read_text()
    for key, value in values.items():
        text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert found, f"config/lab.toml has no key {key}"
    path = folder / "lab.toml"
    path.write_text(text)
    return path


def _thrifty(config: Path, folder: Path) -> Path:
    """The configuration with few RTP ports kept ahead, unless it says how many, or is a mere name.

    With the default a server takes a thousand of them at once, and eight servers side by side, in
    test runs that know nothing of each other, take all there are: calls are refused for no port.
    """
    text = config.read_text() if config.is_file() else ""
    if "\n[media]\n" not in text or re.search(r"(?m)^(reserve|flows|prompts) *=", text):
        return config
    path = folder / f"{config.stem}-few-ports.toml"
    path.write_text(text.replace("\n[media]\n", f"\n[media]\nreserve = {_RESERVE}\n", 1))
    return path


class Lab:
    """One server process. Leaving the block stops it and fails if it did not stop cleanly.

    `secure`: it listens for TLS and WebSocket as well. `seeded`: with the demo's customers in its
    store. `tolerates`: words in the log's errors that the test provokes.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        config: Path | None = None,
        secure: bool = False,
        seeded: bool = False,
        tolerates: tuple[str, ...] = (),
    ) -> None:
        self.host = "127.0.0.1"
        self.data = folder / "data"
        self.config = _thrifty(config or ROOT / "config" / "lab.toml", folder)
        self._seeded = seeded
        self._tolerates = tolerates
        self.sip_port = free_port()
        self.http_port = free_port()
        self.agent_port = free_port()
        self.out_port = free_port()
        self.tls_port, self.ws_port, self.wss_port = (
            free_port() if secure else 0 for _ in range(3)
        )
        self.log = folder / "server.log"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self.expects_crash = False
        self._tokens: dict[str, str] = {}
        self._asking: httpx.AsyncClient | None = None
        self._dead_gateway = 0

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            if self._process is not None:
                await self.stop()
            raise
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
        _, trace_begins, rest = text.partition("Traceback")
        assert not trace_begins, f"the server logged a traceback:\n{rest[:6000]}"
        for line in text.splitlines():
            if " ERROR " in line and not any(word in line for word in self._tolerates):
                raise AssertionError(f"the server logged an error:\n{line}\n{text[-6000:]}")

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
        lay_blank_store(self.data / "switchroom.db")
        if self._seeded:
            await self._seed()
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
                *("--tls-port", str(self.tls_port)),
                *("--ws-port", str(self.ws_port)),
                *("--wss-port", str(self.wss_port)),
                "--rtp-ports",
                rtp_ports(),
                *self._options,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        await self.until(self._ready, _START_S, "the server did not come up")

    async def _seed(self) -> None:
        store = await Store.open(f"sqlite:///{self.data / 'switchroom.db'}", data_dir=self.data)
        await seed(store, now=time.time())
        await store.close()

    async def _ready(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise AssertionError(f"the server ended at once:\n{self.log.read_text()[-4000:]}")
        try:
            reply = await self._client.get("/healthz")
        except httpx.HTTPError:
            return False
        return reply.status_code == 200

    async def stop(self) -> int:
        """End it as an operator would; gives its exit code."""
        process = self._process
        assert process is not None
        if self._asking is not None:
            await self._asking.aclose()
            self._asking = None
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                return -99
        assert process.returncode is not None
        return process.returncode

    def terminate(self) -> None:
        """Ask it to end, without waiting for that."""
        os.kill(self.pid, signal.SIGTERM)

    async def ended(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait until it has ended by itself; gives its exit code."""
        assert self._process is not None
        async with asyncio.timeout(timeout_s):
            return await self._process.wait()

    def kill(self) -> None:
        """End it as a crash would."""
        self.expects_crash = True
        os.kill(self.pid, signal.SIGKILL)

    async def restart(self) -> float:
        """Kill the call agent as a crash would, start another on what it left; how long that took."""
        began = time.monotonic()
        self.kill()
        await self.stop()
        self.expects_crash = False
        await self.start()
        return time.monotonic() - began

    async def kill_gateway(self) -> float:
        """End the only media gateway as a crash would; gives the moment."""
        self._dead_gateway = await self._pid_of_gateway()
        os.kill(self._dead_gateway, signal.SIGKILL)
        return time.monotonic()

    async def takes_calls(self) -> None:
        """Wait until a gateway is there, and not the one that was killed; calls get 503 meanwhile."""

        async def available() -> bool:
            if await self._pid_of_gateway() == self._dead_gateway:
                return False
            return bool((await self.get("/api/v1/snapshot"))["gateway_available"])

        await self.until(available, message="no other gateway came")

    async def _pid_of_gateway(self) -> int:
        """Of the one that is connected, or was last; it may be the child of an earlier server."""
        (gateway,) = (await self.status())["gateways"]
        return int(gateway["pid"] or 0)

    # --- asking ---------------------------------------------------------------------------------

    @property
    def _client(self) -> httpx.AsyncClient:
        """One that waits for a busy machine. It reads no certificates: that takes longer than asking."""
        if self._asking is None:
            self._asking = httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S, verify=False)
        return self._asking

    async def token(self, login: str = "super") -> str:
        """Sign on (once) and give the token."""
        if login not in self._tokens:
            reply = await self._client.post(
                "/api/v1/sign-on", json={"login": login, "password": f"desk-{login}"}
            )
            assert reply.status_code == 200, reply.text
            self._tokens[login] = reply.json()["token"]
        return self._tokens[login]

    async def get(self, path: str, login: str = "super") -> Any:
        """Ask the API."""
        headers = {"Authorization": f"Bearer {await self.token(login)}"}
        reply = await self._client.get(path, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def metrics(self) -> str:
        """What Prometheus would read."""
        return (await self._client.get("/metrics")).text

    async def post(self, path: str, body: Any = None, login: str = "super") -> httpx.Response:
        """Command the API."""
        headers = {"Authorization": f"Bearer {await self.token(login)}"}
        return await self._client.post(path, json=body, headers=headers)

    async def status(self) -> dict[str, Any]:
        """What lives in the server and what it has counted."""
        found: dict[str, Any] = await self.get("/api/v1/status", "admin")
        return found

    async def agent(self, agent: str) -> dict[str, Any]:
        """An agent as supervisors see it."""
        snapshot = await self.get(
            "/api/v1/snapshot", "admin"
        )  # as `status`: one sign-on serves both
        for view in snapshot["agents"]:
            if view["agent_id"] == agent:
                found: dict[str, Any] = view
                return found
        return {"agent_id": agent, "state": "logged-out"}

    async def until(
        self,
        test: Callable[[], Any],
        timeout_s: float = PATIENCE_S,
        message: str = "it never happened",
    ) -> None:
        """Ask again every 50 ms until `test` holds: the only way to see into another process."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await test():  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            text = self.log.read_text(errors="replace")
            raise AssertionError(f"{message}; the server says:\n{text[-3000:]}") from None

    async def agent_is(self, agent: str, state: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until an agent is in a state."""

        async def holds() -> bool:
            return bool((await self.agent(agent))["state"] == state)

        await self.until(holds, timeout_s, f"agent {agent} never was {state}")

    async def is_quiet(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until no leg, no call and no recording is left."""

        quiet_since: float | None = None
        status: dict[str, Any] = {}

        async def holds() -> bool:
            nonlocal quiet_since, status
            status = await self.get("/api/v1/status", "admin")
            gateway = status["gateway"]
            alive = status["legs"] + status["calls"] + status["contacts"] + status["sessions"]
            if alive or not gateway:
                quiet_since = None
                return False
            if quiet_since is None:  # the gateway counts once a second: wait for the next count
                quiet_since = gateway["uptime_s"]
            return bool(
                gateway["uptime_s"] > quiet_since
                and gateway["legs"] == 0
                and gateway["recordings"] == 0
            )

        try:
            await self.until(holds, timeout_s, "something was left behind")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{status}") from None

    async def open_files(self) -> OpenFiles:
        """What server and gateway hold open; the gateway's reserve of RTP ports left out."""

        async def has_counted() -> bool:
            return bool((await self.status())["gateway"])

        await self.until(has_counted)
        status = await self.status()
        server, gateway = _files(self.pid), _files(self.gateway_pid)
        return OpenFiles(
            server=sum(not (_is_http(name) or _is_database(name)) for name in server),
            gateway=sum(not name.startswith("udp") for name in gateway),
            ports_free=int(status["gateway"]["ports_free"]),
        )

    async def files_are_as(self, before: OpenFiles, timeout_s: float = PATIENCE_S) -> None:
        """Wait until no more is open than `before`; released ports rest for two seconds."""
        now = before

        async def holds() -> bool:
            nonlocal now
            now = await self.open_files()
            return (
                now.server <= before.server
                and now.gateway <= before.gateway
                and now.ports_free >= before.ports_free
            )

        try:
            await self.until(holds, timeout_s)
        except AssertionError:
            raise AssertionError(f"files are left open: {now}, before {before}") from None

    async def recordings(self, count: int, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
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
        connection = sqlite3.connect(self.data / "switchroom.db", timeout=PATIENCE_S)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    async def rows_are(self, sql: str, *expected: tuple[Any, ...]) -> None:
        """Wait until a query gives these rows: history is written behind the calls."""
        rows: list[tuple[Any, ...]] = []

        async def holds() -> bool:
            rows[:] = self.query(sql)
            return rows == list(expected)

        try:
            await self.until(holds)
        except AssertionError as error:
            raise AssertionError(f"{sql} gives {rows}, not {expected}; {error}") from None


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """Counts of file descriptors, and of RTP ports that no leg has."""

    server: int
    gateway: int
    ports_free: int


def _files(pid: int) -> list[str]:
    """What a process has open; UDP sockets as `udp:[inode]`, TCP as `tcp:[inode]`."""
    kinds = {}
    for kind in ("udp", "tcp"):
        for line in Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            kinds[line.split()[9]] = kind
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(entry.readlink())
        except OSError:
            continue  # closed meanwhile
        if name.startswith("socket:["):
            name = f"{kinds.get(name[8:-1], 'unix')}:{name[7:]}"
        found.append(name)
    return found


def _is_database(name: str) -> bool:
    """Of the pool of the store, which opens connections as they are first needed, and keeps them."""
    return ".db" in Path(name).name


def _is_http(name: str) -> bool:
    """The connection by which we ask."""
    return name.startswith("tcp:")
