"""Parties and consultations as values that outlive the process, and back."""

from __future__ import annotations

from acd.consult_state import ConsultState
from acd.contact import Contact
from acd.model import AgentId
from acd.party import Consult, Party
from acd.records import ConsultRecord, ContactRecord, PartyRecord
from switch.calls.roles import Role
from switch.ids import LegId, PlayerId


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


def restore_parties(contact: Contact, record: ContactRecord) -> None:
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
