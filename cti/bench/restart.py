"""The call agent is killed while calls talk: how soon the next one has them, and whether they end well.

    python -m cti.bench.restart                    200 recorded calls
    python -m cti.bench.restart --calls 1000

Measured from outside: from the start of the new process to its first answer to an OPTIONS. It answers
nobody before it has taken up all calls. Both ends of each call speak all the time, and the longest time
for which one of them hears nothing counts. Then every tenth caller holds and resumes, every caller hangs
up, nothing may be left, and what was said must be in the recordings.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import uvloop

from cti.bench.call_sound import SteadySound
from cti.bench.recorded import longest_hole_s
from cti.bench.rtp_parties import END_SIGN
from cti.bench.server import RTP_PORTS
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool
from cti.bench.sip_text import Address, Datagrams
from cti.bench.soak_files import files_at_end
from cti.journal_records import Kind
from cti.local_server import LocalServer, local_server, started_again
from cti.paths import shipped
from cti.takeover import FILE
from switch.journal.format import read

_ASK_EVERY_S: Final = 0.01
_UP_S: Final = 60.0
_QUIET_S: Final = 30.0
_RATE: Final = 40.0
"""Calls a second to begin with."""
_AT_ONCE: Final = 4
_PATIENT: Final = "[media]\nrtp_timeout_s = 3600\nlinger_s = 300\n"
"""The machine may be busy with other things."""
_HOST: Final = "127.0.0.1"
_PAYLOAD: Final = random.Random(1).randbytes(160 - len(END_SIGN)) + END_SIGN
_SETTLE_S: Final = 1.0
_HOLD_EVERY: Final = 10
_HOLD_S: Final = 0.5
WITHIN_S: Final = 2.0
"""In which all calls are to be taken up."""
PAUSE_S: Final = 0.15
"""Longer without a packet, or in a recording without sound, is a pause that people hear."""
_OF_CALLS: Final = frozenset({Kind.LEG, Kind.INVITE, Kind.CONTACT, Kind.CAPTURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartFigures:
    """What came of it."""

    calls: int
    """That talked when the call agent was killed."""
    journal_octets: int
    adopted_s: float
    """From the start of the process to its first answer."""
    away_s: float
    """From the kill to that answer."""
    heard: int
    """Legs to which sound came."""
    pause_s: float
    """The longest time for which any of them heard nothing, from the kill to after that answer."""
    adopted_calls: int
    held: int
    """Calls that were put on hold afterwards, and resumed."""
    changes_taken: int
    """Of those holds and resumptions."""
    ended_well: int
    """Calls whose BYE was answered."""
    recordings: int
    """Whole ones."""
    bad_files: list[str]
    holes_s: list[float]
    """Of each recording the longest time without the sound that was sent, longest first."""
    left_over: dict[str, int]
    """What was left when all were over; empty: nothing."""

    def complaints(self, *, within_s: float = WITHIN_S, pause_s: float = PAUSE_S) -> list[str]:
        """Everything that must not be, in words; empty: passed."""
        found = [f"{count} {what} left over" for what, count in self.left_over.items()]
        found += self.bad_files
        if self.adopted_s > within_s:
            found.append(f"taken up after {self.adopted_s:.2f} s, not within {within_s:g} s")
        if self.heard < 2 * self.calls:
            found.append(f"{self.heard} of {2 * self.calls} legs heard anything")
        if self.pause_s > pause_s:
            found.append(f"a leg heard nothing for {self.pause_s:.2f} s")
        if self.changes_taken != 2 * self.held:
            found.append(
                f"{self.changes_taken} of {2 * self.held} holds and resumptions were taken"
            )
        if self.recordings != self.calls:
            found.append(f"{self.recordings} of {self.calls} recordings are whole")
        if (holed := sum(hole > pause_s for hole in self.holes_s)) > self.held:
            found.append(f"{holed} recordings have holes, and {self.held} calls were on hold")
        if self.adopted_calls != self.calls:
            found.append(f"{self.adopted_calls} of {self.calls} calls were taken up")
        if self.ended_well != self.calls:
            found.append(f"{self.ended_well} of {self.calls} calls ended well")
        return found


async def measure_restart(
    calls: int, folder: Path, *, rtp_ports: str = RTP_PORTS
) -> RestartFigures:
    """Let `calls` recorded calls talk, kill the call agent, start the next. Raises ServerFailedError."""
    options = ("--rtp-ports", rtp_ports, "--log-level", "WARNING")
    config = folder / "lab.toml"
    lab = shipped("lab.toml").read_text(encoding="utf-8")
    config.write_text(lab.replace("[media]\n", _PATIENT, 1), encoding="utf-8")
    async with local_server(folder, *options, config=config) as server:
        sounds = SteadySound(_HOST, _PAYLOAD), SteadySound(_HOST, _PAYLOAD)
        agents = AgentPool(
            host=server.host, port=server.agent_port, rtp_port=sounds[0].port, sound=sounds[0]
        )
        callers = CallerPool(
            host=server.host,
            server=server.sip,
            rtp_port=sounds[1].port,
            called="4100",
            talk_s=3600.0,
            sound=sounds[1],
        )
        for sound in sounds:
            sound.open()
        await agents.open()
        await callers.open()
        try:
            return await _measure(server, callers, sounds, calls, options, config)
        finally:
            callers.close()
            agents.close()
            for sound in sounds:
                await sound.close()


async def _measure(
    server: LocalServer,
    callers: CallerPool,
    sounds: Sequence[SteadySound],
    calls: int,
    options: tuple[str, ...],
    config: Path,
) -> RestartFigures:
    watch = _Watch(server)
    try:
        await watch.sign_on()
        await _dial(callers, calls)
        talking = await watch.talking(calls)
        await asyncio.sleep(_SETTLE_S)
        for sound in sounds:
            sound.begin()
        killed = time.monotonic()
        os.kill(server.process.pid, signal.SIGKILL)
        await server.process.wait()
        octets = (server.data / FILE).stat().st_size
        began = time.monotonic()
        async with started_again(server, *options, config=config) as again:
            answered = await _first_answer(again.sip)
            adopted = int((await watch.status())["calls"])
            await asyncio.sleep(_SETTLE_S)
            pause_s = max(sound.longest_s() for sound in sounds)
            heard = sum(sound.streams for sound in sounds)
            held = callers.hold(_HOLD_EVERY, "sendonly")
            await asyncio.sleep(_HOLD_S)
            callers.hold(_HOLD_EVERY, "sendrecv")
            await asyncio.sleep(_HOLD_S)
            callers.hang_up_all()
            async with asyncio.timeout(_QUIET_S):
                while callers.live:  # noqa: ASYNC110 - each is over by a message of its own
                    await asyncio.sleep(0.05)
            left_over = await watch.left_over()
    finally:
        await watch.close()
    files = files_at_end(server.data)
    holes_s = [] if files.bad else _holes_s(server.data / "recordings")
    return RestartFigures(
        calls=talking,
        journal_octets=octets,
        adopted_s=answered - began,
        away_s=answered - killed,
        heard=heard,
        pause_s=pause_s,
        adopted_calls=adopted,
        held=held,
        changes_taken=callers.changed[200],
        ended_well=sum(record.status == 200 for record in callers.records) - callers.lost,
        recordings=files.recordings,
        bad_files=files.bad,
        holes_s=holes_s,
        left_over=left_over,
    )


def _holes_s(recordings: Path) -> list[float]:
    """The longest hole of each recording, longest first."""
    return sorted((longest_hole_s(path) for path in recordings.rglob("*.wav")), reverse=True)


async def _dial(callers: CallerPool, calls: int) -> None:
    """Dial until so many talk: a server that is short of time refuses some."""
    end = time.monotonic() + _UP_S + calls / _RATE
    while (missing := calls - callers.live) > 0 and time.monotonic() < end:
        for _ in range(min(missing, _AT_ONCE)):
            callers.dial()
        await asyncio.sleep(_AT_ONCE / _RATE)


async def _first_answer(sip: Address) -> float:
    """When the server first answered an OPTIONS."""
    answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def receive(data: bytes, _: Address) -> None:
        if not answered.done():
            answered.set_result(time.monotonic())

    asking = await Datagrams.open(receive, sip[0], 0)
    try:
        async with asyncio.timeout(_UP_S):
            while not answered.done():
                asking.send(_options(sip, asking.port), sip)
                await asyncio.wait((answered,), timeout=_ASK_EVERY_S)
        return answered.result()
    finally:
        asking.close()


def _options(sip: Address, port: int) -> bytes:
    token = secrets.token_hex(6)
    return (
        f"OPTIONS sip:{sip[0]}:{sip[1]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {sip[0]}:{port};rport;branch=z9hG4bK{token}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:bench@{sip[0]}>;tag={token}\r\nTo: <sip:{sip[0]}>\r\n"
        f"Call-ID: {token}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class _Watch:
    """Asks for the server's own counters. Signed on once: passwords cost time, tokens outlive a restart."""

    def __init__(self, server: LocalServer) -> None:
        self._client = httpx.AsyncClient(base_url=server.url, timeout=_UP_S)
        self._data = server.data

    async def sign_on(self) -> None:
        body = {"login": "admin", "password": "desk-admin"}
        reply = await self._client.post("/api/v1/sign-on", json=body)
        self._client.headers["Authorization"] = f"Bearer {reply.json()['token']}"

    async def close(self) -> None:
        await self._client.aclose()

    async def status(self) -> dict[str, Any]:
        """The counters; asked for again while the server does not take requests yet."""
        async with asyncio.timeout(_UP_S):
            while True:
                try:
                    found: dict[str, Any] = (await self._client.get("/api/v1/status")).json()
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    return found

    async def talking(self, calls: int) -> int:
        """How many calls talk, once all do or have had the time to."""
        end = time.monotonic() + _QUIET_S
        while True:
            status = await self.status()
            gateway = status["gateway"] or {}
            if status["legs"] == 2 * calls and gateway.get("recordings") == calls:
                return calls
            if time.monotonic() > end:
                return int(status["legs"]) // 2
            await asyncio.sleep(0.2)

    async def left_over(self) -> dict[str, int]:
        """What is left once everything had the time to end."""
        end = time.monotonic() + _QUIET_S
        while True:
            status = await self.status()
            gateway = status["gateway"] or {}
            names = ("legs", "calls", "contacts", "sessions")
            found = Counter({name: status[name] for name in names})
            found["legs of the gateway"] = gateway.get("legs", 1)
            found["recordings of the gateway"] = gateway.get("recordings", 1)
            kept = Counter(kind for kind, _ in read(self._data / FILE).entries if kind in _OF_CALLS)
            for kind, count in kept.items():
                found[f"records of kind {kind}"] = count
            found += Counter()  # drops zeros
            if not found or time.monotonic() > end:
                return dict(found)
            await asyncio.sleep(0.2)


def main() -> int:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m cti.bench.restart", description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rtp-ports", default=RTP_PORTS, metavar="LOW-HIGH")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="switchroom-restart-") as folder:
        found = uvloop.run(measure_restart(args.calls, Path(folder), rtp_ports=args.rtp_ports))
    sys.stdout.write(
        f"{found.calls} calls talked; journal {found.journal_octets / 1e6:.2f} MB\n"
        f"{found.adopted_calls} taken up, {found.adopted_s:.2f} s after the start of the process,"
        f" {found.away_s:.2f} s after the kill\n"
        f"{found.heard} legs heard sound, none paused for more than {1000 * found.pause_s:.0f} ms\n"
        f"{found.recordings} whole recordings, no hole of more than"
        f" {1000 * next(iter(found.holes_s[found.held :]), 0.0):.0f} ms but in the"
        f" {found.held} calls that were put on hold\n"
        f"{found.ended_well} ended well; left over: {found.left_over or 'nothing'}\n"
    )
    for complaint in found.complaints():
        sys.stdout.write(f"wrong: {complaint}\n")
    return 1 if found.complaints() else 0


if __name__ == "__main__":
    sys.exit(main())
