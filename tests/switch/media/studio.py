"""An engine between parties in memory: they hum, the clock is moved, and one can ask who hears what."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switch.ids import LegId, PlayerId, RecordingId
from switch.media.codecs import CLOCK_SCALE_OF_CODEC, CODEC_BY_NAME, DECODE
from switch.media.engine import MediaEngine
from switch.media.errors import MediaCommandError
from switch.media.events import LegTotals, MediaEvent
from switch.media.model import SrtpKeys
from switch.media.packets import ROW_OCTETS, PacketBuffer
from switch.media.ports import RecordingOutcome, Stray
from switch.media.prompts import PromptStore
from tests.switch.media.sinks import NothingWaits
from tests.switch.media.voices import voice_of
from tests.switch.rtp.single import RtpPacket, parse_packet

FRAME_S = 0.02
PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9, "OPUS": 111}


class MemoryWire:
    """The RTP sockets, in memory."""

    def __init__(self) -> None:
        self.arrived: dict[int, deque[bytes]] = {}
        self.strays: list[Stray] = []
        self.sent: dict[int, list[bytes]] = {}
        self.peer: dict[int, tuple[str, int]] = {}
        self.ports: dict[int, int] = {}
        self.keys: dict[int, SrtpKeys | None] = {}
        self.report_to: dict[int, tuple[str, int] | None] = {}
        self.reports: dict[int, list[bytes]] = {}
        """RTCP that was sent, by row."""

    def attach(self, row: int, port: int) -> None:
        if port in self.ports.values():
            raise MediaCommandError(f"port {port} is not reserved")
        self.ports[row] = port
        self.arrived[row] = deque()
        self.sent[row] = []

    def connect(self, row: int, address: str, port: int) -> None:
        if not 0 < port < 65536:
            raise MediaCommandError("no port")
        self.peer[row] = (address, port)

    def detach(self, row: int) -> None:
        for table in (self.ports, self.arrived, self.sent, self.peer):
            table.pop(row, None)

    def secure(self, row: int, keys: SrtpKeys | None) -> None:
        self.keys[row] = keys

    def share_reports(self, row: int) -> None:
        self.report_to[row] = self.peer.get(row)

    def open_reports(self, row: int, address: str, port: int) -> None:
        self.report_to[row] = (address, port)

    def connect_reports(self, row: int, address: str, port: int) -> None:
        self.report_to[row] = (address, port)

    def close_reports(self, row: int) -> None:
        self.report_to.pop(row, None)

    def send_reports(self, packets: PacketBuffer, count: int) -> None:
        for i in range(count):
            row, size = int(packets.legs[i]), int(packets.sizes[i])
            if row in self.report_to:
                self.reports.setdefault(row, []).append(packets.octets[i, :size].tobytes())

    def receive(self, now: float, into: PacketBuffer) -> tuple[int, list[Stray]]:
        taken = 0
        for row, queue in self.arrived.items():
            if queue:
                data = queue.popleft()[:ROW_OCTETS]
                into.octets[taken, : len(data)] = np.frombuffer(data, dtype=np.uint8)
                into.legs[taken] = row
                into.sizes[taken] = len(data)
                taken += 1
        strays, self.strays = self.strays, []
        return taken, strays

    def send(self, packets: PacketBuffer, first: int, count: int) -> int:
        for i in range(first, first + count):
            row, size = int(packets.legs[i]), int(packets.sizes[i])
            if row in self.sent and row in self.peer:
                self.sent[row].append(packets.octets[i, :size].tobytes())
        return 0


class MemorySink(NothingWaits):
    """Keeps what was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.sound: dict[RecordingId, list[NDArray[np.uint8]]] = {}
        self.calls = 0
        self.closed: list[RecordingId] = []

    def open(self, recording: RecordingId, path: str) -> None:
        self.sound[recording] = []

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        assert block.shape[0] == len(recordings)
        assert block.shape[2] == 2
        self.calls += 1
        for recording, part in zip(recordings, block, strict=True):
            self.sound[recording].append(part.copy())

    def close(self, recording: RecordingId) -> None:
        self.closed.append(recording)

    def poll(self) -> list[RecordingOutcome]:
        return []

    def channel(self, recording: str, side: int) -> NDArray[np.int16]:
        octets = np.concatenate(self.sound[RecordingId(recording)])[:, side]
        sound: NDArray[np.int16] = DECODE[0][octets]
        return sound


