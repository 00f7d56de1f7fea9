"""Two phones talk through a real gateway process: each hears the other's tone and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from switch.calls.events import (
    CallEvent,
    GatewayChanged,
    IncomingLeg,
    LegEnded,
    LegMeasured,
    RecordingClosed,
)
from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.media.codecs import DECODE, encode
from switch.sip.events import Invited, Progress
from tests.kit.patience import PATIENCE_S
from tests.kit.ports import free_row
from tests.switch.calls.bench import CARRIER, Bench
from tests.switch.calls.phone import Phone

GATEWAY = """
import sys
from pathlib import Path
from recordings.capture import SegmentedRecorder
from switch.gateway.server import run_gateway
from switch.gateway.settings import GatewaySettings

low = int(sys.argv[2])
settings = GatewaySettings(
    place=Path(sys.argv[1]),
    rtp_address="127.0.0.1",
    rtp_port_low=low,
    rtp_port_high=int(sys.argv[4]),
    prompt_folders=(Path(sys.argv[3]),),
    linger_s=5.0,
)
sys.exit(run_gateway(settings, SegmentedRecorder()))
"""
PCMU = 0
PORTS = 100
MUSIC_HZ = 1400.0
FRAME_S = 0.02


def tone(hertz: float, seconds: float, start: int = 0) -> NDArray[np.uint8]:
    """A mu-law tone at a third of full scale."""
    samples = np.arange(start, start + round(seconds * 8000))
    linear = (10000 * np.sin(2 * np.pi * hertz * samples / 8000)).astype(np.int16)
    return encode(linear, PCMU)


class Voice:
    """The RTP of one phone: hums its own pitch and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self.hertz = hertz
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.sequence = 0
        self.heard: list[bytes] = []

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port

    def frame(self, remote: tuple[str, int]) -> None:
        """Send one frame, take in what came."""
        header = struct.pack("!BBHII", 0x80, 0, self.sequence, self.sequence * 160, 7)
        sound = tone(self.hertz, FRAME_S, self.sequence * 160).tobytes()
        self.socket.sendto(header + sound, remote)
        self.sequence += 1
        self.listen()

    def listen(self) -> None:
        """Take in what came."""
        while True:
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                return
            if packet[1] & 0x7F == PCMU:
                self.heard.append(packet[12:])

    def forget(self) -> None:
        """What came so far was said to somebody who heard something else."""
        self.listen()
        self.heard.clear()

    def loudest(self) -> list[float]:
        """The pitches heard in the last 300 ms, those within 20 dB of the loudest."""
        octets = np.frombuffer(b"".join(self.heard[-15:]), dtype=np.uint8)
        if len(octets) < 2400:
            return []
        linear = DECODE[PCMU][octets]
        if np.abs(linear).max() < 200:
            return []
        spectrum = np.abs(np.fft.rfft(linear * np.hanning(len(octets))))
        step = 8000 / len(octets)
        peaks = [
            index * step
            for index in range(2, len(spectrum) - 2)
            if spectrum[index] == spectrum[index - 2 : index + 3].max()
            and spectrum[index] > spectrum.max() / 10
        ]
        return [round(peak / 20) * 20 for peak in peaks]


class Room:
    """The bench over a real gateway."""

    def __init__(self, folder: Path, low: int) -> None:
        self.events = asyncio.Event()
        self.client = GatewayClient(
            on_event=lambda event: self.bench.calls.gateway_event(event),
            on_lost=lambda reason: self.process.lost(reason),
            ports_ahead=8,
        )
        self.bench = Bench(real_gateway=self.client)
        self.bench.react = self._wake
        path = folder / "gateway.sock"
        self.process = GatewayProcess(
            [sys.executable, "-c", GATEWAY, str(path), str(low), str(folder), str(low + PORTS)],
            path,
            self.client,
            on_ready=lambda welcome: self.bench.calls.gateway_ready(welcome),
            on_lost=lambda reason: self.bench.calls.gateway_lost(reason),
        )
        self.voices: dict[Phone, Voice] = {}

    def phone(self, number: str, hertz: float) -> Phone:
        phone = self.bench.phone(number)
        self.voices[phone] = Voice(hertz)
        phone.rtp_port = self.voices[phone].port
        return phone

    async def talk(self, seconds: float = 0.7) -> None:
        """Let everybody hum for a while."""
        self.client.flush()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for voice in self.voices.values():
            voice.heard.clear()
        for index in range(round(seconds / FRAME_S)):
            await asyncio.sleep(max(0.0, begin + index * FRAME_S - loop.time()))
            for phone, voice in self.voices.items():
                if phone.sound is not None and phone.sound.current is not None:
                    voice.frame(("127.0.0.1", phone.sound.current.remote_port))

    async def hears(self, expected: Mapping[Phone, list[float]]) -> None:
        """Let everybody hum until each of these hears those pitches and nothing else.

        A machine that is busy elsewhere sends and passes on in bursts, or too late for a fixed time: such
        sound is waited out. What is never right fails, with what was heard.
        """
        self.client.flush()
        loop = asyncio.get_running_loop()
        for voice in self.voices.values():
            voice.forget()
        due, until = loop.time(), loop.time() + PATIENCE_S
        for frames in count(1):
            due = max(due + FRAME_S, loop.time() - 2 * FRAME_S)  # no burst after a pause
            await asyncio.sleep(max(0.0, due - loop.time()))
            for phone, voice in self.voices.items():
                if phone.sound is not None and phone.sound.current is not None:
                    voice.frame(("127.0.0.1", phone.sound.current.remote_port))
            if frames >= 35 and frames % 5 == 0:
                heard = {phone: self.voices[phone].loudest() for phone in expected}
                if heard == expected:
                    return
                assert loop.time() < until, [heard[phone] for phone in expected]

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait for events until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_true():
                await self.events.wait()
                self.events.clear()

    def _wake(self, event: CallEvent) -> None:
        self.events.set()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    music = tmp_path / "music"
    music.mkdir()
    (music / "default.ulaw").write_bytes(tone(MUSIC_HZ, 2.0).tobytes())
    made = Room(tmp_path, free_row(PORTS + 1))
    await made.process.start()
    yield made
    await made.process.stop()
    for voice in made.voices.values():
        voice.socket.close()


