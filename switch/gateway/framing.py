"""Frames of the control protocol on a byte stream: four octets of length, then MessagePack."""

from __future__ import annotations

from typing import Final

import msgspec

from switch.gateway.protocol import MAX_FRAME_OCTETS, Command, Event

LENGTH_OCTETS: Final = 4

_ENCODER: Final = msgspec.msgpack.Encoder()
COMMANDS: Final = msgspec.msgpack.Decoder(Command)
EVENTS: Final = msgspec.msgpack.Decoder(Event)
_UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What `decode` raises; it does not wrap the last two: text that is not UTF-8, arrays nested deep."""


class FramingError(Exception):
    """The stream is no control protocol: a frame too long, or contents that are no message."""


def decode_command(body: bytes) -> Command:
    """The command in a frame; raises FramingError."""
    try:
        command: Command = COMMANDS.decode(body)
    except _UNDECODABLE as error:
        raise FramingError(f"a frame that is no command: {error}") from error
    return command


def decode_event(body: bytes) -> Event:
    """The event in a frame; raises FramingError."""
    try:
        event: Event = EVENTS.decode(body)
    except _UNDECODABLE as error:
        raise FramingError(f"a frame that is no event: {error}") from error
    return event


def encode_body(message: Command | Event) -> bytes:
    """One message as the body of a frame."""
    return _ENCODER.encode(message)


def frame_of(body: bytes) -> bytes:
    """A body with its length before it."""
    return len(body).to_bytes(LENGTH_OCTETS) + body


def encode_frame(message: Command | Event) -> bytes:
    """One message as a frame."""
    return frame_of(_ENCODER.encode(message))


class FrameSplitter:
    """Cuts a stream into frame bodies. Holds at most one frame and what came with it."""

    __slots__ = ("_buffer", "most_octets")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.most_octets = MAX_FRAME_OCTETS
        """A longer frame is an error."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets; return the frames that are whole by now. Raises FramingError."""
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        at = 0
        while len(buffer) - at >= LENGTH_OCTETS:
            size = int.from_bytes(buffer[at : at + LENGTH_OCTETS])
            if size > self.most_octets:
                raise FramingError(
                    f"a frame of {size} octets is longer than the {self.most_octets} allowed"
                )
            end = at + LENGTH_OCTETS + size
            if len(buffer) < end:
                break
            frames.append(bytes(buffer[at + LENGTH_OCTETS : end]))
            at = end
        del buffer[:at]
        return frames
