"""What is agreed of the one audio stream, and its lines in our descriptions."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter

from msgspec import Struct

from switch.sdp.codecs import KNOWN, TELEPHONE_EVENT
from switch.sdp.description import Direction, Media

PTIME_MS = 20


class NegotiatedAudio(Struct, frozen=True, kw_only=True):
    """What both sides agreed on, seen from our side."""

    remote_address: str
    remote_port: int
    codec: str
    """One of `switch.sdp.codecs.ALL_CODECS`."""
    payload_type: int
    """Of what we send: the number that the peer gave the codec."""
    telephone_event_payload_type: int | None
    """Of the RFC 4733 events that we send; None: the peer takes none."""
    send: bool
    """The peer wants to hear us."""
    receive: bool
    """The peer says it sends; when False, its silence means nothing."""
    ptime_ms: int
    """The packet length that the peer asks for."""
    telephone_event_clock_rate: int = 8000
    """Hz; what durations of events count in."""
    max_bitrate: int = 0
    """Bits a second that the peer wants at most, on average; 0: it does not say."""
    use_fec: bool = False
    """The peer makes use of forward error correction (Opus)."""
    received_payload_type: int | None = None
    """Of what the peer sends, where its answer has another number than our offer; None: the same."""
    received_event_payload_type: int | None = None

    @property
    def is_on_hold(self) -> bool:
        """True when the peer does not want to hear us."""
        return not self.send


AUDIO_FIELDS = NegotiatedAudio.__struct_fields__[:8]
audio_values = attrgetter(*AUDIO_FIELDS)
CODING_FIELDS = ("telephone_event_clock_rate", "max_bitrate", "use_fec")
coding_values = attrgetter(*CODING_FIELDS)
RECEIVED_FIELDS = ("received_payload_type", "received_event_payload_type")
received_values = attrgetter(*RECEIVED_FIELDS)


class Slot(Struct, frozen=True):
    """One m= line of the session; lines are never removed or reordered (RFC 3264 section 8)."""

    kind: str
    protocol: str
    formats: tuple[str, ...]


@lru_cache(maxsize=256)
def live_media(
    codecs: tuple[tuple[str, int], ...], events: tuple[tuple[int, int], ...], direction: Direction
) -> str:
    """Formats and attributes of our stream; few combinations of them are ever seen."""
    formats: list[str] = []
    lines: list[str] = []
    for name, number in codecs:
        known = KNOWN[name]
        formats.append(str(number))
        lines.append(f"a=rtpmap:{number} {known.written}")
        if known.parameters:
            lines.append(f"a=fmtp:{number} {known.parameters}")
    for rate, number in events:
        formats.append(str(number))
        lines += [f"a=rtpmap:{number} telephone-event/{rate}", f"a=fmtp:{number} 0-15"]
    return "\r\n".join(
        [" ".join(formats), *lines, f"a=ptime:{PTIME_MS}", f"a={direction.value}", ""]
    )


def telephone_event(media: Media, clock_rate: int) -> tuple[int | None, int]:
    """Payload type and clock rate of the telephone events beside sound of this rate.

    Events belong to sound of their own rate; many who offer Opus offer events at 8000 Hz alone.
    """
    for rate in dict.fromkeys((clock_rate, 8000)):
        for codec in media.codecs:
            if codec.name == TELEPHONE_EVENT and codec.clock_rate == rate:
                return codec.payload_type, rate
    return None, clock_rate
