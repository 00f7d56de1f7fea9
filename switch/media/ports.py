"""What the media engine needs from outside: sockets for RTP, and somewhere to put what is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from switch.ids import RecordingId
from switch.media.model import SrtpKeys
from switch.media.tails import Tails

if TYPE_CHECKING:
    # Who only stores recordings need not load the compiled loops.
    from switch.media.packets import PacketBuffer


class RecordingSink(Protocol):
    """Takes the frames of all running recordings. Every method returns at once: no disk, no lock held long.

    Called from the engine's thread. What went wrong comes back through `poll`.
    """

    max_backlog_octets: int
    """Recordings are given up rather than that more sound waits for the disk."""

    @property
    def backlog_octets(self) -> int:
        """Sound handed over and not on disk yet."""

    def tails(self) -> Tails:
        """Where to keep the sound that is not handed over yet, or not on the disk; asked for once."""

    def open(self, recording: RecordingId, path: str) -> None:
        """Prepare a recording; `path` is absolute and has no suffix."""

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        """Append sound: `block` is (n_recordings, n_samples, 2) mu-law at 8 kHz, left first.

        The engine reuses `block` afterwards; the sink copies what it keeps.
        """

    def close(self, recording: RecordingId) -> None:
        """No more frames will come; finish the file."""

    def poll(self) -> list[RecordingOutcome]:
        """What has been finished or has failed since the last call."""


class RecordingOutcome(Protocol):
    """The end of a recording: a file, or the reason why there is none (or only a part)."""

    @property
    def recording(self) -> RecordingId: ...
    @property
    def path(self) -> str: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def error(self) -> str | None:
        """None when the file is whole."""


class RtpWire(Protocol):
    """The RTP sockets of the legs, by row. Only the engine's thread calls it; nothing blocks."""

    def attach(self, row: int, port: int) -> None:
        """Give a reserved port to a leg. Raises MediaCommandError when it is not reserved."""

    def connect(self, row: int, address: str, port: int) -> None:
        """Send to this peer, and take packets of nobody else from now on.

        Raises MediaCommandError when the address is none or cannot be reached from here.
        """

    def detach(self, row: int) -> None:
        """Close the leg's sockets; its port rests before it can be reserved again."""

    def secure(self, row: int, keys: SrtpKeys | None) -> None:
        """Encrypt and decrypt what the leg sends and receives; None: in clear. Raises MediaCommandError."""

    def share_reports(self, row: int) -> None:
        """RTCP of this leg goes by the socket of its sound (RFC 5761)."""

    def open_reports(self, row: int, address: str, port: int) -> None:
        """Give a leg a socket for RTCP, on the next port, that sends here; without success it has none."""

    def connect_reports(self, row: int, address: str, port: int) -> None:
        """Send RTCP here, and take none of anybody else from now on."""

    def close_reports(self, row: int) -> None:
        """Close the leg's RTCP socket if it has one."""

    def send_reports(self, packets: PacketBuffer, count: int) -> None:
        """Send the first `count` packets as RTCP of the legs they are for."""

    def receive(self, now: float, into: PacketBuffer) -> tuple[int, list[Stray]]:
        """Take at most one packet of each leg's peer, and one of its RTCP, at `now` (monotonic, s).

        Fills the first rows of `into`; returns how many there are, and what came from others.
        """

    def send(self, packets: PacketBuffer, first: int, count: int) -> int:
        """Send `count` packets from row `first` on; return how many the system did not take."""


class Stray(NamedTuple):
    """A packet that came to a leg from somebody who is not its peer."""

    row: int
    data: bytes
    source: tuple[str, int]
    is_report: bool = False
    """It came to the leg's RTCP socket."""
