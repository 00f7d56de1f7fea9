"""Where each leg's packets go: to the address that signalling named, or where its peer really is.

Phones behind address translation are reached at the address that their packets come from (symmetric
RTP): the first stranger who sends what was agreed, while the peer itself is silent, is followed.
Should the address of the signalling speak after all, it takes its place back: nobody else can keep
it. Once a peer was heard, other strangers are counted and nothing else. When signalling names another
place, what was sent from the one before is still on its way: for a second nobody is followed back there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Final

import numpy as np

from switch.media.errors import MediaCommandError, NoWayToPeerError
from switch.media.legs import LegTable
from switch.media.packets import ROW_OCTETS
from switch.media.ports import RtpWire, Stray
from switch.media.traffic import Traffic
from switch.rtp.packet import header_of

FORMER_S: Final = 1.0
"""So long packets may be on their way from where a peer was before."""
_Address = tuple[str, int]

log = logging.getLogger(__name__)


class Peers:
    """The addresses that signalling named, by row, and what is done about packets from others."""

    def __init__(self, legs: LegTable, wire: RtpWire, traffic: Traffic) -> None:
        self._legs = legs
        self._wire = wire
        self._traffic = traffic
        self._named: dict[int, _Address] = {}
        self._followed: dict[int, _Address] = {}
        """Peers that are elsewhere."""
        self._former: dict[int, tuple[_Address, float]] = {}
        """Where peers were before, and until when that is remembered."""
        self.unheard: list[Stray] = []
        """STUN and DTLS from strangers, for whoever knows what to do about it."""

    def name(self, row: int, address: _Address, now: float) -> None:
        """Signalling says where the peer is. Raises MediaCommandError when it cannot be reached.

        Nothing changes when it said so before: a peer that was followed elsewhere stays there. One to
        whose address nothing leads is behind a NAT: it will be found where it sends from.
        """
        if self._named.get(row) == address:
            return
        try:
            self._wire.connect(row, *address)
        except NoWayToPeerError as error:
            log.info("%s; the peer is waited for at the door", error)
        before = self._followed.pop(row, None) or self._named.get(row)
        if before is not None:
            self._former[row] = before, now + FORMER_S
        self._named[row] = address
        self._legs.peer_heard[row] = False

    def forget(self, row: int) -> None:
        """The leg is gone."""
        for table in (self._named, self._followed, self._former):
            table.pop(row, None)

    def meet(self, strays: Sequence[Stray], now: float) -> None:
        """Follow those strangers who may be the peer; count the others."""
        legs = self._legs
        for row, data, source, is_report in strays:
            if not legs.active[row]:
                continue
            if legs.handshakes[row] and data and data[0] < 64:
                self.unheard.append(Stray(row, data, source))
                continue
            if not is_report and self._may_enter(row, source, now) and self._is_agreed(row, data):
                with contextlib.suppress(MediaCommandError):
                    self._wire.connect(row, *source)
                    self._followed[row] = source
                    legs.peer_heard[row] = True
                    # It shows where the peer is; what it carries is heard from the next one on.
                    self._traffic.received += 1
                    continue
            legs.stray[row] += 1
            self._traffic.stray += 1

    def _may_enter(self, row: int, source: _Address, now: float) -> bool:
        if source == self._named.get(row):
            return True
        former, until = self._former.get(row, (None, 0.0))
        if source == former and now < until:
            return False
        return bool(not self._legs.peer_heard[row] and self._legs.receiving[row])

    def _is_agreed(self, row: int, data: bytes) -> bool:
        """Whether this is RTP of a payload type that the leg agreed on."""
        octets = np.zeros(ROW_OCTETS, dtype=np.uint8)
        size = min(len(data), ROW_OCTETS)
        octets[:size] = np.frombuffer(data, dtype=np.uint8, count=size)
        header = header_of(octets, size)
        kind = header.marker_and_type & 0x7F
        legs = self._legs
        return bool(
            header.valid
            and len(data) < ROW_OCTETS
            and kind
            in (
                legs.heard_type[row],
                legs.heard_event_type[row],
                legs.payload_type[row],
                legs.event_type[row],
            )
        )