class Party:
    """Somebody with a phone: hums one pitch and keeps what comes."""

    def __init__(self, studio: Studio, row: int, codec: str, hertz: float) -> None:
        self.studio = studio
        self.row = row
        self.become(codec)
        self.hertz = hertz
        self.sequence = 65530
        self.timestamp = 0xFFFFF000
        self.ssrc = 1000 + row
        self.clock = 0
        self.speaks = True

    def become(self, codec: str) -> None:
        """Speak this codec from now on; the engine is to be told by `Studio.configure`."""
        self.codec = CODEC_BY_NAME[codec]
        self.codec_name = codec
        self.scale = CLOCK_SCALE_OF_CODEC[self.codec]
        self.voice = voice_of(codec)
        self.payload_type = PAYLOAD_TYPES[codec]

    def frame(self, samples: int = 160) -> bytes:
        """The next frame of the hum, encoded; `samples` at 8 kHz."""
        rate = self.voice.rate_hz
        time = self.clock / 8000 + np.arange(samples * rate // 8000) / rate
        self.clock += samples
        wave = (8000 * np.sin(2 * np.pi * self.hertz * time)).astype(np.int16)
        return self.voice.encode(wave)

    def packet(self, samples: int = 160, **changes: object) -> bytes:
        """The next packet."""
        values: dict[str, object] = {
            "payload_type": self.payload_type,
            "sequence": self.sequence & 0xFFFF,
            "timestamp": self.timestamp & 0xFFFFFFFF,
            "ssrc": self.ssrc,
            "payload": self.frame(samples),
        } | changes
        self.sequence += 1
        self.timestamp += samples * self.scale
        return RtpPacket(**values).to_bytes()  # type: ignore[arg-type]

    def event_packet(self, code: int, duration: int, begin: int, *, end: bool = False) -> bytes:
        payload = bytes((code, (0x80 if end else 0) | 10)) + duration.to_bytes(2)
        packet = RtpPacket(
            payload_type=101, sequence=self.sequence & 0xFFFF, timestamp=begin & 0xFFFFFFFF,
            ssrc=self.ssrc, payload=payload,
        )  # fmt: skip
        self.sequence += 1
        return packet.to_bytes()

    def send(self, packet: bytes) -> None:
        self.studio.wire.arrived[self.row].append(packet)

    @property
    def packets(self) -> list[RtpPacket]:
        """What the party was sent, all of it."""
        return [parse_packet(data) for data in self.studio.wire.sent[self.row]]

    def heard(self, last_frames: int | None = None) -> NDArray[np.int16]:
        """The sound of the packets, in the order they came."""
        packets = [p for p in self.packets if p.payload_type == self.payload_type]
        chosen = packets if last_frames is None else packets[-last_frames:]
        return voice_of(self.codec_name).decode([p.payload for p in chosen])

    def forget(self) -> None:
        self.studio.wire.sent[self.row].clear()


def level_of(sound: NDArray[np.int16], hertz: float) -> float:
    """The amplitude of one pitch in a sound."""
    if not len(sound):
        return 0.0
    wave = sound.astype(np.float64) * np.hanning(len(sound))
    time = np.arange(len(sound)) / 8000
    return float(abs(np.sum(wave * np.exp(-2j * np.pi * hertz * time))) * 4 / len(sound))


class Studio:
    """The engine, its wire and sink, and the time."""

    def __init__(self, prompts: Path | None = None, *, rtp_timeout_s: float = 30.0) -> None:
        self.wire = MemoryWire()
        self.sink = MemorySink()
        numbers: Callable[[], int] = itertools.count(0xFFFFFF00, 0x1234567).__next__
        self.engine = MediaEngine(
            self.wire,
            self.sink,
            PromptStore((prompts,) if prompts else ()),
            random_u32=lambda: numbers() & 0xFFFFFFFF,
            rtp_timeout_s=rtp_timeout_s,
        )
        self.now = 1000.0
        self.parties: dict[str, Party] = {}
        self.events: list[MediaEvent] = []
        self._ports = itertools.count(20000, 2)

    def add(
        self, name: str, hertz: float = 400.0, *, codec: str = "PCMU", events: int | None = 101
    ) -> Party:
        """A leg with its party, configured."""
        port = next(self._ports)
        self.engine.add_leg(LegId(name), port, self.now)
        row = next(row for row, p in self.wire.ports.items() if p == port)
        party = self.parties[name] = Party(self, row, codec, hertz)
        self.configure(name, events=events)
        return party

    def remove(self, name: str) -> LegTotals:
        """The leg and its party are gone."""
        del self.parties[name]
        return self.engine.remove_leg(LegId(name))

    def configure(
        self, name: str, *, send: bool = True, receive: bool = True, events: int | None = 101
    ) -> None:
        party = self.parties[name]
        self.engine.configure_leg(
            LegId(name), remote=("192.0.2.1", 4000 + party.row),
            codec=party.codec_name, payload_type=party.payload_type, event_type=events,
            event_rate=8000 * party.scale, send=send, receive=receive, now=self.now,
        )  # fmt: skip

    def hear(self, listener: str, source: str, gain: float = 1.0) -> None:
        known = source in self.parties
        self.engine.set_gain(LegId(listener), LegId(source) if known else PlayerId(source), gain)

    def bridge(self, one: str, other: str, gain: float = 1.0) -> None:
        self.hear(one, other, gain)
        self.hear(other, one, gain)

    def run(self, frames: int) -> None:
        """Let everybody hum for so many frames of 20 ms."""
        for _ in range(frames):
            self.step(p.packet() if p.speaks else None for p in self.parties.values())

    def step(self, packets: Iterable[bytes | None] = ()) -> None:
        """One frame: the parties' packets in their order, a wake for all of them, a tick."""
        for party, packet in zip(self.parties.values(), packets, strict=False):
            if packet is not None:
                party.send(packet)
        while self.engine.wake(self.now):
            pass
        self.engine.tick(self.now)
        self.events += self.engine.next_events()
        self.now += FRAME_S

    def pitches(self, name: str, last_frames: int = 20) -> set[str]:
        """Whose pitch a party has heard lately: names of parties."""
        sound = self.parties[name].heard(last_frames)
        return {
            other for other, party in self.parties.items() if level_of(sound, party.hertz) > 800
        }
