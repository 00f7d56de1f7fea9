"""Callers in a flow: menus, and what becomes of them when the flow has decided."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactResult, FlowMoved
from acd.contacts import Contacts
from acd.model import AgentId, QueueName, SkillNeed
from acd.ports import NoRoute, Routes, ToPhone, ToTrunk
from acd.waiting_room import WaitingRoom
from ivr.events import FlowStepped
from ivr.flow import Flow
from ivr.outcomes import CallerGone, HangUp, Outcome, ToNumber, ToQueue
from ivr.records import RunRecord
from ivr.runner import CallerFacts, FlowRun
from switch.calls.causes import EndCause, Result
from switch.calls.ports import CallControl
from switch.clock import Clock

log = logging.getLogger(__name__)

TRANSFER_RING_S: Final = 30.0
"""How long the target of a flow's transfer rings."""


class Enqueue(Protocol):
    """Puts a caller into a queue."""

    def __call__(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        skills: tuple[SkillNeed, ...] = (),
    ) -> None: ...


class SelfService:
    """Runs the flows of all contacts in the menu stage."""

    def __init__(
        self,
        *,
        control: CallControl,
        clock: Clock,
        contacts: Contacts,
        waiting_room: WaitingRoom,
        routes: Routes,
        agents: Mapping[str, AgentId],
        enqueue: Enqueue,
        report: Callable[[ContactEvent], None],
    ) -> None:
        """`agents` maps a phone's number to the agent who uses it."""
        self._control = control
        self._clock = clock
        self._contacts = contacts
        self._waiting_room = waiting_room
        self._routes = routes
        self._agents = agents
        self._enqueue = enqueue
        self._report = report

    def start(self, contact: Contact, flow: Flow) -> None:
        """Run a flow on the caller's leg; what it decides is carried out."""
        contact.flow = self._run(contact, flow)
        contact.flow.start(answered=contact.customer_answered)

    def resume(self, contact: Contact, flow: Flow | None, record: RunRecord) -> None:
        """Run the flow on from the node in which an earlier process left the caller."""
        if flow is None:
            log.error("contact %s was in flow %s, which is gone", contact.id, record.flow)
            cause = EndCause(Result.FAILED, "flow-gone", 500)
            self._contacts.finish(contact, ContactResult.FAILED, "flow-gone", hang_up=cause)
            return
        contact.flow = self._run(contact, flow)
        contact.flow.resume(record, answered=contact.customer_answered)

    def _run(self, contact: Contact, flow: Flow) -> FlowRun:
        def stepped(step: FlowStepped) -> None:
            self._report(
                FlowMoved(
                    contact=contact.id,
                    at=step.at,
                    flow=step.flow,
                    node=step.node,
                    verb=step.verb,
                    detail=step.detail,
                )
            )

        return FlowRun(
            flow,
            leg=contact.customer_leg,
            voice=self._control,
            clock=self._clock,
            facts=CallerFacts(
                caller=contact.caller_number, called=contact.called, language=contact.language
            ),
            on_outcome=lambda outcome: self._ended(contact, outcome),
            on_event=stepped,
        )

    def _ended(self, contact: Contact, outcome: Outcome) -> None:
        contact.flow = None
        if contact.stage is not Stage.MENU:
            return
        match outcome:
            case ToQueue():
                contact.facts = outcome.facts
                contact.language = outcome.language
                needs = tuple(
                    SkillNeed(skill=name, level=level) for name, level in outcome.skills.items()
                )
                self._enqueue(
                    contact, QueueName(outcome.queue), priority=outcome.priority, skills=needs
                )
            case ToNumber():
                contact.facts = outcome.facts
                self._transfer(contact, outcome.number)
            case HangUp():
                cause = EndCause(Result.COMPLETED, outcome.reason)
                self._contacts.finish(contact, ContactResult.MENU, outcome.reason, hang_up=cause)
            case CallerGone():
                pass  # `Inbound` knows why

    def _transfer(self, contact: Contact, number: str) -> None:
        contact.stage = Stage.DIRECT
        contact.queued_at = self._clock.now()
        destination = self._routes.destination(None, number)
        match destination:
            case ToPhone(phone=phone):
                leg = self._control.call_phone(
                    phone,
                    call=contact.call,
                    caller_number=contact.caller_number,
                    caller_name=contact.caller_name,
                    ring_timeout_s=TRANSFER_RING_S,
                    headers={"X-Interaction-Id": contact.id},
                )
                if not contact.customer_answered:
                    self._control.ring(contact.customer_leg)
                contact.agent = self._agents.get(phone)  # who answers is credited, and may hold it
                contact.agent_leg = leg
                self._contacts.bind(leg, contact)
                self._waiting_room.enter(contact)
            case ToTrunk() | NoRoute():
                log.warning(
                    "flow of %s transfers to %s, which flows may not reach", contact.id, number
                )
                cause = EndCause(Result.UNREACHABLE, "transfer-failed", 404)
                self._contacts.finish(
                    contact, ContactResult.FAILED, "transfer-failed", hang_up=cause
                )
