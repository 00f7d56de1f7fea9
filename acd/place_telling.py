"""Who parked a call by a code is told the place: its call is answered, the number is said, and it ends."""

from __future__ import annotations

from typing import Final

from ivr.announcements import place
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, PlayFinished
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.ids import LegId

_TOLD: Final = EndCause(Result.COMPLETED, "parked")


class PlaceTelling:
    """The legs that are told a place now."""

    def __init__(self, control: CallControl, language: str) -> None:
        self._control = control
        self._language = language
        self._slots: dict[LegId, str] = {}
        self.takes: Takes = {
            LegAnswered: self._leg_answered,
            PlayFinished: self._play_finished,
        }
        """News of them; their ends are for `acd.parking`."""

    def __contains__(self, leg: LegId) -> bool:
        return leg in self._slots

    def expect(self, leg: LegId, slot: str) -> None:
        """A leg is told the place as soon as it is answered."""
        self._slots[leg] = slot

    def forget(self, leg: LegId) -> None:
        """The leg is gone, or nothing is parked there after all."""
        self._slots.pop(leg, None)

    def again(self, leg: LegId, slot: str) -> None:
        """The process that began to tell it is gone: what was said of it went with that one."""
        self._slots[leg] = slot
        self._control.play(leg, place(slot, self._language))

    def of(self, slot: str) -> LegId | None:
        """The leg that is told this place."""
        return next((leg for leg, told in self._slots.items() if told == slot), None)

    def _leg_answered(self, event: LegAnswered) -> None:
        slot = self._slots.get(event.leg)
        if slot is not None:
            self._control.play(event.leg, place(slot, self._language))

    def _play_finished(self, event: PlayFinished) -> None:
        if event.leg in self._slots:
            self._control.hang_up(event.leg, _TOLD)
