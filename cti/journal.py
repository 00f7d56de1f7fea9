"""Keeps the journal of calls: notes what changes, and writes it down at the end of each turn.

It is told by the bus and by the calls that something changed, and describes it when the turn is over,
so that a call that is answered, bridged and recorded in one turn is written once. The record is written
before the messages of the turn are sent: what a peer knows of us, the journal knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from acd.adoption import ContactAdoption
from acd.call_back import CallBacks
from acd.contacts import Contacts
from acd.dialer.adoption import AttemptAdoption
from acd.dialer.model import AttemptId, CampaignName
from acd.model import AgentId, ContactId, QueueName
from cti.accounts import PhoneCredentials
from cti.journal_records import BanRecord, BindingRecord, Kind, NodeKey, gateway_key
from cti.schema import AgentView, BanView, Event, EventType, ScreenPop
from cti.translate import Translator
from switch.calls.adoption import Adoption
from switch.calls.events import (
    CallEvent,
    GatewayChanged,
    LegMeasured,
    LegRinging,
    RecordingClosed,
)
from switch.calls.fan_out import Takes, everything
from switch.clock import Clock
from switch.guard.source import DATAGRAMS
from switch.ids import LegId, RecordingId
from switch.journal.times import Times
from switch.journal.writer import Journal
from switch.presence.service import Presence
from switch.registrar.location import Location
from switch.sip.session_record import flow_record

_FIGURES_EVERY_S: Final = 1.0
"""The day's counters change with every call; to lose a second of them is no harm."""
_RINGING: Final = "ringing"
_WITHOUT_HURRY: Final = (LegRinging, LegMeasured, RecordingClosed)
"""What may be lost with the process: it is written with the next news, or soon."""
_SOON_S: Final = 0.02