async def test_each_hears_the_other_hold_gives_music_and_a_dead_gateway_ends_the_call(
    room: Room,
) -> None:
    bench = room.bench
    ann, bob = room.phone("1001", 440.0), room.phone("1002", 1000.0)
    ann.call("1002")
    bob.answer()
    await room.hears({ann: [1000], bob: [440]})

    ann.hold()
    await room.hears({bob: [MUSIC_HZ], ann: []})

    ann.resume()
    bench.calls.mute(bench.leg_of("1002"), True)
    await room.hears({ann: [], bob: [440]})

    ann.hang_up()
    await room.until(lambda: len(bench.of(LegMeasured)) == 2)
    for measured in bench.of(LegMeasured):
        assert measured.stats.packets_received > 90
        assert measured.stats.packets_lost == 0

    ann.call("1002")
    bob.answer()
    pid = room.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await room.until(lambda: len(bench.of(LegEnded)) == 4)
    bench.pump()
    assert ann.is_idle
    assert bob.is_idle
    assert {end.cause.reason for end in bench.of(LegEnded)[2:]} == {"gateway-lost"}
    await room.until(lambda: bench.of(GatewayChanged)[-1].available)

    ann.call("1002")
    async with asyncio.timeout(PATIENCE_S):
        while bob.is_idle:  # on a busy machine a gateway is there before its first ports are: 503
            await asyncio.sleep(0.05)
            ann.call("1002")
    bob.answer()
    await room.hears({ann: [1000]})
    ann.hang_up()
    bench.check_order()
    assert bench.calls.legs_alive == 0
    assert bench.calls.faults == 0


async def test_a_recording_holds_the_customer_left_and_the_agent_right(
    room: Room, tmp_path: Path
) -> None:
    bench = room.bench
    bench.recordings = str(tmp_path)
    customer = bench.stranger("+12025550100")
    room.voices[customer] = Voice(440.0)
    customer.rtp_port = room.voices[customer].port
    agent = room.phone("1001", 1000.0)
    customer.call("4000")
    incoming = bench.of(IncomingLeg)[0]
    bench.calls.answer(incoming.leg)
    agent_leg = bench.calls.call_phone(
        "1001",
        call=incoming.call,
        caller_number=incoming.caller_number,
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    agent.answer()
    bench.calls.bridge(incoming.leg, agent_leg)
    recording = bench.calls.start_recording(incoming.call, customer=incoming.leg, agent=agent_leg)
    await room.talk(1.0)
    customer.hang_up()
    agent.hang_up()
    await room.until(lambda: bool(bench.of(RecordingClosed)))
    closed = bench.of(RecordingClosed)[0]
    assert (closed.recording, closed.error) == (recording, None)
    assert 700 <= closed.duration_ms <= 1300

    stereo = np.frombuffer(Path(closed.path).read_bytes()[-8000:], dtype=np.uint8).reshape(-1, 2)
    for channel, hertz in ((0, 440), (1, 1000)):
        voice = Voice(hertz)
        voice.heard = [
            stereo[start : start + 160, channel].tobytes() for start in range(0, 4000, 160)
        ]
        assert voice.loudest() == [hertz]
        voice.socket.close()
    bench.check_order()


async def test_phones_behind_nats_are_heard_and_hear_at_their_real_addresses(room: Room) -> None:
    """Their SDP has addresses of private networks, and ports that nobody listens at."""
    bench = room.bench
    ann, bob = room.phone("1001", 440.0), room.phone("1002", 1000.0)
    ann.rtp_address, ann.rtp_port = "10.0.0.9", 50000
    bob.rtp_address, bob.rtp_port = "192.168.77.7", 40000
    ann.call("1002")
    bob.answer()
    await room.hears({ann: [1000], bob: [440]})
    ann.hang_up()
    bench.check_order()


async def test_an_announcement_before_the_answer_is_heard_in_one_direction(room: Room) -> None:
    bench = room.bench
    ann = room.phone("1001", 440.0)
    carrier = bench.stranger("carrier", CARRIER)
    room.voices[carrier] = Voice(1000.0)
    carrier.rtp_port = room.voices[carrier].port
    ann.call("+12025550100")
    invited = carrier.last(Invited)
    assert invited is not None
    assert invited.offer is not None
    assert carrier.sound is not None
    early = carrier.sound.answer(invited.offer)[1]
    carrier.user_agent.ring(carrier.live, bench.clock.now(), 183, body=early)
    bench.pump()
    told = ann.last(Progress)
    assert told is not None
    assert told.body is not None
    assert ann.sound is not None
    ann.sound.preview_answer(told.body)
    await room.hears({ann: [1000], carrier: []})  # nobody speaks to a carrier for nothing
    carrier.answer(body=early)
    await room.hears({ann: [1000], carrier: [440]})
    ann.hang_up()
    bench.check_order()
