"""A transport without a socket: what is written stays here, and the peer reads as much as a test wants."""

from __future__ import annotations

import asyncio
from typing import Any


class MemoryTransport(asyncio.Transport):
    """The kernel takes everything at once, until `is_read` is False; then it takes nothing."""

    def __init__(self, remote: tuple[str, int]) -> None:
        super().__init__({"peername": remote})
        self.written = bytearray()
        self.is_read = True
        self.is_reading_paused = False
        self.is_over = False
        self.has_ended = False
        """We said that nothing more comes."""
        self.was_aborted = False
        self._waiting = bytearray()
        self._high = 0
        self._protocol: Any = None
        self._is_writing_paused = False

    def connect(self, protocol: asyncio.Protocol) -> None:
        """As an accepted connection."""
        self._protocol = protocol
        protocol.connection_made(self)

    def give(self, data: bytes) -> None:
        """The peer sends, and the connection takes it if it reads."""
        assert not self.is_reading_paused
        self._protocol.data_received(data)

    def read_on(self) -> None:
        """The peer reads all that waits."""
        self.is_read = True
        self.written += self._waiting
        self._waiting.clear()
        if self._is_writing_paused:
            self._is_writing_paused = False
            self._protocol.resume_writing()

    # --- what connections ask of it -------------------------------------------------------------

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high or 0

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def write(self, data: Any) -> None:
        assert not self.is_over
        assert not self.has_ended
        (self.written if self.is_read else self._waiting).extend(data)
        if len(self._waiting) > self._high and not self._is_writing_paused:
            self._is_writing_paused = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        self.has_ended = True

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._waiting.clear()
            self._protocol.connection_lost(None)

    def abort(self) -> None:
        self.was_aborted = True
        self.close()