class CallJournal:
    """What is to be written of everything that lives."""

    def __init__(
        self,
        *,
        journal: Journal,
        times: Times,
        legs: Adoption,
        contacts: Contacts,
        adoption: ContactAdoption,
        call_backs: CallBacks,
        attempts: AttemptAdoption,
        translator: Translator,
        location: Location,
        presence: Presence,
        secrets: PhoneCredentials,
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        """`wake` asks for a turn soon, at whose end `commit` is called."""
        self.file = journal
        self._wall = times.wall
        self._legs = legs
        self._contacts = contacts
        self._adoption = adoption
        self._call_backs = call_backs
        call_backs.on_change = lambda contact: self.changed(Kind.CALL_BACK, contact)
        self._attempts = attempts
        attempts.keep(
            attempt=lambda name: self.changed(Kind.ATTEMPT, name),
            run=lambda name: self.changed(Kind.CAMPAIGN, name),
        )
        self._changed_attempts: set[str] = set()
        self._changed_runs: set[str] = set()
        self._translator = translator
        self._location = location
        self._presence = presence
        subscriptions = presence.notifier.subscriptions
        subscriptions.on_record = lambda id: self.changed(Kind.SUBSCRIPTION, id)
        presence.publications.on_record = lambda tag: self.changed(Kind.PUBLICATION, tag)
        presence.states.on_mailbox = lambda phone: self.changed(Kind.MAILBOX, phone)
        self._secrets = secrets
        self._wake = wake
        self._clock = clock
        self._now = clock.now
        self._invites: set[LegId] = set()
        self._changed_contacts: set[str] = set()
        translator.on_forget = self._changed_contacts.add
        self._changed_agents: set[str] = set()
        self._changed_days: set[str] = set()
        self._days_written_at = 0.0
        self._is_due = False
        self._is_soon = False
        """Something without hurry is to be written."""
        self._waits = False
        """The timer for it runs; other news may write it before."""
        self.seconds = 0.0
        """Spent in `commit` since the start."""
        self.takes: Takes = everything(self._call_event)
        """What the calls report: a contact may have noted it without telling anybody."""

    # --- being told -----------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Something public happened."""
        match event.type:
            case EventType.AGENT_STATE_CHANGED:
                self._changed_agents.add(event.agent_id or "")
                if isinstance(event.data, AgentView) and event.data.state == _RINGING:
                    return  # it rings on without us: written with the next news
            case EventType.AGENT_FIGURES:
                self._changed_agents.add(event.agent_id or "")
                return
            case EventType.QUEUE_CHANGED:
                self._changed_days.add(event.queue or "")
                return
            case EventType.SCREEN_POP:
                if event.agent_id is not None and isinstance(event.data, ScreenPop):
                    self.file.put(Kind.POP, event.agent_id, event.data)
            case EventType.CALL_BACK:
                name = event.interaction_id or ""
                record = self._call_backs.record(ContactId(name), self._wall)
                self._put(Kind.CALL_BACK, name, record)
            case EventType.SOURCE_BANNED:
                if isinstance(event.data, BanView):
                    ban = event.data
                    record_ = BanRecord(ban.reason, ban.since, ban.until, ban.times)
                    self.file.put(Kind.BAN, _ban_key(ban), record_)
            case EventType.SOURCE_UNBANNED:
                if isinstance(event.data, BanView):
                    self.file.delete(Kind.BAN, _ban_key(event.data))
            case EventType.DELIVERED:
                self._changed_contacts.add(event.interaction_id or "")
                return
            case _:
                if event.interaction_id is None:
                    return
                self._changed_contacts.add(event.interaction_id)
        if not self._is_due:
            self._due()

    def _call_event(self, event: CallEvent) -> None:
        leg = getattr(event, "leg", None)
        contact = None if leg is None else self._contacts.of_leg(leg)
        if contact is not None:
            self._changed_contacts.add(contact.id)
        if isinstance(event, GatewayChanged):
            self._music()
            if event.is_up:
                self.file.put(Kind.NODE, gateway_key(event.gateway), event.detail)
        if not (self._is_due or isinstance(event, _WITHOUT_HURRY)):
            self._due()

    def changed(self, kind: Kind, key: str) -> None:
        """Look at this one again at the end of the turn."""
        match kind:
            case Kind.LEG:
                self._legs.changes.legs.add(LegId(key))
            case Kind.CAPTURE:
                self._legs.changes.recordings.add(RecordingId(key))
            case Kind.CONTACT | Kind.INTERACTION:
                self._changed_contacts.add(key)
            case Kind.AGENT:
                self._changed_agents.add(key)
            case Kind.QUEUE_DAY:
                self._changed_days.add(key)
            case Kind.PHONE:
                self._location.changed.add(key)
            case Kind.SECRET:
                self._secrets.changed.add(key)
            case Kind.INVITE:
                self._invites.add(LegId(key))
                self._legs.changes.legs.add(LegId(key))  # it goes when its leg is gone
            case Kind.CALL_BACK:
                record = self._call_backs.record(ContactId(key), self._wall)
                self._put(Kind.CALL_BACK, key, record)
            case Kind.ATTEMPT:
                self._changed_attempts.add(key)
            case Kind.CAMPAIGN:
                self._changed_runs.add(key)
            case Kind.SUBSCRIPTION:
                self._put(kind, key, self._presence.notifier.record(key, self._wall))
            case Kind.PUBLICATION:
                self._put(kind, key, self._presence.publications.record(key, self._wall))
            case Kind.MAILBOX:
                self._put(kind, key, self._presence.states.mailboxes().get(key))
            case Kind.POP | Kind.NODE | Kind.BAN:
                pass
        self._due()

    def new_day(self, date: str) -> None:
        """The figures are those of this day."""
        self.file.put(Kind.NODE, NodeKey.DATE, date)
        self._due()

    def drained(self, gateways: Sequence[str]) -> None:
        """These gateways take no new calls."""
        self.file.put(Kind.NODE, NodeKey.DRAINING, "\n".join(gateways))
        self._due()

    # --- writing --------------------------------------------------------------------------------

    def commit(self) -> None:
        """Write what changed; called at the end of each turn, before anything is sent."""
        changes = self._legs.changes
        if not (self._is_due or changes.legs or self._location.changed):
            if changes.confirmed or changes.recordings:
                self._is_soon = True
                if not self._waits:
                    self._waits = True
                    self._clock.call_at(self._now() + _SOON_S, self._waited)
            return
        began = self._now()
        self._is_due = self._is_soon = False
        self._invites -= changes.invites
        changes.invites.clear()
        for leg in changes.legs:
            self._leg(leg)
        changes.legs.clear()
        for leg in changes.confirmed & self._invites:
            self._invites.discard(leg)
            self.file.delete(Kind.INVITE, leg)
        changes.confirmed.clear()
        for recording in changes.recordings:
            self._put(Kind.CAPTURE, recording, self._legs.capture(recording, self._wall))
        changes.recordings.clear()
        for contact in self._changed_contacts:
            self._contact(contact)
        self._changed_contacts.clear()
        for attempt in self._changed_attempts:
            described = self._attempts.attempt(AttemptId(attempt), self._wall)
            self._put(Kind.ATTEMPT, attempt, described)
        self._changed_attempts.clear()
        for run in self._changed_runs:
            self._put(Kind.CAMPAIGN, run, self._attempts.run(CampaignName(run), self._wall))
        self._changed_runs.clear()
        for agent in self._changed_agents:
            self._agent(agent)
        self._changed_agents.clear()
        if self._changed_days and began - self._days_written_at >= _FIGURES_EVERY_S:
            self._days(began)
        if self._location.changed:
            self._phones(began)
        if self._secrets.changed:
            self._secrets_of_desks()
        self.file.commit()
        self.seconds += self._now() - began

    def close(self) -> None:
        """Write the last and close the file."""
        self.commit()
        self._days(self._now())
        self.file.close()

    def abandon(self) -> None:
        """Close the file as it is: nothing that this process decided counts."""
        self.file.abandon()

    def _waited(self) -> None:
        self._waits = False
        if self._is_soon:
            self._due()

    def _due(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._wake()

    def _put(self, kind: Kind, key: str, value: object | None) -> None:
        if value is None:
            self.file.delete(kind, key)
        else:
            self.file.put(kind, key, value)

    def _leg(self, leg: LegId) -> None:
        record = self._legs.record(leg, self._wall)
        is_pending = record is not None and record.session.needs_invite
        if is_pending and leg not in self._invites:
            self._invites.add(leg)
            self._put(Kind.INVITE, leg, self._legs.invite(leg))
        elif leg in self._invites and not is_pending:
            self._invites.discard(leg)
            self.file.delete(Kind.INVITE, leg)
        self._put(Kind.LEG, leg, record)

    def _contact(self, name: str) -> None:
        self._put(Kind.CONTACT, name, self._adoption.contact(ContactId(name), self._wall))
        self._put(Kind.INTERACTION, name, self._translator.interaction(name))

    def _agent(self, name: str) -> None:
        self._put(Kind.AGENT, name, self._adoption.agent(AgentId(name), self._wall))

    def _days(self, now: float) -> None:
        for queue in self._changed_days:
            self._put(Kind.QUEUE_DAY, queue, self._adoption.day(QueueName(queue)))
        self._changed_days.clear()
        self._days_written_at = now

    def _phones(self, now: float) -> None:
        for phone in self._location.changed:
            bindings = [
                BindingRecord(
                    binding.contact_uri,
                    flow_record(binding.flow),
                    self._wall(binding.expires_at),
                    self._wall(binding.refreshed_at),
                    binding.q,
                    binding.call_id,
                    binding.cseq,
                    binding.user_agent,
                    binding.path,
                    binding.instance,
                    binding.reg_id,
                )
                for binding in self._location.bindings(phone, now)
                if not binding.static and not binding.flow.connection
            ]
            self._put(Kind.PHONE, phone, bindings or None)
        self._location.changed.clear()

    def _secrets_of_desks(self) -> None:
        for number in self._secrets.changed:
            self._put(Kind.SECRET, number, list(self._secrets.of_desks(number)) or None)
        self._secrets.changed.clear()

    def _music(self) -> None:
        player = self._legs.music_player
        if player is not None:
            self.file.put(Kind.NODE, NodeKey.MUSIC, player)


def _ban_key(ban: BanView) -> str:
    """The source as the guard names it."""
    return ban.source + DATAGRAMS if ban.datagrams_only else ban.source
