"""Digits of all legs as telephone-events (RFC 4733), and those that are being sent, as events or as tones.

Digits that come in as tones are heard at the tick: see `tone_digits.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from switch.ids import LegId
from switch.media.codecs import FRAME_SAMPLES, PCMA, SAMPLE_RATE_HZ, encode
from switch.media.coders import Coders, encode_frames
from switch.media.digit_tones import ToneDigitSender
from switch.media.errors import MediaCommandError
from switch.media.events import DigitEnded
from switch.media.legs import NO_PAYLOAD_TYPE, LegTable, number_frame
from switch.media.packets import FRAME_OCTETS, PacketBuffer
from switch.media.ports import RtpWire
from switch.rtp.packet import HEADER_OCTETS, write_header
from switch.rtp.telephone_event import (
    EVENT_OCTETS,
    EventPacket,
    ReceivedDigit,
    State,
    TelephoneEventReceiver,
    TelephoneEventSender,
)

MAX_QUEUED_DIGITS = 64
_EVENT_END = HEADER_OCTETS + EVENT_OCTETS


class Digits:
    """Few legs key at any time, so these are objects in dictionaries, not columns."""

    def __init__(self, legs: LegTable, wire: RtpWire, coders: Coders) -> None:
        self._legs = legs
        self._wire = wire
        self._coders = coders
        self._receivers: dict[int, TelephoneEventReceiver] = {}
        self._running: set[int] = set()
        self._senders: dict[int, TelephoneEventSender | ToneDigitSender] = {}
        self._ended: list[tuple[int, str, int]] = []
        self.dropped = 0
        """Digits that were to be passed on, where too many waited."""
        self._out = PacketBuffer(1)
        self._linear = np.zeros((1, FRAME_SAMPLES), dtype=np.int16)

    @property
    def rows_of_tones(self) -> list[int]:
        """Legs that are being sent tones."""
        return [row for row, sender in self._senders.items() if isinstance(sender, ToneDigitSender)]

    def receive(self, row: int, payload: bytes, timestamp: int, now: float) -> list[DigitEnded]:
        """Take one event packet of a leg."""
        receiver = self._receivers.get(row)
        if receiver is None:
            receiver = self._receivers[row] = TelephoneEventReceiver(
                int(self._legs.event_scale[row]) * SAMPLE_RATE_HZ
            )
        digits = receiver.receive(payload, timestamp, now)
        self._ended += [(row, d.digit, d.duration_ms) for d in digits]
        if receiver.state is State.EVENT:
            self._running.add(row)
        else:
            self._running.discard(row)
        return self._named(row, digits)

    def begin_anew(self, row: int) -> None:
        """Events of a leg have another clock from now on."""
        self._receivers.pop(row, None)
        self._running.discard(row)

    def handle_timers(self, now: float) -> list[DigitEnded]:
        """End the digits whose packets stopped coming."""
        ended: list[DigitEnded] = []
        for row in tuple(self._running):
            receiver = self._receivers[row]
            digits = receiver.handle_timer(now)
            self._ended += [(row, d.digit, d.duration_ms) for d in digits]
            ended += self._named(row, digits)
            if receiver.state is State.IDLE:
                self._running.discard(row)
        return ended

    def take_ended(self) -> list[tuple[int, str, int]]:
        """Row, digit and milliseconds of each that came in since the last call."""
        ended = self._ended
        if ended:
            self._ended = []
        return ended

    def queue(self, row: int, digit: str, duration_ms: int, gap_ms: int) -> None:
        """Send a digit on; dropped when too many wait already."""
        sender = self._senders.get(row)
        if sender is None or sender.waiting < MAX_QUEUED_DIGITS:
            self.send(row, digit, duration_ms, gap_ms)
        else:
            self.dropped += 1

    def send(self, row: int, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send digits to a leg's peer from the next tick on, behind those under way.

        They go as tones where no telephone-events were agreed.
        """
        if not 0 < len(digits) <= MAX_QUEUED_DIGITS:
            raise MediaCommandError(f"send 1 to {MAX_QUEUED_DIGITS} digits at a time")
        try:
            sender = self._senders.get(row)
            if sender is not None:
                sender.extend(digits)
            else:
                self._begin(row, digits, duration_ms, gap_ms)
        except ValueError as error:
            raise MediaCommandError(str(error)) from None

    def send_anew(self, row: int) -> None:
        """A leg has agreed on other events, or on none: digits that are not begun go to it in the new way."""
        sender = self._senders.pop(row, None)
        if sender is None:
            return
        self._legs.dialling[row] = False
        if sender.not_begun:
            self._begin(row, sender.not_begun, *sender.pace_ms)

    def _begin(self, row: int, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send digits to whom none are being sent. Raises ValueError for what is no digit."""
        sender: TelephoneEventSender | ToneDigitSender
        if self._legs.event_type[row] == NO_PAYLOAD_TYPE:
            sender = ToneDigitSender(digits, duration_ms=duration_ms, gap_ms=gap_ms)
            self._coders.encode_too(row)  # where the leg is relayed to, it has no encoder yet
        else:
            sender = TelephoneEventSender(
                digits,
                duration_ms=duration_ms,
                gap_ms=gap_ms,
                clock_rate=int(self._legs.event_scale[row]) * SAMPLE_RATE_HZ,
            )
        self._senders[row] = sender
        self._legs.dialling[row] = True

    def tick(self) -> tuple[int, int]:
        """Send the packets of this frame; return those sent and those dropped."""
        dropped = sent = 0
        legs = self._legs
        for row, sender in tuple(self._senders.items()):
            if sender.is_done or not legs.sending[row]:
                del self._senders[row]
                legs.dialling[row] = False
                continue
            if isinstance(sender, ToneDigitSender):
                self._write_tone(row, sender.next_frame())
            elif (packet := sender.next_frame()) is not None:
                self._write_event(row, packet)
            else:  # a gap: time goes on, nothing is sent
                legs.next_timestamp[row] += FRAME_SAMPLES * legs.scale[row]
                continue
            legs.sent_octets[row] += self._out.sizes[0] - HEADER_OCTETS
            lost = self._wire.send(self._out, 0, 1)
            dropped += lost
            sent += 1 - lost
        return sent, dropped

    def _write_event(self, row: int, packet: EventPacket) -> None:
        legs, octets = self._legs, self._out.octets[0]
        sequence, timestamp = number_frame(legs.table, row, FRAME_SAMPLES)
        kind = int(packet.marker) << 7 | int(legs.event_type[row])
        begin = timestamp - packet.elapsed * int(legs.scale[row])
        write_header(octets, kind, sequence, begin, int(legs.ssrc[row]))
        octets[HEADER_OCTETS:_EVENT_END] = np.frombuffer(packet.payload, dtype=np.uint8)
        self._out.legs[0] = row
        self._out.sizes[0] = _EVENT_END

    def _write_tone(self, row: int, samples: NDArray[np.int16]) -> None:
        legs, out = self._legs, self._out
        sequence, timestamp = number_frame(legs.table, row, FRAME_SAMPLES)
        octets, codec = out.octets[0], int(legs.codec[row])
        write_header(octets, int(legs.payload_type[row]), sequence, timestamp, int(legs.ssrc[row]))
        out.legs[0] = row
        out.sizes[0] = FRAME_OCTETS
        if codec <= PCMA:
            octets[HEADER_OCTETS:FRAME_OCTETS] = encode(samples, codec)
        else:
            self._linear[0] = samples
            encode_frames(
                self._coders.tables, legs.table, self._linear, out.octets, out.legs, out.sizes, 0, 1
            )

    def remove_leg(self, row: int) -> None:
        """Forget a leg; a digit that has not ended is lost with it."""
        self._receivers.pop(row, None)
        self._running.discard(row)
        self._senders.pop(row, None)
        self._ended = [ended for ended in self._ended if ended[0] != row]

    def _named(self, row: int, digits: list[ReceivedDigit]) -> list[DigitEnded]:
        if not digits:
            return []
        leg: LegId = self._legs.ids[row]
        return [DigitEnded(leg=leg, digit=d.digit, duration_ms=d.duration_ms) for d in digits]
