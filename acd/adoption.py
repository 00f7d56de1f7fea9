"""Contacts of an earlier process: described while they live, taken up by the process that follows.

    record     at the end of each turn, for what changed
    restore    when the legs are restored and before the gateway is there: commands nobody
    resume     when calls can be made again: everybody goes on

A contact whose caller's leg is gone, or whose agent's leg is gone while they talked, cannot go on: it
is finished as failed, so that history has its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Final

from acd import restoring
from acd.agent_dial import AgentDial
from acd.arrangement import groups
from acd.consultations import Consultations
from acd.contact import Contact, Stage
from acd.contact_events import ContactResult
from acd.contacts import Contacts
from acd.core import Acd
from acd.distribution import Distribution
from acd.inbound import Inbound
from acd.inputs import TalkEnded, Withdraw
from acd.model import AgentId, ContactId, QueueName, SkillNeed
from acd.parking import Parking
from acd.party_records import (
    Moment,
    consult_record,
    park_record,
    party_record,
    restore_parties,
)
from acd.records import AgentRecord, ContactRecord, DayRecord
from ivr.records import RunRecord
from switch.calls.causes import EndCause, Result
from switch.clock import Clock
from switch.ids import CallId, LegId, PlayerId, RecordingId

log = logging.getLogger(__name__)

LOST: Final = EndCause(Result.FAILED, "call-agent-lost", 500)
"""How the legs end of a contact that could not be taken up."""


class ContactAdoption:
    """Describes contacts, agents and queues, and takes up those of an earlier process."""

    def __init__(
        self,
        *,
        acd: Acd,
        contacts: Contacts,
        distribution: Distribution,
        inbound: Inbound,
        agent_dial: AgentDial,
        consultations: Consultations,
        parking: Parking,
        clock: Clock,
        hang_up: Callable[[LegId, EndCause], None],
    ) -> None:
        self._core = acd.parts
        self._contacts = contacts
        self._distribution = distribution
        self._inbound = inbound
        self._agent_dial = agent_dial
        self._consultations = consultations
        self._parking = parking
        self._clock = clock
        self._hang_up = hang_up
        self._runs: dict[ContactId, RunRecord] = {}
        self._lost: list[Contact] = []
        self._left_over: list[LegId] = []

    # --- describing -----------------------------------------------------------------------------

    def contact(self, name: ContactId, wall: Moment) -> ContactRecord | None:
        """Describe a contact; None when it is over."""
        contact = self._contacts.get(name)
        if contact is None:
            return None
        return ContactRecord(
            contact.call,
            contact.customer_leg,
            contact.caller_number,
            contact.caller_name,
            contact.called,
            wall(contact.started_at),
            contact.stage,
            contact.record,
            contact.language,
            contact.customer_answered,
            # Between `restore` and `resume` another kill may come: the caller's way is not lost then.
            self._runs.get(name) if contact.flow is None else contact.flow.record(),
            contact.queue,
            _at(contact.queued_at, wall),
            dict(contact.facts),
            contact.agent,
            contact.agent_leg,
            contact.recording,
            contact.announcement,
            _at(contact.talking_since, wall),
            _at(contact.held_since, wall),
            contact.waited_s,
            contact.held_s,
            contact.muted,
            contact.rang,
            contact.outbound,
            restoring.queued_record(self._core, name, wall),
            _at(contact.entered_at, wall),
            contact.priority,
            tuple((need.skill, need.level) for need in contact.skills),
            contact.call_back_of,
            contact.call_backs,
            None,  # `transferred_by`
            tuple(party_record(party) for party in contact.others.values()),
            consult_record(contact.consult),
            contact.leg_held,
            contact.served,
            contact.talked_s,
            contact.tune,
            park_record(contact.park, wall),
            contact.campaign,
            contact.list_record,
            contact.silent,
            contact.agent_first,
            contact.agent_here,
            contact.had_by,
            contact.lost_by,
        )

    def agent(self, name: AgentId, wall: Moment) -> AgentRecord | None:
        """Describe an agent; None for one that is not configured any more."""
        is_known = name in self._core.floor.agents
        return restoring.agent_record(self._core, name, wall) if is_known else None

    def day(self, queue: QueueName) -> DayRecord | None:
        """Describe a queue's day; None for one that is not configured any more."""
        return restoring.day_record(self._core, queue) if queue in self._core.queues else None

    # --- taking up ------------------------------------------------------------------------------

    def restore(
        self,
        contacts: Mapping[ContactId, ContactRecord],
        agents: Mapping[AgentId, AgentRecord],
        days: Mapping[QueueName, DayRecord],
        mono: Moment,
        *,
        lives: Callable[[LegId], bool],
        same_day: bool,
    ) -> list[str]:
        """Take up all of them; returns in words what could not be.

        `lives` tells which legs were taken up; `same_day`, whether the day's figures still count.
        """
        queued = {name: kept.queued for name, kept in contacts.items() if kept.queued is not None}
        now = self._clock.now()
        faults = restoring.restore(self._core, agents, queued, days, mono, now, same_day=same_day)
        for name, record in sorted(contacts.items(), key=lambda item: item[1].started_at):
            try:
                contact = _contact(name, record, mono)
                restore_parties(contact, record, mono)
            except ValueError as error:
                faults.append(f"contact {name}: {error}")
                continue
            self._fit(contact, lives)
            self._contacts.restore(contact)
            if record.run is not None:
                self._runs[name] = record.run
        return faults

    def engage(self, legs: Iterable[tuple[LegId, AgentId]]) -> None:
        """These legs of agents' phones live; those of offers are left out here."""
        for leg, agent in legs:
            contact = self._contacts.of_leg(leg)
            is_offer = (
                contact is not None and contact.agent_leg == leg and self._distribution.has(contact)
            )
            if not is_offer:
                self._inbound.engaged(leg, agent)

    def owns(self, leg: LegId) -> bool:
        """Whether a leg belongs to a contact, or is told the place in which one is parked."""
        if self._contacts.of_leg(leg) is not None:
            return True
        parked = (contact.park for contact in self._contacts.live())
        return any(park is not None and park.telling == leg for park in parked)

    def playing(self) -> list[tuple[PlayerId, LegId]]:
        """The announcements and ringing tones that sound, and who hears them."""
        return [
            (contact.announcement, leg)
            for contact in self._contacts.live()
            if contact.announcement is not None
            and (leg := contact.agent_leg if _plays_to_agent(contact) else contact.customer_leg)
        ] + [
            (contact.consult.ringback, contact.agent_leg)
            for contact in self._contacts.live()
            if contact.consult is not None
            and contact.consult.ringback is not None
            and contact.agent_leg is not None
        ]

    def resume(self) -> None:
        """Let everybody go on. The gateway is there, phones can be called."""
        for leg in self._left_over:
            self._hang_up(leg, LOST)
        for contact in self._lost:
            self._end(contact)
        for contact in self._contacts.live():
            if contact.queue not in self._core.queues:
                contact.queue = None  # taken out of the configuration: nobody can be led back there
            if contact.outbound:
                self._agent_dial.go_on(contact)
            else:
                self._inbound.go_on(contact, self._runs.get(contact.id))
                if not contact.agent_first:  # its agent reads, or is called by the dialer
                    self._distribution.call_again(contact)
            self._consultations.go_on(contact)
            self._parking.go_on(contact)
        self._runs.clear()
        self._lost.clear()
        self._left_over.clear()
        self._distribution.resume()

    def _fit(self, contact: Contact, lives: Callable[[LegId], bool]) -> None:
        """Make the contact agree with the legs and the distribution, or give it up."""
        for leg in tuple(contact.others):
            if not lives(leg):
                del contact.others[leg]
        if contact.park is not None and contact.park.telling is not None:
            contact.park.telling = contact.park.telling if lives(contact.park.telling) else None
        together = groups(contact)
        contact.pairs = tuple(pair for group in together for pair in combinations(group, 2))
        contact.alone = tuple(group[0] for group in together if len(group) == 1)
        if contact.agent_leg is not None and not lives(contact.agent_leg):
            contact.agent_leg = None
            if contact.talking_since is not None or contact.stage is Stage.DIRECT:
                self._lost.append(contact)
        if contact.customer_leg and not lives(contact.customer_leg):
            contact.customer_leg = LegId("")
            waits_for_dial = contact.outbound or contact.agent_first
            if not waits_for_dial or contact.talking_since is not None:
                self._lost.append(contact)
        known = self._core.contacts.live.get(contact.id)
        if contact.stage in (Stage.WAITING, Stage.OFFERED, Stage.TALKING):
            if known is None or (contact.stage is Stage.TALKING and known.agent != contact.agent):
                self._lost.append(contact)
            elif contact.stage is Stage.OFFERED and known.agent != contact.agent:
                contact.stage, contact.agent = Stage.WAITING, None
                if contact.agent_leg is not None:
                    self._left_over.append(contact.agent_leg)
                    contact.agent_leg = None

    def _end(self, contact: Contact) -> None:
        if contact.stage is Stage.ENDED:
            return
        log.warning("contact %s could not be taken up: a leg or its queue is gone", contact.id)
        if contact.stage is Stage.TALKING:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=False))
        elif self._distribution.has(contact):
            self._distribution.tell(Withdraw(contact=contact.id, reason="failed"))
        self._contacts.finish(contact, ContactResult.FAILED, LOST.reason, hang_up=LOST)


