"""What the gateway tests share: the child's command, phones on real sockets, a client that notes events."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import AddLeg, ConfigureLeg, Event
from switch.ids import LegId
from switch.media.codecs import DECODE, ENCODE
from tests.kit.patience import PATIENCE_S
from tests.switch.media.studio import level_of
from tests.switch.rtp.single import RtpPacket, parse_packet

E = TypeVar("E", bound=Event)
LOW, HIGH = 12000, 15998
"""Of the tests; apart from what the shipped configurations use."""
CHILD = Path(__file__).with_name("gateway_child.py")


def child_command(
    folder: Path, *, linger_s: float = 60.0, ports: tuple[int, int] = (LOW, HIGH)
) -> list[str]:
    return [
        sys.executable, "-c",
        f"import runpy, sys; sys.path.insert(0, {str(CHILD.parents[3])!r}); "
        f"sys.argv[0] = 'gateway'; runpy.run_path({str(CHILD)!r}, run_name='__main__')",
        str(folder / "gateway.sock"), str(folder), str(linger_s), str(ports[0]), str(ports[1]),
    ]  # fmt: skip


class Notes:
    """Events as they came, and a way to wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def add(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def wait(
        self,
        kind: type[E],
        match: Callable[[E], bool] = lambda event: True,
        within_s: float = PATIENCE_S,
    ) -> E:
        """The first event of a kind that matches, come or to come."""
        async with asyncio.timeout(within_s):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and match(event):
                        return event
                self._news.clear()
                await self._news.wait()


class House:
    """A supervised gateway with a client."""

    def __init__(
        self,
        folder: Path,
        command: list[str] | None = None,
        *,
        ports_ahead: int = 16,
        patience_s: float = 5.0,
    ) -> None:
        self.folder = folder
        self.notes = Notes()
        self.ready: list[str] = []
        self.lost: list[str] = []
        self.client = GatewayClient(
            on_event=self.notes.add,
            on_lost=lambda why: self.process.lost(why),
            ports_ahead=ports_ahead,
            patience_s=patience_s,
        )
        self.process = GatewayProcess(
            command or child_command(folder),
            folder / "gateway.sock",
            self.client,
            on_ready=lambda welcome: self.ready.append(welcome.gateway),
            on_lost=self.lost.append,
        )

    async def __aenter__(self) -> House:
        await self.process.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.process.stop()

    async def phone(self, leg: str, hertz: float, *, codec: str = "PCMU") -> Phone:
        phone = Phone(self.client.take_port(), hertz, 0 if codec == "PCMU" else 8)
        self.client.send(AddLeg(leg=LegId(leg), port=phone.gateway_port))
        self.client.send(
            ConfigureLeg(
                leg=LegId(leg),
                remote_address="127.0.0.1",
                remote_port=phone.port,
                codec=codec,
                payload_type=phone.payload_type,
                telephone_event_payload_type=101,
            )
        )
        return phone


class Phone:
    """A phone on a real socket: hums and listens."""

    def __init__(self, gateway_port: int, hertz: float, payload_type: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.port: int = self.sock.getsockname()[1]
        self.gateway_port = gateway_port
        self.hertz = hertz
        self.payload_type = payload_type
        self.packets: list[RtpPacket] = []
        self._frame = 0

    def hum(self) -> None:
        time_ = (self._frame * 160 + np.arange(160)) / 8000
        wave = (8000 * np.sin(2 * np.pi * self.hertz * time_)).astype(np.int16)
        codec = 1 if self.payload_type == 8 else 0
        self.send(
            RtpPacket(
                payload_type=self.payload_type,
                sequence=self._frame & 0xFFFF,
                timestamp=self._frame * 160,
                ssrc=self.port,
                payload=ENCODE[codec][wave.view(np.uint16)].tobytes(),
            ).to_bytes()
        )
        self._frame += 1

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, ("127.0.0.1", self.gateway_port))

    def listen(self) -> None:
        try:
            while True:
                self.packets.append(parse_packet(self.sock.recv(2048)))
        except BlockingIOError:
            pass

    def heard(self, last: int) -> NDArray[np.int16]:
        codec = 1 if self.payload_type == 8 else 0
        octets = b"".join(p.payload for p in self.packets[-last:])
        sound: NDArray[np.int16] = DECODE[codec][np.frombuffer(octets, dtype=np.uint8)]
        return sound

    def hears(self, hertz: float, last: int = 15) -> bool:
        return level_of(self.heard(last), hertz) > 2000

    def close(self) -> None:
        self.sock.close()


async def talk(phones: list[Phone], seconds: float) -> None:
    """Let the phones hum and listen, on the clock: the gateway is another process."""
    begin = time.monotonic()
    for frame in range(int(seconds / 0.02)):
        for phone in phones:
            phone.hum()
        await asyncio.sleep(max(0.0, begin + (frame + 1) * 0.02 - time.monotonic()))
        for phone in phones:
            phone.listen()


async def until(condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait for what another process brings about."""
    end = time.monotonic() + within_s
    for _ in range(10_000):
        if condition():
            return
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.02)
