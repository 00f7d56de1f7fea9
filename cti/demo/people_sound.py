"""What simulated people say: one RTP socket speaks for all of them, G.711 mu-law, 20 ms a packet."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Final

from cti.bench.sip_text import Address

_FRAME: Final = 160
_FRAME_S: Final = 0.02
_SILENCE: Final = b"\xff" * _FRAME


@dataclass(slots=True)
class _Voice:
    """One person's stream."""

    address: Address
    words: bytes
    """Said from now on; silence after it."""
    source: int
    sequence: int = 0
    position: int = 0


class PeopleSound:
    """Speaks for everybody who was added, until they are removed. What comes back is not heard."""

    def __init__(self, host: str) -> None:
        """Bind a socket; `open` begins to speak. Raises OSError."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._voices: dict[bytes, _Voice] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to speak."""
        self._task = asyncio.get_running_loop().create_task(self._speak(), name="people's sound")

    async def close(self) -> None:
        """Fall silent and let the port go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._socket.close()

    def add(self, call: bytes, address: Address, words: bytes) -> None:
        """Say this there, then be silent."""
        self._count += 1
        self._voices[call] = _Voice(address, words, 0x50000000 + self._count)

    def remove(self, call: bytes) -> None:
        """Send nothing more; an unknown call is ignored."""
        self._voices.pop(call, None)

    async def _speak(self) -> None:
        due = time.monotonic()
        while True:
            due += _FRAME_S
            late = time.monotonic() - due
            if late > _FRAME_S:
                due += late  # as real parties: no burst to make up for a busy machine
            await asyncio.sleep(max(0.0, -late))
            for voice in self._voices.values():
                self._say(voice)

    def _say(self, voice: _Voice) -> None:
        words = voice.words[voice.position : voice.position + _FRAME]
        voice.position += _FRAME
        voice.sequence = voice.sequence + 1 & 0xFFFF
        stamp = voice.position & 0xFFFFFFFF
        head = b"\x80\x00" + voice.sequence.to_bytes(2) + stamp.to_bytes(4)
        packet = head + voice.source.to_bytes(4) + words + _SILENCE[len(words) :]
        with contextlib.suppress(OSError):  # a full buffer, a leg that is just gone
            self._socket.sendto(packet, voice.address)
