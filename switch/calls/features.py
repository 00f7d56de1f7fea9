"""What phones ask for by codes that they dial: to send on a call they hold, to pick up one that rings."""

from __future__ import annotations

from collections.abc import Callable, Collection

from switch.calls.control import Calls
from switch.calls.ports import HeldCall, RingingCall
from switch.ids import LegId
from switch.trunks.number_plan import ToEntry


class PhoneFeatures:
    """Satisfies `switch.calls.ports.Features` over the live calls."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def held_call(self, phone: str) -> HeldCall | None:
        """The newest call with one other party that a phone has on hold."""
        matrix, found = self._calls.sound.matrix, None
        for leg in self._calls.legs:
            facts = matrix.facts(leg.id) if leg.phone == phone else None
            if facts is not None and facts.holds and len(facts.peers) == 1:
                found = HeldCall(leg.id, next(iter(facts.peers)))
        return found

    def deflect(self, leg: LegId, entry: str, number: str) -> bool:
        """Bring whom a leg talks to to an entry, and end the leg; `IncomingLeg` follows.

        False where it talks to nobody, or to several, or the entry takes nobody now.
        """
        found = self._calls.legs.get(leg)
        return found is not None and self._calls.transfer_requests.deflect(
            found, ToEntry(entry, number)
        )

    def ringing_call(self, phones: Collection[str]) -> RingingCall | None:
        """The direct call that rings longest at one of these phones."""
        leg = self._calls.replacements.ringing(phones)
        if leg is None or leg.phone is None:
            return None
        caller = "" if leg.attempt is None else leg.attempt.caller_number
        return RingingCall(leg.id, leg.call, leg.phone, caller)

    def pick_up(self, by: LegId, ringing: LegId) -> bool:
        """Let a leg answer a call in the place of one that rings; False: it rings no more."""
        return self._calls.replacements.pick_up(by, ringing)

    def ask_where_legs_wait(self, waits_at: Callable[[LegId], str | None]) -> None:
        """`waits_at(leg)` names the number at which a leg waits whose place may be taken, if it does."""

        def waits(leg: LegId) -> ToEntry | None:
            number = waits_at(leg)
            return None if number is None else ToEntry(number, number)

        self._calls.transfer_requests.waits_at = waits

    def ask_before_entries(self, refuses: Callable[[str, str, LegId], int | None]) -> None:
        """`refuses(entry, number, leg)` gives the status with which a transfer there is refused."""
        self._calls.transfer_requests.refuses = lambda to, leg: refuses(to.entry, to.number, leg)
