"""Digits that the gateway cannot carry, because on one side they travel in INFO (`dtmf = "info"`).

keyed by        bridged with a leg of telephone-events or tones     bridged with a leg of INFO
events, tones   the gateway has passed them on                      INFO
INFO            sent anew by the gateway                            INFO
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

from switch.calls.events import DigitPressed, LegEnded
from switch.calls.fan_out import Takes
from switch.calls.leg import Leg
from switch.calls.leg_media import sends_digits_by_info
from switch.calls.legs import Legs
from switch.calls.sound import Sound
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.info_digits import DIGITS

log = logging.getLogger(__name__)

_SHORTEST_MS: Final = 60
_LONGEST_MS: Final = 1000
_LENGTH_MS: Final = 160
_EVERY_S: Final = 0.25
"""Between two digits of ours to a leg: nobody reads INFOs in the order of their CSeq."""
_MOST_WAITING: Final = 64
"""Digits of a leg; as many as the gateway lets wait."""


class DigitPassing:
    """Sends on what is keyed, and sends digits of ours, in the way that the leg's peer understands."""

    def __init__(self, legs: Legs, sound: Sound, clock: Clock, turn: Turn) -> None:
        self._legs = legs
        self._sound = sound
        self._clock = clock
        self._turn = turn
        self._free_from: dict[LegId, float] = {}
        """When the next digit of a leg may go; monotonic seconds."""
        self.dropped = 0
        """Digits that were not sent, where too many waited."""
        self.takes: Takes = {DigitPressed: self._pass_on, LegEnded: self._leg_ended}
        """News of the legs."""

    def send(self, leg: Leg, digits: str) -> None:
        """Send digits to the leg's peer; what is no digit is left out."""
        if not sends_digits_by_info(leg):
            self._sound.send_digits(leg.id, digits)
            return
        for digit in digits.upper():
            if digit in DIGITS:
                self._queue(leg, digit, _LENGTH_MS)

    def _queue(self, leg: Leg, digit: str, length_ms: int) -> None:
        """Send a digit when its turn has come."""
        now = self._clock.now()
        at = max(now, self._free_from.get(leg.id, now))
        if at >= now + _MOST_WAITING * _EVERY_S:
            self.dropped += 1
            log.info("leg %s: too many digits wait, one is lost", leg.id)
            return
        self._free_from[leg.id] = at + _EVERY_S
        if at > now:
            later = partial(self._legs.send_info, leg, digit, length_ms)
            self._turn.call_at(at, leg.id, later)
        else:
            self._legs.send_info(leg, digit, length_ms)

    def _leg_ended(self, event: LegEnded) -> None:
        self._free_from.pop(event.leg, None)

    def _pass_on(self, event: DigitPressed) -> None:
        matrix = self._sound.matrix
        for peer in matrix.peers(event.leg):
            leg = self._legs.get(peer)
            if leg is None or event.leg not in matrix.row(peer):
                continue  # it is muted, or one of the two holds
            if sends_digits_by_info(leg):
                length = min(max(event.duration_ms, _SHORTEST_MS), _LONGEST_MS)
                if self._free_from.get(leg.id, 0.0) > self._clock.now():
                    self._queue(leg, event.digit, length)  # behind those that wait
                else:
                    self._legs.send_info(leg, event.digit, length)
            elif event.by_info:
                self._sound.send_digits(peer, event.digit)
