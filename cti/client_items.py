"""What the stream of events gives, and how its messages are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from cti.schema import DATA_TYPES, Event, EventType, SignOnReply, Snapshot


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is open; a snapshot follows unless it was resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost:
    """The stream broke off and is opened again by itself."""

    retry_in_s: float
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOnAgain:
    """The old token was refused and the client signed on anew; phones must register again."""

    reply: SignOnReply


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnded:
    """The stream is over for good: signed off, or no longer allowed."""

    reason: str


StreamItem = Snapshot | Event | Connected | ConnectionLost | SignedOnAgain | StreamEnded


class WireEvent(msgspec.Struct):
    """An event with its data still in text: its class depends on the type."""

    seq: int
    id: str
    at: float
    type: str
    data: msgspec.Raw
    version: int = 1
    interaction_id: str | None = None
    call_id: str | None = None
    queue: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None


class WireMessage(msgspec.Struct):
    """One message of the stream."""

    kind: str
    snapshot: Snapshot | None = None
    event: WireEvent | None = None
    reason: str = ""


_decoder = msgspec.json.Decoder(WireMessage)
_KNOWN_TYPES: Final = frozenset(str(kind) for kind in EventType)


def decode_message(text: str | bytes) -> WireMessage:
    """Read one message of the stream. Raises `msgspec.DecodeError`."""
    return _decoder.decode(text)


def decode_event(wire: WireEvent) -> Event | None:
    """The typed event; None for a type that this version does not know."""
    if wire.type not in _KNOWN_TYPES:
        return None
    kind = EventType(wire.type)
    return Event(
        seq=wire.seq,
        id=wire.id,
        at=wire.at,
        type=kind,
        data=msgspec.json.decode(wire.data, type=DATA_TYPES[kind]),
        version=wire.version,
        interaction_id=wire.interaction_id,
        call_id=wire.call_id,
        queue=wire.queue,
        agent_id=wire.agent_id,
        customer_id=wire.customer_id,
    )
