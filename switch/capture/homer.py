"""Sends what passes to a capture server, by UDP.

A packet is given to the kernel at once or dropped and counted; nothing waits here, so that a capture
server that is away or slow costs calls nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from switch.capture.hep import Encoder, Kind
from switch.capture.masking import keyless
from switch.capture.octets import call_id, key_of
from switch.sip.flow import Flow


class Homer:
    """An observer that reports to one capture server at `target`, an IP address and a port.

    `wall` gives seconds since the epoch.
    """

    def __init__(
        self, target: tuple[str, int], encoder: Encoder, wall: Callable[[], float]
    ) -> None:
        self._encoder = encoder
        self._wall = wall
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect(target)
        self.sent = 0
        self.dropped = 0
        """Messages that could not be sent: buffer full, server away, too long for a packet."""

    def message(self, data: bytes, flow: Flow, is_out: bool) -> None:
        """Report one SIP message. Never waits, never raises."""
        self._send(keyless(data), flow, is_out, Kind.SIP, call_id(data))

    def report(self, data: bytes, flow: Flow, is_out: bool, correlation: str) -> None:
        """Report figures of RTCP as JSON; `correlation` is the Call-ID of its session."""
        self._send(data, flow, is_out, Kind.RTCP_JSON, key_of(correlation.encode()))

    def close(self) -> None:
        """Send no more."""
        self._socket.close()

    def _send(self, data: bytes, flow: Flow, is_out: bool, kind: Kind, correlation: bytes) -> None:
        try:
            packet = self._encoder.packet(
                data,
                flow,
                is_out=is_out,
                kind=kind,
                at=self._wall(),
                correlation=correlation,
            )
            self._socket.send(packet)
        except (
            OSError,
            ValueError,
            OverflowError,
        ):  # full, refused by its host, closed; no address
            self.dropped += 1
        else:
            self.sent += 1
