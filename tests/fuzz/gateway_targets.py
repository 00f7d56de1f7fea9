"""Sound and control that must survive whatever comes: RTP, RTCP, the engine, the control protocol."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from random import Random

import msgspec
import numpy as np

from switch.gateway.commands import CommandRunner
from switch.gateway.framing import FrameSplitter, FramingError, decode_command, encode_frame
from switch.gateway.protocol import (
    AddLeg,
    Command,
    ConfigureLeg,
    Gain,
    GetStats,
    Hello,
    Play,
    Prompt,
    RemoveLeg,
    ReservePorts,
    SendDigits,
    SetGains,
    Shutdown,
    Silence,
    StartRecording,
    StopPlayer,
    Tone,
    WatchSound,
)
from switch.ids import LegId, PlayerId, RecordingId
from switch.media.ports import Stray
from switch.rtp.packet import header_of
from tests.fuzz.campaign import Item, promise
from tests.fuzz.mutations import BINARY, change_a_number, mutate
from tests.switch.media.studio import Studio


def rtp_packet(rng: Random) -> bytes:
    payload = bytes(rng.randrange(256) for _ in range(rng.choice((0, 4, 160, 160, 160, 240, 1400))))
    kind = rng.choice((0, 0, 0, 8, 101, 101, 13, 127, 128, 200))
    first = rng.choice((0x80, 0x80, 0x80, 0x90, 0xA0, 0x8F, 0xBF, 0x00, 0x40))
    sequence, stamp = (
        rng.choice((0, 1, 7, 65_534, 65_535, rng.randrange(65_536))),
        rng.getrandbits(32),
    )
    return (
        struct.pack("!BBHII", first, kind, sequence, stamp, rng.choice((7, 8, 2**32 - 1))) + payload
    )


def rtcp_packet(rng: Random) -> bytes:
    """Reports, a source description, a goodbye: whole, cut short, or with wrong lengths."""
    kind = rng.choice((200, 201, 202, 203, 204, 205, 206, 207, 223, 192))
    words = rng.choice((0, 1, 6, 7, 12, 65_535))
    body = rng.randbytes(rng.choice((0, 4, 24, 28, 52)))
    return struct.pack("!BBH", 0x80 | rng.randrange(32), kind, words) + body


class Sound:
    """Three legs, two of them bridged, one in the dark, and whatever arrives at their ports."""

    name = "sound"

    def make(self, rng: Random) -> list[Item]:
        """Packets, one after the other; the first octet says for whom, from 3 on it is a stranger."""
        packets: list[Item] = []
        for _ in range(rng.randint(5, 60)):
            packet = (rtp_packet, rtp_packet, rtp_packet, rtcp_packet)[rng.randrange(4)](rng)
            if rng.random() < 0.3:
                packet = mutate([packet], rng, BINARY)
            packets.append(bytes([rng.choice((0, 0, 1, 1, 2, 3, 4, 5))]) + packet[:1500])
        return packets

    def play(self, case: Sequence[Item]) -> None:
        """Everything is counted; afterwards the legs that are bridged hear each other."""
        studio = Studio()
        for name, hertz in (("a", 440.0), ("b", 700.0), ("c", 1100.0)):
            studio.add(name, hertz)
        studio.bridge("a", "b")
        parties = list(studio.parties.values())
        for number, item in enumerate(case):
            assert isinstance(item, bytes)
            if not item:
                continue
            if item[0] < 3:
                parties[item[0]].send(item[1:])
            else:
                row = parties[item[0] % 3].row
                studio.wire.strays.append(Stray(row, item[1:], ("192.0.2.66", 5000 + item[0])))
            if number % 3 == 2:
                studio.step()
        for _ in range(5):
            studio.step()
        came = sum(isinstance(item, bytes) and bool(item) for item in case)
        engine = studio.engine
        counted = engine.packets_received + engine.packets_stray + engine.packets_dropped
        promise(counted >= came, f"{came} packets came, {counted} were counted")
        for party in parties:
            party.forget()
            party.ssrc += 77  # another source, as after the noise
        studio.run(60)
        promise(studio.pitches("a") == {"b"}, f"a hears {studio.pitches('a')}")
        promise(studio.pitches("b") == {"a"}, f"b hears {studio.pitches('b')}")
        for name in tuple(studio.parties):
            studio.engine.remove_leg(LegId(name))
        promise(len(studio.events) < 10 * came + 50, "too many events")


class CodedSound:
    """A room of all codecs, one of them watched, and whatever comes in the payloads of their types."""

    name = "coded-sound"
    codecs = (("PCMA", None), ("G722", 101), ("OPUS", 101), ("OPUS", None))

    def make(self, rng: Random) -> list[Item]:
        """Payloads; the first three octets say for whom, of what type, and how far time goes on."""
        payloads: list[Item] = []
        for _ in range(rng.randint(5, 60)):
            head = bytes((rng.randrange(4), rng.choice((0, 0, 0, 0, 1, 2)), rng.randrange(256)))
            body = rng.randbytes(rng.choice((0, 1, 2, 4, 40, 80, 160, 160, 240, 960, 990)))
            if rng.random() < 0.3:  # Opus by its first octet, nonsense behind
                body = bytes([rng.randrange(256)]) + body
            payloads.append(head + body)
        return payloads

    def play(self, case: Sequence[Item]) -> None:
        """Afterwards everybody hears everybody else."""
        studio = Studio()
        for number, (codec, events) in enumerate(self.codecs):
            studio.add(f"leg-{number}", 500.0 + 330.0 * number, codec=codec, events=events)
        parties = list(studio.parties)
        for one in parties:
            for other in parties:
                if one != other:
                    studio.hear(one, other, 0.7)
        studio.engine.watch_sound(LegId(parties[0]), on=True)
        for number, item in enumerate(case):
            assert isinstance(item, bytes)
            if len(item) < 3:
                continue
            party = studio.parties[parties[item[0] % 4]]
            kind = (party.payload_type, 13, 101)[item[1] % 3]
            party.timestamp += 40 * (item[2] - 100) if item[2] > 200 else 0
            party.send(party.packet(payload_type=kind, payload=item[3:]))
            if number % 2:
                studio.step()
        for party in studio.parties.values():
            party.ssrc += 77
        deaf = set(parties)
        for _ in range(5):  # digits whose end never came are heard by the others for a second each
            studio.run(110)
            deaf = {one for one in parties if studio.pitches(one, 15) != set(parties) - {one}}
            if not deaf:
                break
        for name in deaf:
            codec = studio.parties[name].codec_name
            promise(False, f"{name} ({codec}) hears {studio.pitches(name, 15)}")
        promise(len(studio.events) < 10 * len(case) + 50, "too many events")


class RtpHeaders:
    """The header columns alone, with packets of every size."""

    name = "rtp-headers"

    def make(self, rng: Random) -> list[Item]:
        """A ready list."""
        make = (rtp_packet, rtcp_packet)
        return [
            mutate([make[rng.randrange(2)](rng)], rng, BINARY)[:1500]
            for _ in range(rng.randint(1, 40))
        ]

    def play(self, case: Sequence[Item]) -> None:
        """A valid payload lies within its packet; RTCP is never sound."""
        packets = [item for item in case if isinstance(item, bytes)]
        octets = np.full(1504, 0xEE, dtype=np.uint8)
        for packet in packets:
            octets[: len(packet)] = np.frombuffer(packet, dtype=np.uint8)
            header = header_of(octets, len(packet))
            if header.valid:
                start, length = header.start, header.length
                promise(len(packet) >= 12 and packet[0] >> 6 == 2, "not version 2")
                promise(12 <= start <= start + length <= len(packet), "payload beyond its packet")
                promise(not 192 <= packet[1] <= 223, "RTCP taken for sound")


COMMANDS: tuple[Command, ...] = (
    Hello(),
    ReservePorts(count=4),
    GetStats(),
    AddLeg(leg=LegId("a"), port=20000),
    AddLeg(leg=LegId("b"), port=20002),
    *(
        ConfigureLeg(
            leg=LegId(name), remote_address="192.0.2.1", remote_port=4000, codec="PCMU", payload_type=0,
            telephone_event_payload_type=101,
        )
        for name in "ab"
    ),
    SetGains(gains=(Gain(listener=LegId("a"), source=LegId("b")),)),
    SetGains(gains=(Gain(listener=LegId("b"), source=LegId("a"), gain=0.5),)),
    Play(
        player=PlayerId("p"), listeners=(LegId("a"),),
        items=(Tone(frequencies_hz=(440.0,), duration_ms=100), Silence(duration_ms=20), Prompt(name="x")),
    ),
    StopPlayer(player=PlayerId("p")),
    SendDigits(leg=LegId("a"), digits="12#"),
    WatchSound(leg=LegId("a")),
    ConfigureLeg(
        leg=LegId("b"), remote_address="192.0.2.1", remote_port=4000, codec="OPUS", payload_type=111,
        telephone_event_payload_type=110, telephone_event_clock_rate=48000, max_bitrate=16000, use_fec=True,
    ),
    StartRecording(recording=RecordingId("r"), path="/x", left=(LegId("a"),)),
    RemoveLeg(leg=LegId("b")),
    Shutdown(),
)  # fmt: skip
FRAMES = [encode_frame(command) for command in COMMANDS]


class Control:
    """The control protocol: frames to commands to the engine."""

    name = "control"

    def make(self, rng: Random) -> list[Item]:
        """A connection: right commands, damaged frames, damaged contents in right frames."""
        pieces: list[Item] = []
        for _ in range(rng.randint(3, 25)):
            frame = rng.choice(FRAMES)
            chance = rng.random()
            if chance < 0.25:
                frame = mutate([frame], rng, BINARY)
            elif chance < 0.7:
                body = mutate([frame[4:]], rng, (*BINARY, change_a_number, _change_a_type))
                frame = len(body).to_bytes(4) + body
            pieces.append(frame)
        return pieces

    def play(self, case: Sequence[Item]) -> None:
        """FramingError ends a connection, nothing else does; the engine goes on."""
        studio = Studio()
        faults: list[str] = []
        runner = CommandRunner(studio.engine)
        runner.on_fault = faults.append
        splitter = FrameSplitter()
        for piece in case:
            assert isinstance(piece, bytes)
            try:
                for body in splitter.feed(piece):
                    command = decode_command(body)
                    msgspec.msgpack.encode(command)
                    if not isinstance(command, Hello | ReservePorts | GetStats | Shutdown):
                        for event in runner.run(command, studio.now):
                            encode_frame(event)
            except FramingError:
                splitter = FrameSplitter()  # the connection is closed; another one comes
            while studio.engine.wake(studio.now):
                pass
            studio.engine.tick(studio.now)
            studio.engine.next_events()
            studio.now += 0.02
        promise(not faults, f"a command that nobody foresaw: {faults}")


_HEADS = (
    *(b"\xc0", b"\xcb\x7f\xf8" + bytes(6), b"\xcf" + b"\xff" * 8, b"\xd3\x80" + bytes(7)),
    *(b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\x91" * 5000),
)
"""Of MessagePack: other types, huge counts, deep nesting."""


def _change_a_type(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(_HEADS) + data[at + rng.randint(0, 2) :]
