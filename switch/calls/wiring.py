"""The gains of the matrix and the legs of recordings, as commands to the gateways that have them.

With one gateway they are sent as they are. With several each gain goes to the gateway of its listener,
and a source that another one has is heard by way of a crossing. Players need none: what many hear is
played by every gateway under one id, and what one hears is played by its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from switch.calls.crossings import Crossings
from switch.calls.gateways import Gateways, Member
from switch.gateway.protocol import (
    Gain,
    SetGains,
    SetRecordingLegs,
    StartRecording,
    StopRecording,
)
from switch.ids import LegId, RecordingId

_GAINS_A_COMMAND: Final = 4096
"""More do not fit into a frame; nothing but `say_again` of thousands of calls has as many."""


class Wiring:
    """Sends gains and recordings where they belong."""

    def __init__(self, gateways: Gateways, crossings: Crossings) -> None:
        self.gateways = gateways
        self.crossings = crossings

    def set_gains(self, gains: Sequence[Gain], about: Member | None = None) -> None:
        """Tell the gateways; with `about` only what that one has to do with."""
        sole = self.gateways.sole
        if sole is not None:
            _send(sole, gains)
            return
        parts: dict[Member, list[Gain]] = {}
        of = self.gateways.of
        for gain in gains:
            there, here = of(gain.listener), of(LegId(gain.source))
            if there is None or (about is not None and about not in (there, here)):
                continue
            if here is not None and here is not there:
                far = self._across(gain, here, there)
                if far is None:
                    continue
                gain = Gain(listener=gain.listener, source=far, gain=gain.gain)
            parts.setdefault(there, []).append(gain)
        for member, part in parts.items():
            _send(member, part)
        if len(self.crossings):
            self.crossings.close_unused()

    def record(
        self, gateway: str, command: StartRecording | SetRecordingLegs | StopRecording
    ) -> None:
        """Command a recording of a gateway."""
        sole = self.gateways.sole
        if sole is not None:
            sole.link.send(command)
            return
        if gateway not in self.gateways:
            return
        there = self.gateways[gateway]
        if isinstance(command, StopRecording):
            there.link.send(command)
            self.crossings.forget(command.recording)
            return
        legs = (*command.left, *command.right)
        stands_for = {leg: self._led_to(command.recording, leg, there) for leg in legs}
        there.link.send(
            replace(
                command,
                left=_named(command.left, stands_for),
                right=_named(command.right, stands_for),
            )
        )
        self.crossings.keep_only(command.recording, set(legs), there)
        self.crossings.close_unused()

    def leg_ended(self, leg: LegId) -> None:
        """A leg is gone; before its gateway is told to remove it."""
        if len(self.crossings):
            self.crossings.forget(leg)

    def _across(self, gain: Gain, here: Member, there: Member) -> LegId | None:
        source = LegId(gain.source)
        if gain.gain:
            return self.crossings.join(gain.listener, source, here, there)
        return self.crossings.leave(gain.listener, source, there)

    def _led_to(self, recording: RecordingId, leg: LegId, there: Member) -> LegId | None:
        """What stands for a leg at the gateway of a recording; None: it cannot be heard there."""
        here = self.gateways.of(leg)
        if here is there or here is None:
            return leg
        return self.crossings.join(recording, leg, here, there)


def wired(
    gateways: Gateways,
    new_id: Callable[[str], str],
    address_for: Callable[[str, str], str] | None,
) -> Wiring:
    """All of it; `new_id` makes an id with a prefix, `address_for` is `CallSettings.media_address`."""
    crossings = Crossings(lambda: LegId(new_id("leg")), secrets.token_bytes, address_for)
    return Wiring(gateways, crossings)


def _send(member: Member, gains: Sequence[Gain]) -> None:
    if len(gains) <= _GAINS_A_COMMAND:
        member.link.send(SetGains(gains=tuple(gains)))
        return
    for start in range(0, len(gains), _GAINS_A_COMMAND):
        member.link.send(SetGains(gains=tuple(gains[start : start + _GAINS_A_COMMAND])))


def _named(legs: tuple[LegId, ...], stands_for: dict[LegId, LegId | None]) -> tuple[LegId, ...]:
    return tuple(there for leg in legs if (there := stands_for[leg]) is not None)
