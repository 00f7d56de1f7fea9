"""Sound for the calls of the load generator: one RTP socket speaks for all of them.

Each call gets a packet of G.711 every 20 ms, in four groups 5 ms apart, and digits as RFC 4733 events.
`CallSound` does not read what comes back: the kernel drops it when the buffer is full, which costs the
server the same.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cti.bench.sip_text import Address

_FRAME_S: Final = 0.02
_GROUPS: Final = 4
_SAMPLES: Final = 160
_STAMP: Final = struct.Struct("!HI")
_EVENT: Final = struct.Struct("!BBH")
_EVENT_TYPE: Final = 101
_EVENT_FRAMES: Final = 5
"""A digit lasts 100 ms."""
_ENDS: Final = 3
"""The last packet of a digit is sent three times (RFC 4733 section 2.5.1.4)."""
_CODES: Final = {digit: code for code, digit in enumerate("0123456789*#ABCD")}


@dataclass(slots=True)
class _Press:
    """A digit that is being sent."""

    code: int
    begun_at: int
    """Its RTP timestamp."""
    on_end: Callable[[float], None]
    frames: int = 0


@dataclass(slots=True)
class _Voice:
    """One call's stream."""

    address: Address
    packet: bytearray
    sequence: int
    timestamp: int
    press: _Press | None = None


class CallSound:
    """Speaks for every call that is added, until it is removed."""

    def __init__(self, host: str, payload: bytes = b"") -> None:
        """Bind a socket; `open` starts to speak. Raises OSError.

        `payload` is what every packet says, 160 octets of mu-law; noise unless given.
        """
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        """To be named in session descriptions."""
        self._voices: list[dict[bytes, _Voice]] = [{} for _ in range(_GROUPS)]
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._frame = bytes(12) + (payload or random.Random(1).randbytes(_SAMPLES))
        self.sent = 0

    def open(self) -> None:
        """Begin to speak."""
        self._task = asyncio.get_running_loop().create_task(self._speak(), name="call sound")

    async def close(self) -> None:
        """Fall silent and let the port go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.socket.close()

    def add(self, key: bytes, address: Address) -> None:
        """Speak to `address` from now on; a key that is known stays as it is."""
        if any(key in group for group in self._voices):
            return
        self._count += 1
        packet = bytearray(self._frame)
        packet[0], packet[1] = 0x80, 0
        packet[8:12] = (0x20000000 + self._count & 0xFFFFFFFF).to_bytes(4)
        voice = _Voice(address, packet, self._count & 0xFFFF, self._count * 7919 & 0xFFFFFFFF)
        self._voices[self._count % _GROUPS][key] = voice

    def remove(self, key: bytes) -> None:
        """Say nothing more there; unknown keys are ignored."""
        for group in self._voices:
            group.pop(key, None)

    def press(self, key: bytes, digit: str, on_end: Callable[[float], None]) -> None:
        """Send a digit; `on_end` gets the time at which its end was sent first (monotonic)."""
        for group in self._voices:
            voice = group.get(key)
            if voice is not None and voice.press is None:
                voice.press = _Press(_CODES[digit], voice.timestamp, on_end)

    async def _speak(self) -> None:
        due = time.monotonic()
        group = 0
        while True:
            due += _FRAME_S / _GROUPS
            late = time.monotonic() - due
            if late > _FRAME_S:
                due += late  # as real parties, no burst to make up for a busy machine
            elif late < 0:
                await asyncio.sleep(-late)
            else:
                await asyncio.sleep(0)
            group = (group + 1) % _GROUPS
            for voice in self._voices[group].values():
                self._say(voice)

    def _say(self, voice: _Voice) -> None:
        voice.timestamp = voice.timestamp + _SAMPLES & 0xFFFFFFFF
        if voice.press is not None:
            self._say_digit(voice, voice.press)
            return
        self._send(voice, voice.packet, voice.timestamp)

    def _say_digit(self, voice: _Voice, press: _Press) -> None:
        press.frames += 1
        over = press.frames > _EVENT_FRAMES
        packet = bytearray(16)
        packet[0] = 0x80
        packet[1] = _EVENT_TYPE | (0x80 if press.frames == 1 else 0)
        packet[8:12] = voice.packet[8:12]
        length = min(press.frames, _EVENT_FRAMES) * _SAMPLES
        _EVENT.pack_into(packet, 12, press.code, (0x80 if over else 0) | 10, length)
        self._send(voice, packet, press.begun_at)
        if press.frames == _EVENT_FRAMES + 1:
            press.on_end(time.monotonic())
        if press.frames == _EVENT_FRAMES + _ENDS:
            voice.press = None

    def _send(self, voice: _Voice, packet: bytearray, timestamp: int) -> None:
        voice.sequence = voice.sequence + 1 & 0xFFFF
        _STAMP.pack_into(packet, 2, voice.sequence, timestamp)
        with contextlib.suppress(
            OSError
        ):  # a leg that is just gone, a full buffer: as on a network
            self.socket.sendto(packet, voice.address)
            self.sent += 1


class HearingSound(CallSound, abc.ABC):
    """Hears as well: one socket for all that is said to those it speaks for."""

    def open(self) -> None:
        """Begin to speak and to hear."""
        super().open()
        asyncio.get_running_loop().add_reader(self.socket, self._take)

    async def close(self) -> None:
        """Fall silent and let the port go."""
        asyncio.get_running_loop().remove_reader(self.socket)
        await super().close()

    @abc.abstractmethod
    def hear(self, packet: bytes) -> None:
        """Take one packet."""

    def _take(self) -> None:
        try:
            while True:
                self.hear(self.socket.recv(2048))
        except BlockingIOError:
            return
        except OSError:
            return  # an ICMP error of a leg that is just gone


class SteadySound(HearingSound):
    """Knows of each stream that it hears the longest time without a packet."""

    def __init__(self, host: str, payload: bytes = b"") -> None:
        """Bind a socket. Raises OSError."""
        super().__init__(host, payload)
        self._last: dict[bytes, float] = {}
        """By SSRC, monotonic seconds."""
        self._longest_s = 0.0

    def hear(self, packet: bytes) -> None:
        """Only when it came and whose it is matters."""
        now = time.monotonic()
        stream = packet[8:12]
        pause_s = now - self._last.get(stream, now)
        if pause_s > self._longest_s:
            self._longest_s = pause_s
        self._last[stream] = now

    @property
    def streams(self) -> int:
        """How many it has heard."""
        return len(self._last)

    def begin(self) -> None:
        """Forget what was, but for when each was heard last."""
        self._longest_s = 0.0

    def longest_s(self) -> float:
        """The longest pause of any stream since `begin`, those included that go on."""
        now = time.monotonic()
        return max(self._longest_s, *(now - last for last in self._last.values()), 0.0)
