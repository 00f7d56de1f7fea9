"""Which stream of a description is taken, and with which codec, by our answer or by the peer's."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct

from switch.errors import RemoteProtocolError
from switch.sdp.codecs import KNOWN, NO_NUMBERS, Numbers, OpusParameters, opus_parameters
from switch.sdp.description import Codec, Description, Direction, Media
from switch.sdp.negotiated_audio import PTIME_MS, NegotiatedAudio, telephone_event
from switch.sdp.transport import CLEAR, Refusal, Transport, TransportNegotiation, is_secure

NOT_ACCEPTABLE: Final = 488


class Means(NamedTuple):
    """What our side can do."""

    transport: TransportNegotiation
    address: str
    """Where we receive: only addresses of its family are reached."""
    codecs: tuple[str, ...]
    takes_events: bool
    """Telephone-events are agreed on."""
    offered: Numbers = NO_NUMBERS
    """Those of our offer, which a peer that answers sends with, whatever its answer says (RFC 3264, 6.1)."""
    profile: str = ""
    """That of our offer."""


class Choice(Struct, frozen=True):
    """The stream of a description that is taken."""

    index: int
    audio: NegotiatedAudio
    ours: Direction
    transport: Transport


def best(offer: Description, most: Direction, means: Means) -> Choice:
    """The first stream that is encrypted, or else the first that can be taken.

    Raises:
        RemoteProtocolError: 488 when none can.
    """
    found: Choice | None = None
    refusal = Refusal("it has none")
    for index, media in enumerate(offer.media):
        choice = choose(offer, index, most, means, is_answer=False)
        if isinstance(choice, Refusal):
            refusal = choice if media.kind == "audio" else refusal
        elif choice.transport.is_secure:
            return choice
        elif found is None:
            found = choice
    if found is None:
        words = f"no acceptable audio in the offer: {refusal.why}"
        raise RemoteProtocolError(words, status=NOT_ACCEPTABLE, slug=refusal.slug)
    return found


def choose(
    peer: Description, index: int, most: Direction, means: Means, *, is_answer: bool
) -> Choice | Refusal:
    """Take one stream of the peer's description, or say why not; `most` is the most that we want."""
    media = peer.media[index]
    if media.kind != "audio" or media.port == 0:
        return Refusal("no audio is wanted")
    if is_answer and is_secure(means.profile) and not is_secure(media.protocol):
        return Refusal("it is in clear, where encryption was offered and nothing else", CLEAR)
    transport = means.transport.judge(media, means.profile if is_answer else "")
    if isinstance(transport, Refusal):
        return transport
    if not _is_reachable(media, transport, means.address):
        return Refusal("its address cannot be reached from here")
    codec = next((codec for codec in media.codecs if _is_spoken(codec, means.codecs)), None)
    if codec is None or media.address is None:
        return Refusal("no common codec")
    event, event_rate = telephone_event(media, codec.clock_rate)
    if not means.takes_events:
        event = None
    opus = opus_parameters(codec.parameters) if codec.name == "OPUS" else OpusParameters()
    # A browser that does not know its address yet writes the null address: no hold.
    held = media.is_on_hold_by_address and not transport.finds_peer
    send = media.direction.receives and most.sends and not held
    receive = media.direction.sends and most.receives and not held
    audio = NegotiatedAudio(
        remote_address=media.address,
        remote_port=media.port,
        codec=codec.name,
        payload_type=codec.payload_type,
        telephone_event_payload_type=event,
        send=send,
        receive=receive,
        ptime_ms=media.ptime_ms or PTIME_MS,
        telephone_event_clock_rate=event_rate,
        max_bitrate=opus.max_bitrate,
        use_fec=opus.use_fec,
        received_payload_type=_other(means.offered.codecs.get(codec.name), codec.payload_type),
        received_event_payload_type=_other(means.offered.events.get(event_rate), event),
    )
    return Choice(index, audio, Direction.of(sends=send, receives=receive), transport)


def _other(ours: int | None, theirs: int | None) -> int | None:
    """Our number where the peer has another one."""
    return ours if theirs is not None and ours != theirs else None


def _is_reachable(media: Media, transport: Transport, own: str) -> bool:
    """True for an address of our family, or where ICE will find one."""
    return media.address is not None and (
        transport.finds_peer or (":" in media.address) == (":" in own)
    )


def _is_spoken(codec: Codec, ours: tuple[str, ...]) -> bool:
    if codec.name not in ours:
        return False
    known = KNOWN[codec.name]
    return codec.clock_rate == known.clock_rate and codec.channels in known.channels
