"""Who of a contact is together, computed from its facts, and made so.

Everybody who is together is bridged with all others there. Who is left alone while the others talk
hears music.
"""

from __future__ import annotations

from itertools import combinations

from acd.consult_state import ConsultState
from acd.contact import Contact, Stage
from switch.calls.ports import CallControl
from switch.ids import LegId

Pair = tuple[LegId, LegId]

_AWAY = (ConsultState.CALLING, ConsultState.PRIVATE)
"""The agent is not with the customer."""


def is_away(contact: Contact) -> bool:
    """Whether the agent left the customer to call or to ask somebody."""
    return contact.consult is not None and contact.consult.state in _AWAY


def groups(contact: Contact) -> list[list[LegId]]:
    """The legs that are together, the customer's group first; those not answered yet are in none."""
    if contact.talking_since is None or not contact.customer_answered:
        return []
    consult = contact.consult
    if contact.stage not in (Stage.TALKING, Stage.DIRECT):
        return []
    if consult is not None and consult.is_by_phone:
        return []
    first = [contact.customer_leg]
    target = consult.target if consult is not None and consult.target.answered else None
    agent = contact.agent_leg
    if agent is not None and not is_away(contact):
        first.append(agent)
    first += [party.leg for party in contact.others.values() if _is_in(party.leg, contact)]
    found = [first]
    if consult is not None and consult.state is ConsultState.PRIVATE and agent is not None:
        found.append([agent] if target is None else [agent, target.leg])
    elif consult is not None and target is not None:
        found.append([target.leg])
    return found


def arrange(contact: Contact, control: CallControl) -> None:
    """Command what has to change for that; who parts is parted before anybody else is joined."""
    together = groups(contact)
    pairs = dict.fromkeys(pair for group in together for pair in combinations(group, 2))
    alone = dict.fromkeys(group[0] for group in together if len(group) == 1)
    for a, b in contact.pairs:
        if (a, b) not in pairs and (b, a) not in pairs:
            control.unbridge(a, b)
    for leg in contact.alone:
        if leg not in alone:
            control.music(leg, False)
    known = {frozenset(pair) for pair in contact.pairs}
    for a, b in pairs:
        if frozenset((a, b)) not in known:
            control.bridge(a, b)
    for leg in alone:
        if leg not in contact.alone:
            control.music(leg, True)
    contact.pairs, contact.alone = tuple(pairs), tuple(alone)


def recorded_legs(contact: Contact, *, whispers: bool) -> list[LegId]:
    """Who is in the right channel: everybody but the customer and those who only listen."""
    legs = [] if contact.agent_leg is None else [contact.agent_leg]
    if contact.consult is not None and contact.consult.target.answered:
        legs.append(contact.consult.target.leg)
    for party in contact.others.values():
        heard = party.takes_part or party.role == "barge" or (whispers and party.role == "whisper")
        if party.answered and heard and party.leg not in legs:
            legs.append(party.leg)
    return legs


def _is_in(leg: LegId, contact: Contact) -> bool:
    party = contact.others[leg]
    is_target = contact.consult is not None and contact.consult.target is party
    return party.answered and party.takes_part and not is_target
