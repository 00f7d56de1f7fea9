"""One leg's offers and answers as a value that can be kept, see `AudioNegotiation.record`."""

from __future__ import annotations

import msgspec

from switch.sdp.transport import TransportRecord


class NegotiationRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields are those of `switch.sdp.offer_answer.AudioNegotiation`."""

    session_id: int
    version: int
    address: str
    port: int
    slots: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Kind, protocol and formats of each m= line."""
    live: int
    current: tuple[str, int, str, int, int | None, bool, bool, int] | None
    """The first eight fields of `NegotiatedAudio`, in their order."""
    is_offering: bool
    offered_direction: str
    text: bytes
    codecs: tuple[str, ...] = ()
    """Those we speak, in order; none: what an earlier version kept, which spoke G.711 alone."""
    coding: tuple[int, int, bool] = (8000, 0, False)
    """Of `NegotiatedAudio`: clock rate of events, the highest bit rate, forward error correction."""
    transport: TransportRecord | None = None
    """With the keys of SRTP: who can read it can listen."""
    takes_events: bool = True
    """We agree on telephone-events."""
    received: tuple[int | None, int | None] = (None, None)
    """Of `NegotiatedAudio`: payload types of what the peer sends, where they are others."""
