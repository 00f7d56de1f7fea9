"""Sound that is counted: each frame has a number, so what is lost, held up or left out is seen to the frame.

One end of a talk as a plain socket. It has no jitter buffer, and when a packet came is what the kernel says,
however busy the test is: what is measured is the server alone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self

from recordings.wave_header import CHANNELS, MAX_HEADER_OCTETS, parse

FRAME_S: Final = 0.02
PIECE_S: Final = 0.01
"""A frame is two pieces, each with a number: where a recording begins is not where a frame does."""
_PIECE_OCTETS: Final = 80
_WORDS: Final = _PIECE_OCTETS // 4
_SO_TIMESTAMPNS: Final = 35
"""Of Linux; Python has no name for it."""
_TIMESPEC: Final = struct.Struct("@qq")
_HEAD_OCTETS: Final = 12


class Heard(NamedTuple):
    """A packet that came."""

    at: float
    """Seconds since the epoch, by the kernel."""
    sound: bytes

    @property
    def number(self) -> int | None:
        """Of the frame; None where it is not of a counted party, as music is not."""
        if len(self.sound) != 2 * _PIECE_OCTETS:
            return None
        number = int(struct.unpack_from("!I", self.sound)[0]) // 2
        return number if self.sound == frame(number) else None


class CountedSound:
    """Says a numbered frame of G.711 every 20 ms, and notes those that come."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])
        self.said_at: list[float] = []
        """When each frame left, by its number."""
        self.heard: list[Heard] = []
        self._over = threading.Event()
        self._speaking: threading.Thread | None = None

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._socket, self._receive)
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._speaking is not None:
            self._speaking.join()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def speak_to(self, remote: tuple[str, int]) -> None:
        """Speak from now on, by the clock and in a thread: the loop of a test is late now and then."""
        self._speaking = threading.Thread(target=self._speak, args=(remote,), daemon=True)
        self._speaking.start()

    def _speak(self, remote: tuple[str, int]) -> None:
        due = time.monotonic()
        while not self._over.wait(max(due - time.monotonic(), 0.0)):
            number = len(self.said_at)
            head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, 160 * number, 4711)
            self.said_at.append(time.time())
            self._socket.sendto(head + frame(number), remote)
            due += FRAME_S

    def _receive(self) -> None:
        packet, notes, _, _ = self._socket.recvmsg(2048, socket.CMSG_SPACE(_TIMESPEC.size))
        seconds, nanoseconds = _TIMESPEC.unpack(notes[0][2])
        self.heard.append(Heard(seconds + nanoseconds * 1e-9, packet[_HEAD_OCTETS:]))


def frame(number: int) -> bytes:
    """The sound of one frame, 160 octets."""
    return b"".join(struct.pack("!I", piece) * _WORDS for piece in (2 * number, 2 * number + 1))


def longest_pause_s(heard: Sequence[Heard]) -> float:
    """The longest time without a packet."""
    return max(after.at - before.at for before, after in pairwise(heard))


def longest_way_s(speaker: CountedSound, listener: CountedSound) -> float:
    """The longest time that a frame took from one end to the other."""
    return max(at - speaker.said_at[number] for at, number in _counted(listener))


def lost(listener: CountedSound) -> list[int]:
    """The numbers between the first and the last frame heard that never came."""
    numbers = [number for _, number in _counted(listener)]
    return sorted(set(range(numbers[0], numbers[-1])).difference(numbers))


def _counted(listener: CountedSound) -> list[tuple[float, int]]:
    """The frames of the other end that came: when, and their numbers."""
    return [(each.at, number) for each in listener.heard if (number := each.number) is not None]


def longest_stall_s(speaker: CountedSound) -> float:
    """How long the speaker itself was kept from speaking: what a ring has to make up for."""
    return max(after - before for before, after in pairwise(speaker.said_at)) - FRAME_S


# --- recordings -----------------------------------------------------------------------------------


def recorded(path: Path, channel: int) -> list[int | None]:
    """The numbers of the pieces in one channel of a recording, one for each 10 ms; None where it has none.

    The first half of a piece may lead over from sound that was made up; its end says the number.
    """
    data = path.read_bytes()
    _, start = parse(data[:MAX_HEADER_OCTETS], str(path))
    sound = data[start + channel :: CHANNELS]
    return [
        _piece(sound[at : at + _PIECE_OCTETS])
        for at in range(0, len(sound) - _PIECE_OCTETS + 1, _PIECE_OCTETS)
    ]


def _piece(sound: bytes) -> int | None:
    end = sound[_PIECE_OCTETS // 2 :]
    is_counted = end[0] == 0 and end == end[:4] * (_WORDS // 2)  # silence repeats itself as well
    return int(struct.unpack_from("!I", end)[0]) if is_counted else None


def longest_hole_s(pieces: Sequence[int | None]) -> float:
    """The longest piece of what was said that a recording does not have, between its first and last."""
    numbers = sorted({piece for piece in pieces if piece is not None})
    return max(after - before - 1 for before, after in pairwise(numbers)) * PIECE_S


def shortened_s(pieces: Sequence[int | None], at: int) -> float:
    """By how much less there is of a recording than of what was said, over the piece number `at`.

    A ring delays what is recorded by more or less; its least delay before and after is compared.
    """
    delays = [(piece, place - piece) for place, piece in enumerate(pieces) if piece is not None]
    before = min(delay for number, delay in delays if number < at)
    after = min(delay for number, delay in delays if number >= at)
    return (before - after) * PIECE_S
