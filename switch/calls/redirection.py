"""3xx: where a callee sends a call on to, as far as its caller may go there (RFC 3261 section 8.1.3.4).

Only numbers are taken from a Contact, never addresses: each goes through the number plan with the
rights of the caller, so nobody reaches by a redirection what it could not have dialled. What the plan
does not know, refuses, or leads to an entry is passed over; so is whoever was passed before. Those rights
are lent to phones of ours: who answers at an outside number may send the call on to phones, and out
again only where its trunk is set so. Otherwise anybody who is called could make us call what it earns by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from switch.calls.attempt import Hop, Rights
from switch.calls.causes import EndCause
from switch.calls.destinations import Destinations, Groups
from switch.calls.diversion import Diverted
from switch.sip.message import Response
from switch.trunks.number_plan import NumberPlan, ToPhone, ToTrunk, normalise
from switch.trunks.settings import TrunkSettings

MOST_HOPS: Final = 5
"""A call is sent on so often at most."""
_MOST_CONTACTS: Final = 5
_FOLLOWED: Final = frozenset({300, 301, 302})
"""305 names a proxy and 380 another service: neither is a number to call instead."""


class Redirections:
    """Decides where redirected calls go."""

    def __init__(
        self, plan: NumberPlan, destinations: Destinations, trunks: Mapping[str, TrunkSettings]
    ) -> None:
        self._plan = plan
        self._destinations = destinations
        self._trusted = frozenset(t.name for t in trunks.values() if t.redirects_out)

    def groups(
        self,
        rights: Rights,
        response: Response,
        passed: Sequence[Diverted],
        seen: Collection[str],
        now: float,
        *,
        by_trunk: str | None,
        is_withheld: bool,
    ) -> Groups:
        """The targets behind the Contacts of a 3xx, one number after the other; empty: nowhere.

        `by_trunk` is the trunk that the 3xx came from; None: it came from a phone. `is_withheld`: the
        caller shows no number, and nobody it is sent on to learns it.
        """
        if response.status not in _FOLLOWED or len(passed) > MOST_HOPS:
            return []
        may_leave = by_trunk is None or by_trunk in self._trusted
        found: Groups = []
        tried = set(seen)
        for number in _numbers(response):
            if number not in tried:
                tried.add(number)
                found += self._groups_of(
                    rights, number, tuple(passed), now, may_leave=may_leave, is_withheld=is_withheld
                )
        return found

    def _groups_of(
        self,
        rights: Rights,
        number: str,
        passed: tuple[Diverted, ...],
        now: float,
        *,
        may_leave: bool,
        is_withheld: bool,
    ) -> Groups:
        match self._plan.resolve(rights.source, rights.name, number):
            case ToPhone(number=phone):
                hop = Hop(phone, phone, None, passed)
                groups = self._destinations.phone(phone, now)
            case ToTrunk(trunk=trunk, number=outside) if may_leave:
                groups = self._destinations.trunk(
                    trunk, outside, rights.name, now, is_withheld=is_withheld
                )
                if isinstance(groups, EndCause):
                    return []
                first = groups[0][0]
                hop = Hop(outside, None, first.trunk, passed, first.group)
            case _:
                return []
        if isinstance(groups, EndCause):
            return []
        return [tuple(replace(target, hop=hop) for target in group) for group in groups]


def _numbers(response: Response) -> list[str]:
    """The users of the Contacts, the most preferred first."""
    try:
        contacts = response.contacts
    except ValueError:
        return []
    ranked = sorted(contacts, key=lambda contact: _q(contact.params.get("q")), reverse=True)
    numbers = (normalise(contact.uri.username) for contact in ranked[:_MOST_CONTACTS])
    return [number for number in numbers if number]


def _q(written: str | None) -> float:
    try:
        return min(1.0, max(0.0, float(written or "1")))
    except ValueError:
        return 0.0
