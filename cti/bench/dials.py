"""What dialling out costs: a progressive campaign at a fixed rate over real SIP, store and all.

People behind the trunk are `cti.bench.people`, agents are those of the lab's queue `load`. Three of ten
numbers answer, four are busy, three are given up by the network; whoever answers talks for a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx

from cti.bench.calls import percentile, rtp_sink
from cti.bench.people import People, Person
from cti.bench.server import MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.free_ports import free_port
from cti.local_server import ServerFailedError

AREAS: Final = (
    *("201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215"),
    *("216", "217", "218", "219", "224", "225", "228", "229", "231", "234", "239", "240", "248"),
    *("251", "252", "253", "254", "256", "260", "262", "267", "269", "270", "276", "281", "301"),
    *("302", "303", "304", "305", "307", "308", "309", "310", "312", "313", "314", "315", "316"),
)
"""With each of them 100 numbers are kept for fiction: 555-0100 to 555-0199."""
WARM_UP_S: Final = 5.0
TALK_S: Final = 1.0
_PATIENCE_S: Final = 120.0
_EVER: Final = {"begin": "00:00", "end": "24:00", "days": [0, 1, 2, 3, 4, 5, 6], "region": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFigures:
    """One campaign at a fixed rate."""

    rate: float
    """As asked for."""
    seconds: float
    dials: int
    dialled_per_s: float
    fewest_in_a_second: int
    gap_p95_ms: float
    """Between two INVITEs."""
    cpu_ms: float
    """Of call agent and gateway, a dial, with the three of ten talks."""
    call_agent_cpu_ms: float
    connect_p95_ms: float
    """From a person's answer to the agent's INVITE."""
    outcomes: dict[str, int]
    abandoned: int
    unsettled: int
    """Attempts that the store had not taken at the end."""


def person_of(number: str) -> Person:
    """What a number does: by its last digit."""
    digit = int(number[-1]) if number[-1:].isdigit() else 0
    if digit < 3:
        return Person(status=200, rings_s=1.0, talks_s=TALK_S)
    if digit < 7:
        return Person(status=486, rings_s=0.5)
    return Person(status=480, rings_s=3.0)


def numbers(count: int) -> list[str]:
    """So many numbers that belong to nobody."""
    found = [f"+1{area}5550{line}" for line in range(100, 200) for area in AREAS]
    if count > len(found):
        raise ValueError(f"there are {len(found)} numbers of fiction here, not {count}")
    return found[:count]


async def measure_dials(rate: float, seconds: float) -> DialFigures:
    """Dial at `rate` a second for so long. Raises ServerFailedError, TimeoutError."""
    out_port = free_port()
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder, rtp_sink() as rtp_port:
        options = ("--out-port", str(out_port))
        async with (
            measured_server(Path(folder), options=options) as server,
            _parties(server, out_port, rtp_port) as (people, agents),
        ):
            return await _measure(server, people, agents, rate, seconds)


@contextlib.asynccontextmanager
async def _parties(
    server: MeasuredServer, out_port: int, rtp_port: int
) -> AsyncIterator[tuple[People, AgentPool]]:
    people = People(host="127.0.0.1", port=out_port, rtp_port=rtp_port, behave=person_of)
    agents = AgentPool(host="127.0.0.1", port=server.agent_port, rtp_port=rtp_port)
    await people.open()
    await agents.open()
    try:
        yield people, agents
    finally:
        people.close()
        agents.close()


async def _measure(
    server: MeasuredServer, people: People, agents: AgentPool, rate: float, seconds: float
) -> DialFigures:
    async with CampaignDriver(server.url) as driver:
        wanted = round(rate * (seconds + WARM_UP_S)) + 200
        await driver.make(
            "bench",
            numbers(wanted),
            mode="progressive",
            queue="load",
            trunk="out",
            record=False,
            caller_ids=["+12025550100"],
            windows=[_EVER],
            limits={"calls_per_s": rate, "per_day": 3},
            answers={"classify": False},
        )
        await driver.start("bench")
        await asyncio.sleep(WARM_UP_S)
        before, began = server.usage(), time.monotonic()
        await asyncio.sleep(seconds)
        used, ended = server.usage().since(before), time.monotonic()
        times = [at for at, _ in people.dialled if began <= at < ended]
        await driver.pause("bench")
        panel = await driver.settled("bench")
    gaps = [1000 * (b - a) for a, b in pairwise(times)]
    a_second = Counter(int(at - began) for at in times)
    waits = [
        1000 * (at - people.answered_at[f"+{name}"])
        for name, at in agents.invited.items()
        if f"+{name}" in people.answered_at
    ]
    dials = max(1, len(times))
    return DialFigures(
        rate=rate,
        seconds=ended - began,
        dials=len(times),
        dialled_per_s=len(times) / (ended - began),
        fewest_in_a_second=min((a_second[n] for n in range(int(seconds))), default=0),
        gap_p95_ms=percentile(gaps, 0.95),
        cpu_ms=1000 * used.cpu_s / dials,
        call_agent_cpu_ms=1000 * used.call_agent.cpu_s / dials,
        connect_p95_ms=percentile(waits, 0.95),
        outcomes=panel["today"],
        abandoned=panel["today"].get("abandoned", 0),
        unsettled=panel["unsettled"],
    )


class CampaignDriver:
    """A supervisor who makes and steers campaigns by the API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=_PATIENCE_S)

    async def __aenter__(self) -> CampaignDriver:
        body = {"login": "admin", "password": "desk-admin"}
        reply = await self._asked("POST", "/api/v1/sign-on", json=body)
        self._client.headers["Authorization"] = f"Bearer {reply['token']}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    async def make(self, name: str, wanted: list[str], **settings: Any) -> None:
        """A campaign with its list."""
        body = {"name": name, "settings": settings}
        await self._asked("POST", "/api/v1/campaigns", json=body)
        rows = "".join(f"{number},{number[1:]}\n" for number in wanted)
        upload = await self._asked(
            "POST", "/api/v1/uploads?name=list.csv", content=f"phone,name\n{rows}".encode()
        )
        request = {"upload_id": upload["upload_id"]}
        await self._asked("POST", f"/api/v1/campaigns/{name}/imports", json=request)
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                imports = await self._asked("GET", f"/api/v1/campaigns/{name}/imports")
                if imports and imports[0]["state"] != "running":
                    break
                await asyncio.sleep(0.1)
        if imports[0]["state"] != "done" or imports[0]["added"] != len(wanted):
            raise ServerFailedError(f"the list was not imported as it is: {imports[0]}")

    async def start(self, name: str) -> None:
        """Let it dial."""
        await self._asked("POST", f"/api/v1/campaigns/{name}/start")

    async def pause(self, name: str) -> None:
        """Let it dial no more."""
        await self._asked("POST", f"/api/v1/campaigns/{name}/pause")

    async def settled(self, name: str) -> dict[str, Any]:
        """Wait until nothing is in flight and the store has everything; gives the panel."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                panel = await self._asked("GET", f"/api/v1/campaigns/{name}/panel")
                busy = ("in_flight", "ringing", "judging", "waiting", "talking", "unsettled")
                if not any(panel[each] for each in busy):
                    return dict(panel)
                await asyncio.sleep(0.2)

    async def _asked(self, method: str, path: str, **what: Any) -> Any:
        reply = await self._client.request(method, path, **what)
        if reply.status_code >= 300:
            raise ServerFailedError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        return reply.json() if reply.content else None
