"""A start after a start: what an earlier call agent left in its journal is taken up.

    read       the file, as far as it can be read
    restore    legs, contacts, agents, phones, views: nothing is sent, nobody is told
    (the gateway connects, and what it does not have any more ends: `switch.calls.gateway_inputs`)
    resume     everybody goes on

The order matters: the gateway reports what happened meanwhile as soon as it is connected, so whom it
concerns must be there; and nobody can be called before it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from acd.adoption import LOST, ContactAdoption
from acd.call_back import CallBacks
from acd.contact_events import ContactFinished, ContactResult
from acd.contacts import Contacts
from acd.core import Acd
from acd.dialer.dialer import Dialer
from acd.dialer.model import AttemptId, CampaignName
from acd.dialer.records import AttemptRecord, RunRecord
from acd.model import AgentId, ContactId, QueueName
from acd.records import AgentRecord, CallBackRecord, ContactRecord, DayRecord
from cti.bans import Bans
from cti.counted import counted
from cti.floor import Floor
from cti.history import HistoryProjection
from cti.journal import CallJournal
from cti.journal_records import VERSION, BanRecord, BindingRecord, Kind, NodeKey, gateways_of
from cti.live import LiveInteraction
from cti.pops import PopService
from cti.recording_paths import RecordingPaths
from cti.schema import ScreenPop
from cti.switching import Switching
from cti.translate import Translator
from switch.calls.leg import Leg
from switch.calls.records import CaptureRecord, LegRecord
from switch.guard.offences import Offence
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.journal.format import UNDECODABLE, Header, Reading, read
from switch.journal.times import Times
from switch.presence.publications import Publication
from switch.presence.records import SubscriptionRecord
from switch.presence.states import Mailbox
from switch.registrar.location import Binding
from switch.sip.session_record import flow_of

log = logging.getLogger(__name__)

FILE: Final = "calls.journal"
"""In the data folder."""

_TO_END: Final = frozenset({Kind.LEG, Kind.INVITE, Kind.CAPTURE, Kind.INTERACTION, Kind.NODE})
"""What is taken of another version's journal: enough to hang up, to close recordings, and for history
to have an end."""

T = TypeVar("T")


def read_journal(path: Path) -> Reading:
    """Read what an earlier process left; tells what cannot be used. Never raises."""
    try:
        found = read(path)
    except OSError as error:
        log.error("the journal of calls %s cannot be read: %s", path, error)
        return Reading()
    for fault in found.faults:
        log.warning("the journal of calls %s: %s", path, fault)
    if found.header is not None and found.header.version != VERSION:
        kinds = [kind for kind, _ in found.entries]
        log.error(
            "the journal of calls %s is of version %d, not %d: %d legs of calls are ended, %d contacts"
            " and the bindings of %d phones are given up; who is on a call whose record cannot be read"
            " hears silence and has to hang up",
            path,
            found.header.version,
            VERSION,
            kinds.count(Kind.LEG),
            kinds.count(Kind.CONTACT),
            kinds.count(Kind.PHONE),
        )
        found.entries = {key: entry for key, entry in found.entries.items() if key[0] in _TO_END}
    return found


class TakeOver:
    """Takes up what a journal holds, once."""

    def __init__(
        self,
        reading: Reading,
        *,
        times: Times,
        switching: Switching,
        acd: Acd,
        contacts: Contacts,
        adoption: ContactAdoption,
        call_backs: CallBacks,
        dialer: Dialer,
        bans: Bans,
        floor: Floor,
        translator: Translator,
        pops: PopService,
        history: HistoryProjection,
        recording_paths: RecordingPaths,
        journal: CallJournal,
        agents: Callable[[str], AgentId | None],
        today: date,
        now: Callable[[], float],
    ) -> None:
        """`agents` gives the agent who uses a phone; `now` monotonic seconds."""
        self._now = now
        self._reading = reading
        self._is_foreign = reading.header is not None and reading.header.version != VERSION
        self._mono = times.mono
        self._switching = switching
        self._calls = switching.calls
        self._acd = acd
        self._contacts = contacts
        self._adoption = adoption
        self._call_backs = call_backs
        self._dialer = dialer
        self._bans = bans
        self._floor = floor
        self._translator = translator
        self._pops = pops
        self._history = history
        self._recording_paths = recording_paths
        self._journal = journal
        self._agent_of = agents
        self._today = today
        self._phones: set[str] = set()
        self._said_reachable: set[str] = set()
        self._stranded: list[LiveInteraction] = []
        self._taken_up: tuple[Leg, ...] = ()
        self.desks: tuple[str, ...] = ()
        """The agents who had a desk: it may come back within the grace period."""

    @property
    def is_needed(self) -> bool:
        """Whether there are calls to be taken up."""
        return any(kind == Kind.LEG for kind, _ in self._reading.entries)

    def restore(self) -> None:
        """Take everything up, before the gateway is there."""
        if not self._is_foreign:
            self._restore()
            return
        try:
            self._restore()
        except Exception:  # records that look like ours and are not: no reason not to start
            log.exception("the calls of another version could not all be made out")
            self._taken_up = tuple(self._calls.legs)

    def _restore(self) -> None:
        node = self._values(Kind.NODE, str)
        legs = self._values(Kind.LEG, LegRecord)
        captures = self._values(Kind.CAPTURE, CaptureRecord)
        music = node.get(NodeKey.MUSIC)
        adoption = self._calls.adoption
        faults = adoption.restore(
            {LegId(key): leg for key, leg in legs.items()},
            {LegId(key): data for key, data in self._values(Kind.INVITE, bytes).items()},
            {RecordingId(key): capture for key, capture in captures.items()},
            None if music is None else PlayerId(music),
            self._mono,
            gateways_of(node),
        )
        self._restore_drains(node.get(NodeKey.DRAINING, ""))
        agents = self._values(Kind.AGENT, AgentRecord)
        contacts = self._values(Kind.CONTACT, ContactRecord)
        faults += self._adoption.restore(
            {ContactId(key): contact for key, contact in contacts.items()},
            {AgentId(key): agent for key, agent in agents.items()},
            {QueueName(key): day for key, day in self._values(Kind.QUEUE_DAY, DayRecord).items()},
            self._mono,
            lives=lambda leg: self._calls.legs.get(leg) is not None,
            same_day=node.get(NodeKey.DATE) == self._today.isoformat(),
        )
        call_backs = self._values(Kind.CALL_BACK, CallBackRecord)
        faults += self._call_backs.restore(
            {ContactId(key): record for key, record in call_backs.items()},
            self._mono,
            lives=lambda leg: self._calls.legs.get(leg) is not None,
        )
        runs, attempts = (
            self._values(Kind.CAMPAIGN, RunRecord),
            self._values(Kind.ATTEMPT, AttemptRecord),
        )
        faults += self._dialer.adoption.restore(
            {CampaignName(key): run for key, run in runs.items()},
            {AttemptId(key): attempt for key, attempt in attempts.items()},
            self._mono,
            lives=lambda leg: self._calls.legs.get(leg) is not None,
        )
        self._taken_up = tuple(self._calls.legs)
        for fault in faults:
            log.warning("not taken up: %s", fault)
        for player, leg in self._adoption.playing():
            adoption.play_on(player, leg)
        engaged = ((leg.id, self._agent_of(leg.phone or "")) for leg in self._calls.legs)
        self._adoption.engage((leg, agent) for leg, agent in engaged if agent is not None)
        self._restore_phones(agents)
        self._restore_bans()
        self._restore_presence()
        self._restore_views(agents, contacts, captures)
        self._mark_all()
        self._journal.new_day(self._today.isoformat())

    def resume(self) -> None:
        """Let everybody go on. The gateway is there, and the SIP sockets are open."""
        self._calls.go_on()
        # Some registered over a connection that is gone, or too long ago.
        for phone in sorted(self._phones | self._said_reachable):
            is_reachable = self._calls.is_reachable(phone)
            if is_reachable != (phone in self._said_reachable):
                self._calls.phone_changed(phone, is_reachable)
        if self._is_foreign:
            for key in self._reading.values(Kind.CAPTURE):
                self._calls.stop_recording(RecordingId(key))
        for leg in self._taken_up:  # not those that began meanwhile: a call-back is no contact yet
            belongs = not self._is_foreign and (
                self._adoption.owns(leg.id)
                or self._calls.adoption.is_direct(leg.id)
                or self._call_backs.is_dialling(leg.id)
                or self._dialer.is_mine(leg.id)
            )
            if not belongs:
                self._calls.hang_up(leg.id, LOST)
        self._adoption.resume()
        self._dialer.adoption.resume()
        for live in self._stranded:
            self._end(live)
        if self.is_needed:
            taken = counted(self._calls.calls_alive, "call")
            log.info("took up %s of an earlier process", taken)

    # --- inside ---------------------------------------------------------------------------------

    def _values(self, kind: Kind, type: type[T]) -> dict[str, T]:
        """The readable records of a kind."""
        found = {}
        decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(type)
        for key, data in self._reading.values(kind).items():
            try:
                found[key] = decoder.decode(data)
            except UNDECODABLE as error:
                log.warning("not taken up: %s %s: %s", kind.value, key, error)
        return found

    def _restore_drains(self, names: str) -> None:
        registry = self._switching.gateways.registry
        for name in names.splitlines():
            if name in registry:
                registry[name].is_draining = True
                log.warning("media gateway %s is drained: it takes no new calls", name)

    def _restore_phones(self, agents: dict[str, AgentRecord]) -> None:
        credentials, location = self._switching.credentials, self._switching.location
        for number, secrets in self._values(Kind.SECRET, list[str]).items():
            credentials.restore(number, secrets)
        for phone, bindings in self._values(Kind.PHONE, list[BindingRecord]).items():
            self._phones.add(phone)
            for binding in bindings:
                if not credentials.knows(phone):
                    continue
                try:
                    restored = _binding(binding, self._mono)
                    location.restore(phone, restored)
                except ValueError as error:
                    log.warning("not taken up: a binding of phone %s: %s", phone, error)
                else:  # its address proved a password to the earlier process
                    self._switching.guard.accept(restored.flow.remote[0], self._now())
        self._said_reachable = {name for name, agent in agents.items() if agent.reachable}

    def _restore_bans(self) -> None:
        for source, ban in self._values(Kind.BAN, BanRecord).items():
            try:
                reason = Offence(ban.reason)
            except ValueError:
                continue  # of another version: its source may come in again
            since, until = self._mono(ban.since), self._mono(ban.until)
            if not self._bans.restore(source, reason, since, until, ban.times):
                self._journal.file.delete(Kind.BAN, source)

    def _restore_presence(self) -> None:
        presence = self._switching.presence
        for id, subscription in self._values(Kind.SUBSCRIPTION, SubscriptionRecord).items():
            try:
                presence.notifier.restore(id, subscription, self._mono)
            except ValueError as error:
                log.warning("not taken up: subscription %s: %s", id, error)
        for tag, publication in self._values(Kind.PUBLICATION, Publication).items():
            presence.publications.restore(tag, publication, self._mono)
        for phone, mailbox in self._values(Kind.MAILBOX, Mailbox).items():
            presence.states.set_mailbox(phone, mailbox)

    def _restore_views(
        self,
        agents: dict[str, AgentRecord],
        contacts: dict[str, ContactRecord],
        captures: dict[str, CaptureRecord],
    ) -> None:
        for name in agents:
            if name in self._floor.agent_ids:
                self._translator.agents.restore(self._acd.agent(AgentId(name)))
        known = self._floor.agent_ids
        self.desks = tuple(name for name, kept in agents.items() if kept.desk and name in known)
        self._floor.restore_desks(self.desks)
        began = {key: capture.began for key, capture in captures.items()}
        recording_of = {capture.call: key for key, capture in captures.items()}
        for key, live in self._values(Kind.INTERACTION, LiveInteraction).items():
            contact = contacts.get(key)
            if contact is None and not self._is_wrapped_up(live):
                if not live.finished:
                    self._stranded.append(live)
                else:
                    continue
            recording = recording_of.get(live.call_id) if contact is None else contact.recording
            self._translator.restore(live, recording)
            self._history.restore(live.view(), recording, began.get(recording or "", live.started))
        for key, capture in captures.items():
            self._recording_paths.restore(RecordingId(key), capture.path)
        for agent, pop in self._values(Kind.POP, ScreenPop).items():
            self._pops.restore(agent, pop)

    def _is_wrapped_up(self, live: LiveInteraction) -> bool:
        """Whether it is over, and its agent still works on it."""
        if not live.finished or live.agent_id is None:
            return False
        if live.agent_id not in self._floor.agent_ids:
            return False
        return self._acd.agent(AgentId(live.agent_id)).contact == live.id

    def _end(self, live: LiveInteraction) -> None:
        """Nothing is left of its contact: history shall have its end."""
        log.warning("interaction %s could not be taken up: its contact is gone", live.id)
        self._translator.report(
            ContactFinished(
                contact=ContactId(live.id),
                call=CallId(live.call_id),
                customer_leg=LegId(""),
                at=self._now(),
                result=ContactResult.FAILED,
                reason=LOST.reason,
                waited_s=0.0,
                talked_s=0.0,
                held_s=0.0,
                queue=None if live.queue is None else QueueName(live.queue),
                agent=None if live.agent_id is None else AgentId(live.agent_id),
            )
        )

    def _mark_all(self) -> None:
        """Everything that was in the journal is looked at again: what is gone leaves it."""
        for kind, key in self._reading.entries:
            try:
                self._journal.changed(Kind(kind), key)
            except ValueError:
                self._journal.file.delete(kind, key)


def make_times(reading: Reading, now: float, wall: float, boot: str) -> tuple[Times, Header]:
    """The clock of the records, and the header that says so."""
    times = Times(now=now, wall=wall, boot=boot, before=reading.header)
    return times, Header(VERSION, boot, times.offset)


def _binding(record: BindingRecord, mono: Callable[[float], float]) -> Binding:
    return Binding(
        contact_uri=record.contact_uri,
        flow=flow_of(record.flow),
        expires_at=mono(record.expires_at),
        refreshed_at=mono(record.refreshed_at),
        q=record.q,
        call_id=record.call_id,
        cseq=record.cseq,
        user_agent=record.user_agent,
        path=record.path,
        instance=record.instance,
        reg_id=record.reg_id,
    )
