"""Offer and answer (RFC 3264) for one leg with one audio stream.

`AudioNegotiation` is one side of one session: it writes our descriptions, reads the peer's, and
keeps what RFC 3264 section 8 wants kept between them (the order of the media, the o= version, the
payload types in use).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sdp.choosing import NOT_ACCEPTABLE, Means, best, choose
from switch.sdp.codecs import (
    G711,
    NO_NUMBERS,
    TELEPHONE_EVENT,
    Numbers,
    known_names,
    offered_numbers,
)
from switch.sdp.description import Direction, parse_description
from switch.sdp.negotiated_audio import (
    AUDIO_FIELDS,
    CODING_FIELDS,
    RECEIVED_FIELDS,
    NegotiatedAudio,
    Slot,
    audio_values,
    coding_values,
    live_media,
    received_values,
)
from switch.sdp.negotiation_record import NegotiationRecord
from switch.sdp.transport import (
    PLAIN,
    Refusal,
    Transport,
    TransportNegotiation,
    TransportTerms,
    no_chance,
)


class AudioNegotiation:
    """Our side of the offers and answers of one session.

    `address` and `port` are where we receive RTP. One instance a leg; not shared.
    """

    __slots__ = (
        "_address",
        "_codecs",
        "_current",
        "_is_offering",
        "_leaves_a_choice",
        "_live",
        "_offered_codec",
        "_offered_direction",
        "_offered_numbers",
        "_port",
        "_session_id",
        "_slots",
        "_takes_events",
        "_text",
        "_transport",
        "_version",
    )

    def __init__(
        self,
        *,
        session_id: int,
        address: str,
        port: int,
        codecs: Sequence[str] = G711,
        takes_events: bool = True,
        terms: TransportTerms = PLAIN,
    ) -> None:
        """`codecs` are those we speak, in the order of our offers; ValueError for unknown ones.

        Without `takes_events` no telephone-events are agreed on: digits go in the sound.
        """
        self._transport = TransportNegotiation(terms)
        self._session_id = session_id
        self._version = session_id
        self._address = address
        self._port = port
        self._codecs = known_names(codecs)
        self._takes_events = takes_events
        self._slots: list[Slot] = []
        self._live = 0
        self._current: NegotiatedAudio | None = None
        self._is_offering = False
        self._offered_direction = Direction.SENDRECV
        self._offered_codec = ""
        """The first one of our last offer."""
        self._offered_numbers = NO_NUMBERS
        self._leaves_a_choice = False
        self._text = b""

    @property
    def current(self) -> NegotiatedAudio | None:
        """What is agreed now; None before the first answer."""
        return self._current

    @property
    def is_other_than_offered(self) -> bool:
        """Whether the answer put another codec first than our offer did."""
        audio = self._current
        return audio is not None and self._offered_codec not in ("", audio.codec)

    @property
    def leaves_a_choice(self) -> bool:
        """Whether the answer names the first codec of our offer too, but behind another.

        Its sender should go by our order then (RFC 3264 section 6.1), and we go by its: we would not
        take what it sends.
        """
        return self._leaves_a_choice

    @property
    def is_offering(self) -> bool:
        """Whether an offer of ours is open."""
        return self._is_offering

    @property
    def transport(self) -> Transport:
        """How the packets travel, as agreed now."""
        return self._transport.agreed

    def record(self) -> NegotiationRecord:
        """Everything there is to know, for another process to go on with."""
        audio = self._current
        return NegotiationRecord(
            self._session_id,
            self._version,
            self._address,
            self._port,
            tuple((slot.kind, slot.protocol, slot.formats) for slot in self._slots),
            self._live,
            None if audio is None else audio_values(audio),
            self._is_offering,
            self._offered_direction,
            self._text,
            self._codecs,
            (8000, 0, False) if audio is None else coding_values(audio),
            self._transport.record(),
            self._takes_events,
            (None, None) if audio is None else received_values(audio),
        )

    @classmethod
    def of_record(
        cls, record: NegotiationRecord, random: Callable[[int], bytes] = no_chance
    ) -> AudioNegotiation:
        """Go on where another process stood. Raises ValueError or TypeError for nonsense.

        `random` is that of `TransportTerms`.
        """
        found = cls(
            session_id=record.session_id,
            address=record.address,
            port=record.port,
            codecs=record.codecs or G711,
            takes_events=record.takes_events,
        )
        found._version = record.version
        found._slots = [Slot(*slot) for slot in record.slots]
        found._live = record.live
        if record.current is not None:
            values = dict(zip(AUDIO_FIELDS, record.current, strict=True))
            values |= zip(CODING_FIELDS, record.coding, strict=True)
            values |= zip(RECEIVED_FIELDS, record.received, strict=True)
            found._current = NegotiatedAudio(**values)  # type: ignore[arg-type]
        found._is_offering = record.is_offering
        found._offered_direction = Direction(record.offered_direction)
        found._text = record.text
        if record.is_offering:
            found._offered_numbers = _numbers_of(record.text, record.live)
        if record.transport is not None:
            found._transport = TransportNegotiation.of_record(record.transport, random)
        return found

    @property
    def address(self) -> str:
        """Our address as the peer is told it."""
        return self._address

    def name_address(self, address: str) -> None:
        """Tell the peer this address of ours, of the same family: what a NAT forwards to the other."""
        self._address = address

    def make_offer(self, direction: Direction = Direction.SENDRECV) -> bytes:
        """Write an offer: the first one of a session or a later one.

        Raises:
            LocalProtocolError: our last offer is still open.
        """
        if self._is_offering:
            raise LocalProtocolError("an offer of ours is open: wait for its answer")
        if not self._slots:
            self._slots.append(Slot("audio", self._transport.first_profile, ()))
        self._is_offering = True
        self._offered_direction = direction
        in_use: dict[str, int] = {}
        events: dict[int, int] = {}
        if (audio := self._current) is not None:  # a number of ours keeps its meaning in a session
            in_use[audio.codec] = _ours(audio.received_payload_type, audio.payload_type)
            if (event := audio.telephone_event_payload_type) is not None:
                ours = _ours(audio.received_event_payload_type, event)
                events[audio.telephone_event_clock_rate] = ours
        names = sorted(self._codecs, key=lambda name: name not in in_use)
        self._offered_codec = names[0]
        codecs, offered = offered_numbers(names, in_use, events)
        self._offered_numbers = Numbers(dict(codecs), dict(offered))
        return self._write(codecs, offered if self._takes_events else (), direction)

    def offer_otherwise(self) -> bytes | None:
        """Our first offer was refused (488): one whose packets travel in another way, if there is any.

        None too where a provisional response has answered: then the way was not what was refused.
        """
        terms = self._transport.other
        if terms is None or self._current is not None:
            return None
        self._transport = TransportNegotiation(terms)
        self._slots, self._is_offering = [], False
        return self.make_offer()

    def accept_answer(self, body: bytes) -> NegotiatedAudio:
        """Read the answer to our open offer.

        Raises:
            RemoteProtocolError: 400 for what is not SDP, 488 when it takes none of what we offered.
            LocalProtocolError: no offer of ours is open.
        """
        if not self._is_offering:
            raise LocalProtocolError("no offer of ours is open")
        self._is_offering = False
        answer = parse_description(body)
        if len(answer.media) <= self._live:
            raise RemoteProtocolError("the answer lacks the audio stream", status=NOT_ACCEPTABLE)
        profile = self._slots[self._live].protocol
        means = self._means()._replace(offered=self._offered_numbers, profile=profile)
        choice = choose(answer, self._live, self._offered_direction, means, is_answer=True)
        if isinstance(choice, Refusal):
            raise RemoteProtocolError(
                f"the answer refuses our audio: {choice.why}", status=NOT_ACCEPTABLE
            )
        self._current = choice.audio
        self._leaves_a_choice = self.is_other_than_offered and any(
            codec.name == self._offered_codec for codec in answer.media[self._live].codecs
        )
        self._transport.take(choice.transport)
        return choice.audio

    def preview_answer(self, body: bytes) -> NegotiatedAudio:
        """Read an answer that stands in a provisional response: the final one may be another.

        Our offer stays open. Raises as `accept_answer`.
        """
        try:
            return self.accept_answer(body)
        finally:
            self._is_offering = True

    def answer(
        self, body: bytes, *, direction: Direction = Direction.SENDRECV
    ) -> tuple[NegotiatedAudio, bytes]:
        """Answer the peer's offer; `direction` is the most that we want.

        A failed attempt changes nothing: what was agreed before stays agreed.

        Raises:
            RemoteProtocolError: 400 for what is not SDP, 488 when nothing in it is acceptable.
            LocalProtocolError: an offer of ours is open.
        """
        if self._is_offering:
            raise LocalProtocolError("an offer of ours is open: answer 491")
        offer = parse_description(body)
        if len(offer.media) < len(self._slots):
            raise RemoteProtocolError("the offer drops media of this session", status=400)
        choice = best(offer, direction, self._means())
        self._slots = [Slot(media.kind, media.protocol, media.formats) for media in offer.media]
        self._live = choice.index
        self._current = audio = choice.audio
        self._transport.take(choice.transport)
        event = audio.telephone_event_payload_type
        text = self._write(
            [(audio.codec, audio.payload_type)],
            [] if event is None else [(audio.telephone_event_clock_rate, event)],
            choice.ours,
            is_answer=True,
        )
        return audio, text

    def answer_early(self, body: bytes) -> bytes:
        """Answer an offer that comes once ours has its answer, in a call that is not answered yet.

        What was only read ahead (`preview_answer`) is agreed by that. Raises RemoteProtocolError as `answer`.
        """
        was_offering, self._is_offering = self._is_offering, False
        try:
            return self.answer(body)[1]
        except RemoteProtocolError:
            self._is_offering = was_offering
            raise

    def offer_to_another(self) -> None:
        """Who answers is not who agreed with us early: for it our first offer is open (RFC 3261 13.2.2.4)."""
        self._slots, self._live = [Slot("audio", self._transport.first_profile, ())], 0
        self._is_offering = True

    def drop_offer(self) -> None:
        """Our open offer was refused or never answered: what was agreed before stays agreed."""
        self._is_offering = False

    def _means(self) -> Means:
        return Means(self._transport, self._address, self._codecs, self._takes_events)

    # --- writing --------------------------------------------------------------------------------

    def _write(
        self,
        codecs: Sequence[tuple[str, int]],
        events: Sequence[tuple[int, int]],
        direction: Direction,
        *,
        is_answer: bool = False,
    ) -> bytes:
        """Our description; its version rises only when something else in it changed."""
        if is_answer:
            ways = self._transport.answer_lines(self._address, self._port)
        else:
            profile = self._slots[self._live].protocol
            ways = self._transport.offer_lines(profile, self._address, self._port)
        text = self._serialize(codecs, events, direction, ways)
        if self._text and text != self._text:
            self._version += 1
            text = self._serialize(codecs, events, direction, ways)
        self._text = text
        return text

    def _serialize(
        self,
        codecs: Sequence[tuple[str, int]],
        events: Sequence[tuple[int, int]],
        direction: Direction,
        ways: tuple[str, str],
    ) -> bytes:
        of_session, of_media = ways
        address = f"IN {'IP6' if ':' in self._address else 'IP4'} {self._address}"
        text = (
            f"v=0\r\no=- {self._session_id} {self._version} {address}\r\ns=-\r\n"
            f"c={address}\r\nt=0 0\r\n{of_session}"
        )
        for index, slot in enumerate(self._slots):
            if index == self._live:
                text += f"m={slot.kind} {self._port} {slot.protocol} "
                text += live_media(tuple(codecs), tuple(events), direction) + of_media
            else:
                text += f"m={slot.kind} 0 {slot.protocol} {' '.join(slot.formats)}\r\n"
        return text.encode()


def _ours(received: int | None, sent: int) -> int:
    return sent if received is None else received


def _numbers_of(text: bytes, index: int) -> Numbers:
    """The payload types of an offer that an earlier process wrote. Raises ValueError for nonsense."""
    try:
        codecs = parse_description(text).media[index].codecs
    except (RemoteProtocolError, IndexError) as error:
        raise ValueError(f"an offer of ours cannot be read: {error}") from error
    return Numbers(
        {codec.name: codec.payload_type for codec in codecs},
        {c.clock_rate: c.payload_type for c in codecs if c.name == TELEPHONE_EVENT},
    )
