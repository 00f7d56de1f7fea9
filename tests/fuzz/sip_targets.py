"""Signalling that must survive whatever comes: parser, transactions, streams, SDP.

Each case is a handful of messages for a fresh instance. `sip_walk.py` has the long stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from switch.errors import RemoteProtocolError
from switch.sdp.description import parse_description
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.bodies import settle_body
from switch.sip.endpoint import Endpoint
from switch.sip.events import RequestReceived
from switch.sip.flow import Flow, Transport
from switch.sip.framing import FramingError, StreamFramer
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.writing import make_response, serialize
from tests.fuzz.campaign import Item, promise, timed
from tests.fuzz.mutations import MAX_OCTETS, mutate

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
        longest = 0
        for data in case:
            assert isinstance(data, bytes)
            now += 0.01
            longest = max(longest, len(data))
            endpoint.receive_datagram(data, self.flow, now)
            sent = endpoint.datagrams_to_send()
            start = data.lstrip(b"\r\n")[:4].upper()
            if start in (b"SIP/", b"ACK "):
                promise(not sent, f"an answer to {start!r}: {sent!r}")
            promise(len(sent) <= 1, "more than one answer")
            for octets, _ in sent:
                status = int(octets.split(b" ", 2)[1])
                promise(octets.startswith(b"SIP/2.0 ") and 100 <= status <= 699, "no status line")
                # A copy is known by its branch (RFC 3261 section 17.2.3) and gets the answer of the first.
                promise(len(octets) <= longest + 600, "an answer much larger than the question")
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
    """Messages cut out of a stream: bounded memory, and nothing but FramingError gets out."""

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
            except FramingError as error:
                self._refuse(error)
                return
            for message in messages:
                taken -= len(message)
                try:
                    parse(message)
                except MalformedMessageError as error:
                    promise("but" not in str(error), f"cut at the wrong place: {error}")
            promise(framer.buffered <= 16_384 + 65_536 + MAX_OCTETS, "too much is kept")
            promise(framer.buffered <= taken, "more is kept than came")

    @staticmethod
    def _refuse(error: FramingError) -> None:
        try:
            parse(error.head, fault=error)
        except MalformedMessageError as refused:
            promise(refused.status in (0, error.status), f"{refused.status} for {error.status}")
        else:
            promise(False, "a message with a fault was taken")


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
