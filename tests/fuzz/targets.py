"""What takes octets and must survive them: parser, transactions, SDP, media, control protocol.

Each case is a handful of messages for a fresh instance. `sip_walk.py` has the long stories.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import msgspec
import numpy as np

from switch.errors import RemoteProtocolError
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
)
from switch.ids import LegId, PlayerId, RecordingId
from switch.media.ports import Stray
from switch.rtp.packet import parse_headers
from switch.sdp.description import parse_description
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.bodies import settle_body
from switch.sip.endpoint import Endpoint
from switch.sip.events import RequestReceived
from switch.sip.flow import Flow, Transport
from switch.sip.framing import StreamFramer
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.writing import make_response, serialize
from tests.fuzz.campaign import BrokenPromiseError, Item
from tests.fuzz.mutations import BINARY, MAX_OCTETS, change_a_number, mutate
from tests.switch.media.studio import Studio

TESTS = Path(__file__).parents[1]
SIP_CORPUS = [
    path.read_bytes()
    for folder in ("wire/sip", "torture/rfc4475", "torture/rfc5118")
    for path in sorted((TESTS / folder).iterdir())
    if path.suffix in (".sip", ".dat")
]
SDP_CORPUS = [
    body for data in SIP_CORPUS if (body := data.partition(b"\r\n\r\n")[2]).startswith(b"v=0")
] + [
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 96 8 0 101\r\n"
    b"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\na=ptime:30\r\na=sendrecv\r\nm=video 0 RTP/AVP 31\r\n"
]
WORST_S = 0.050
"""Processor time that one message may cost at most, on a machine that does other things as well."""


def promise(kept: bool, what: str) -> None:
    """Raise unless a promise was kept."""
    if not kept:
        raise BrokenPromiseError(what)


def timed(action: Callable[[], object], data: bytes) -> None:
    """Do something and look at what it cost; done again before it is believed to be slow."""
    for _ in range(3):
        began = time.thread_time()
        action()
        took = time.thread_time() - began
        if took < WORST_S:
            return
    raise BrokenPromiseError(f"{len(data)} octets took {took * 1000:.0f} ms")


class SipParser:
    """`parse`, `settle_body` and `serialize`: nothing but MalformedMessageError gets out."""

    name = "sip-parser"

    def make(self, rng: Random) -> list[Item]:
        """One datagram."""
        return [mutate(SIP_CORPUS, rng)]

    def play(self, case: Sequence[Item]) -> None:
        """What is taken can be read, answered, written, and read again."""
        for data in case:
            assert isinstance(data, bytes)
            timed(lambda d=data: self._read(d), data)  # type: ignore[misc]

    def _read(self, data: bytes) -> None:
        try:
            message = parse(data)
        except MalformedMessageError as error:
            promise(error.partial is not None or error.status == 0 or not error.partial, "partial")
            if error.partial is not None and error.status:
                make_response(error.partial, error.status, str(error))
            return
        for name in (
            "vias",
            "from_",
            "to",
            "cseq",
            "call_id",
            "contacts",
            "routes",
            "record_routes",
        ):
            getattr(message, name)
        if isinstance(message, Request):
            for status in (100, 200, 486):
                parse(serialize(make_response(message, status, to_tag="t")))
        settle_body(message)
        again = parse(serialize(message))
        promise(again.body == message.body, "the body changed on the way")
        promise(str(again.to) == str(message.to), "To changed on the way")


class SipTransactions:
    """A bare endpoint: what it answers, and how much it keeps."""

    name = "sip-transactions"
    limits = EndpointLimits(max_transactions=20, max_events=30)
    flow = Flow(Transport.UDP, ("192.0.2.7", 5060), ("192.0.2.2", 5060))

    def make(self, rng: Random) -> list[Item]:
        """A burst from one host."""
        return [mutate(SIP_CORPUS, rng) for _ in range(rng.randint(1, 12))]

    def play(self, case: Sequence[Item]) -> None:
        """An ACK and a response are never answered, others once at most, all of it bounded."""
        numbers = iter(range(1 << 30))
        endpoint = Endpoint(new_branch=lambda: f"b{next(numbers)}", limits=self.limits)
        now = 0.0
        for data in case:
            assert isinstance(data, bytes)
            now += 0.01
            endpoint.receive_datagram(data, self.flow, now)
            sent = endpoint.datagrams_to_send()
            start = data.lstrip(b"\r\n")[:4].upper()
            if start in (b"SIP/", b"ACK "):
                promise(not sent, f"an answer to {start!r}: {sent!r}")
            promise(len(sent) <= 1, "more than one answer")
            for octets, _ in sent:
                status = int(octets.split(b" ", 2)[1])
                promise(octets.startswith(b"SIP/2.0 ") and 100 <= status <= 699, "no status line")
                promise(len(octets) <= len(data) + 600, "an answer much larger than the question")
        room = self.limits.max_transactions
        promise(endpoint.transactions_alive <= room + room // 4, "too many transactions")
        events = 0
        while (event := endpoint.next_event()) is not None:
            events += 1
            if isinstance(event, RequestReceived):
                refusal = make_response(event.request, 404, to_tag="b")
                endpoint.respond(event.transaction, refusal, now)
        promise(events <= self.limits.max_events + 1, "too many events")
        for _ in range(40):
            now += 4.0
            endpoint.handle_timer(now)
        endpoint.datagrams_to_send()
        promise(endpoint.transactions_alive == 0, "transactions are left")
        promise(endpoint.timers_running == 0, "timers are left")


class SipStream:
    """Messages cut out of a stream: bounded memory, and nothing but RemoteProtocolError gets out."""

    name = "sip-stream"

    def make(self, rng: Random) -> list[Item]:
        """A connection: some messages one after the other, in pieces."""
        stream = b"".join(mutate(SIP_CORPUS, rng) for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.2:
            stream = rng.choice((b"\r\n\r\n", b"\r\n", b"\r", b"\n")) * rng.randint(1, 900) + stream
        pieces: list[Item] = []
        while stream and len(pieces) < 400:
            size = rng.choice((1, 3, 100, 1400, 65_536))
            pieces.append(stream[:size])
            stream = stream[size:]
        return pieces

    def play(self, case: Sequence[Item]) -> None:
        """What comes out is what went in, cut at the right places."""
        framer = StreamFramer()
        taken = 0
        for piece in case:
            assert isinstance(piece, bytes)
            taken += len(piece)
            try:
                messages = framer.feed(piece)
            except RemoteProtocolError:
                return
            for message in messages:
                taken -= len(message)
                try:
                    parse(message)
                except MalformedMessageError as error:
                    promise("but" not in str(error), f"cut at the wrong place: {error}")
            promise(framer.buffered <= 16_384 + 65_536 + MAX_OCTETS, "too much is kept")
            promise(framer.buffered <= taken, "more is kept than came")


class Sdp:
    """Offers and answers: 400, 488, or an answer that fits the offer."""

    name = "sdp"

    def make(self, rng: Random) -> list[Item]:
        """Some offers of one session."""
        return [mutate(SDP_CORPUS, rng) for _ in range(rng.randint(1, 4))]

    def play(self, case: Sequence[Item]) -> None:
        """Each media line is answered, none is invented, nothing is sent to nowhere."""
        audio = AudioNegotiation(session_id=1, address="127.0.0.1", port=20000)
        for data in case:
            assert isinstance(data, bytes)
            timed(lambda d=data: self._parse(d), data)  # type: ignore[misc]
            try:
                agreed, answer = audio.answer(data)
            except RemoteProtocolError as error:
                promise(error.status in (400, 488), f"status {error.status}")
                continue
            offered, answered = parse_description(data).media, parse_description(answer).media
            promise(len(offered) == len(answered), "another number of media")
            promise(sum(media.port > 0 for media in answered) == 1, "not one live stream")
            promise(0 < agreed.remote_port < 65_536, "no port")
            promise(0 <= agreed.payload_type < 128, "no payload type")
            promise(agreed.remote_address != "0.0.0.0" or not agreed.send, "sound into nowhere")
            promise(1 <= agreed.ptime_ms <= 9_999, "no packet length")
            for one, other in zip(offered, answered, strict=True):
                promise(one.kind == other.kind, "another kind of medium")

    def _parse(self, data: bytes) -> None:
        try:
            parse_description(data)
        except RemoteProtocolError as error:
            promise(error.status == 400, f"status {error.status}")


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
        buffer = np.full((max(1, len(packets)), 1504), 0xEE, dtype=np.uint8)
        for row, packet in enumerate(packets):
            buffer[row, : len(packet)] = np.frombuffer(packet, dtype=np.uint8)
        sizes = np.array([len(packet) for packet in packets], dtype=np.int64)
        columns = parse_headers(buffer, sizes)
        for row, packet in enumerate(packets):
            if columns.valid[row]:
                start, length = int(columns.start[row]), int(columns.length[row])
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
