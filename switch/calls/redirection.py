"""3xx: where a callee sends a call on to, as far as its caller may go there (RFC 3261 section 8.1.3.4).

Only numbers are taken from a Contact, never addresses: each goes through the number plan with the
rights of the caller, so nobody reaches by a redirection what it could not have dialled. What the plan
does not know, refuses, or leads to an entry is passed over; so is whoever was passed before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec.structs import replace

from switch.calls.attempt import Hop, Rights
from switch.calls.causes import EndCause
from switch.calls.destinations import Destinations, Groups
from switch.calls.diversion import Diverted
from switch.sip.message import Response
from switch.trunks.number_plan import NumberPlan, ToPhone, ToTrunk, normalise

MOST_HOPS: Final = 5
"""A call is sent on so often at most."""
_MOST_CONTACTS: Final = 5
_FOLLOWED: Final = frozenset({300, 301, 302})
"""305 names a proxy and 380 another service: neither is a number to call instead."""


class Redirections:
    """Decides where redirected calls go."""

    def __init__(self, plan: NumberPlan, destinations: Destinations) -> None:
        self._plan = plan
        self._destinations = destinations

    def groups(
        self,
        rights: Rights,
        response: Response,
        passed: Sequence[Diverted],
        seen: Collection[str],
        now: float,
    ) -> Groups:
        """The targets behind the Contacts of a 3xx, one number after the other; empty: nowhere."""
        if response.status not in _FOLLOWED or len(passed) > MOST_HOPS:
            return []
        found: Groups = []
        tried = set(seen)
        for number in _numbers(response):
            if number not in tried:
                tried.add(number)
                found += self._groups_of(rights, number, tuple(passed), now)
        return found

    def _groups_of(
        self, rights: Rights, number: str, passed: tuple[Diverted, ...], now: float
    ) -> Groups:
        match self._plan.resolve(rights.source, rights.name, number):
            case ToPhone(number=phone):
                hop = Hop(phone, phone, None, passed)
                groups = self._destinations.phone(phone, now)
            case ToTrunk(trunk=trunk, number=outside):
                groups = self._destinations.trunk(trunk, outside, rights.name, now)
                if isinstance(groups, EndCause):
                    return []
                hop = Hop(outside, None, groups[0][0].trunk, passed)
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
