"""Parties, consultations and parking places as values that outlive the process, and back."""

from __future__ import annotations

from collections.abc import Callable

from acd.consult_state import ConsultState
from acd.contact import Contact
from acd.model import AgentId
from acd.park import Park
from acd.park_state import ParkState
from acd.party import Consult, Party
from acd.records import ConsultRecord, ContactRecord, ParkRecord, PartyRecord
from switch.calls.roles import Role
from switch.ids import LegId, PlayerId

Moment = Callable[[float], float]
"""From our monotonic clock to that of the records, or back."""


def consult_record(consult: Consult | None) -> ConsultRecord | None:
    """Describe a consultation."""
    if consult is None:
        return None
    return ConsultRecord(
        consult.state,
        party_record(consult.target),
        consult.ringback,
        consult.began_by,
        consult.is_return,
        consult.is_by_phone,
    )


def park_record(park: Park | None, wall: Moment) -> ParkRecord | None:
    """Describe a parking place."""
    if park is None:
        return None
    return ParkRecord(
        park.slot,
        park.by,
        wall(park.since),
        wall(park.due),
        park.state,
        None if park.caller is None else party_record(park.caller),
        park.ring_backs,
        park.telling,
    )


def party_record(party: Party) -> PartyRecord:
    """Describe a party."""
    return PartyRecord(
        party.number,
        party.agent,
        party.leg,
        party.answered,
        party.rang,
        party.role,
        party.watcher,
        party.takes_over,
    )


def restore_parties(contact: Contact, record: ContactRecord, mono: Moment) -> None:
    """Give the contact the parties of its record. Raises ValueError for a word of another version."""
    for kept in record.others:
        party = _party(kept)
        contact.others[party.leg] = party
    if record.consult is not None:
        kept_target = _party(record.consult.target)
        contact.consult = Consult(
            state=ConsultState(record.consult.state),
            target=contact.others.get(kept_target.leg, kept_target),
            ringback=None if record.consult.ringback is None else PlayerId(record.consult.ringback),
            began_by=None if record.consult.began_by is None else AgentId(record.consult.began_by),
            is_return=record.consult.is_return,
            is_by_phone=record.consult.is_by_phone,
        )
    if record.transferred_by is not None and contact.agent_leg is not None:
        target = Party(number=contact.agent or "", agent=contact.agent, leg=contact.agent_leg)
        contact.agent = contact.agent_leg = None
        contact.others[target.leg] = target
        contact.consult = Consult(
            state=ConsultState.HANDING,
            target=target,
            began_by=AgentId(record.transferred_by),
            is_by_phone=True,
        )
    if record.park is not None:
        kept_caller = None if record.park.caller is None else _party(record.park.caller)
        if kept_caller is not None:
            kept_caller = contact.others.get(kept_caller.leg, kept_caller)
        contact.park = Park(
            slot=record.park.slot,
            by=record.park.by,
            since=mono(record.park.since),
            due=mono(record.park.due),
            state=ParkState(record.park.state),
            caller=kept_caller,
            ring_backs=record.park.ring_backs,
            telling=None if record.park.telling is None else LegId(record.park.telling),
        )


def _party(record: PartyRecord) -> Party:
    return Party(
        number=record.number,
        agent=None if record.agent is None else AgentId(record.agent),
        leg=LegId(record.leg),
        answered=record.answered,
        rang=record.rang,
        role=None if record.role is None else Role(record.role),
        watcher=record.watcher,
        takes_over=record.takes_over,
    )
