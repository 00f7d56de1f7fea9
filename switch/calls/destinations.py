"""Where a phone or a number outside is reached now: groups of targets, or why there are none."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from switch.calls.attempt import Onward, Target, groups_of
from switch.calls.causes import EndCause, Result
from switch.calls.departing import Departing
from switch.registrar.location import Location
from switch.trunks.failover import Failure
from switch.trunks.hunt import Departure, Hunt, Nowhere
from switch.trunks.trunks import Trunks

Groups = list[tuple[Target, ...]]


class Destinations:
    """Turns numbers into targets. Whether the caller may is asked of the number plan before."""

    def __init__(
        self,
        *,
        location: Location,
        trunks: Trunks,
        departing: Departing,
        dtmf_of_phone: Callable[[str], str],
    ) -> None:
        self._location = location
        self._trunks = trunks
        self._departing = departing
        self.dtmf_of_phone = dtmf_of_phone
        """How digits travel between a phone and us."""

    def phone(self, number: str, now: float) -> Groups | EndCause:
        """All bindings of a phone."""
        bindings = self._location.bindings(number, now)
        if not bindings:
            return EndCause(Result.UNREACHABLE, "no-binding", 480)
        return groups_of(bindings, self.dtmf_of_phone(number))

    def trunk(
        self, name: str, number: str, phone: str, now: float, *, is_withheld: bool
    ) -> Groups | EndCause:
        """The address of a trunk, or of one of a group, that is the first to take a call of `phone`.

        `onward` has the next one.
        """
        hunt = self._trunks.hunt(
            name,
            number,
            caller_number="" if is_withheld else phone,
            caller_name="",
            phone=phone,
        )
        departure = hunt.next(now)
        if isinstance(departure, Nowhere):
            return cause_of_nowhere(departure)
        return [(self._by_trunk(hunt, departure),)]

    def onward(
        self, target: Target, failure: Failure, *, has_rung: bool, now: float
    ) -> Target | None:
        """Where a call that was sent on is tried next, after the trunk of `target` has failed so."""
        way, hop = target.onward, target.hop
        if way is None or hop is None:
            return None
        self._trunks.failed(way.departure, failure, now)
        if not way.hunt.failed(failure, has_rung=has_rung):
            return None
        departure = way.hunt.next(now)
        if isinstance(departure, Nowhere):
            return None
        found = self._by_trunk(way.hunt, departure)
        return replace(found, hop=replace(hop, trunk=found.trunk, group=found.group))

    def answered(self, target: Target, now: float) -> None:
        """The trunk of a call that was sent on has answered."""
        if target.onward is not None:
            self._trunks.heard(target.onward.departure, now)

    def _by_trunk(self, hunt: Hunt, departure: Departure) -> Target:
        # Whoever called is not who sends the call on: a signature says so, and no more.
        target = self._departing.target(departure, is_passed_on=True)
        return replace(target, onward=Onward(hunt, departure))


def cause_of_nowhere(nowhere: Nowhere) -> EndCause:
    """Say how a leg ended that no trunk could take."""
    is_refused = nowhere.reason in ("trunk-full", "blocked")
    result = Result.REJECTED if is_refused else Result.UNREACHABLE
    return EndCause(result, nowhere.reason, nowhere.status)