def _plays_to_agent(contact: Contact) -> bool:
    """Whether its announcement is the ringing tone that its agent hears."""
    return contact.outbound or contact.agent_here


def _contact(name: ContactId, record: ContactRecord, mono: Moment) -> Contact:
    """Raises ValueError for a stage that is not known here."""
    return Contact(
        id=name,
        call=CallId(record.call),
        customer_leg=LegId(record.customer_leg),
        caller_number=record.caller_number,
        caller_name=record.caller_name,
        called=record.called,
        started_at=mono(record.started_at),
        stage=Stage(record.stage),
        record=record.record,
        language=record.language,
        customer_answered=record.customer_answered,
        queue=None if record.queue is None else QueueName(record.queue),
        queued_at=_at(record.queued_at, mono),
        facts=record.facts,
        agent=None if record.agent is None else AgentId(record.agent),
        agent_leg=None if record.agent_leg is None else LegId(record.agent_leg),
        recording=None if record.recording is None else RecordingId(record.recording),
        announcement=None if record.announcement is None else PlayerId(record.announcement),
        talking_since=_at(record.talking_since, mono),
        held_since=_at(record.held_since, mono),
        waited_s=record.waited_s,
        held_s=record.held_s,
        muted=record.muted,
        rang=record.rang,
        outbound=record.outbound,
        entered_at=_at(record.entered_at, mono),
        priority=record.priority,
        skills=tuple(SkillNeed(skill=skill, level=level) for skill, level in record.skills),
        call_back_of=None if record.call_back_of is None else ContactId(record.call_back_of),
        call_backs=record.call_backs,
        leg_held=record.leg_held,
        served=record.served,
        talked_s=record.talked_s,
        tune=record.tune,
        campaign=record.campaign,
        list_record=record.list_record,
        silent=record.silent,
        agent_first=record.agent_first,
        agent_here=record.agent_here,
        had_by=tuple(map(AgentId, record.had_by)),
        lost_by=tuple(map(AgentId, record.lost_by)),
    )


def _at(moment: float | None, change: Moment) -> float | None:
    return None if moment is None else change(moment)
