"""From the inner vocabularies to the public one.

Takes what the switch, the contacts and the distribution report, keeps the live views that
snapshots show, and publishes the events of `cti.schema`. Inner words may change without breaking a
desk; this file is where they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from acd.call_back_events import CallBackMoved
from acd.contact_events import (
    ContactAnnounced,
    ContactConnected,
    ContactEvent,
    ContactFinished,
    ContactHeld,
    ContactMuted,
    ContactParked,
    ContactParty,
    ContactRecorded,
    ContactRinging,
    ContactStarted,
    ContactTransferred,
    FlowMoved,
)
from acd.events import (
    AcdEvent,
    AgentFigures,
    AgentStateChanged,
    ContactAnswered,
    ContactEnded,
    ContactHanded,
    ContactLeft,
    ContactOffered,
    ContactQueued,
    OfferEnded,
    QueueChanged,
)
from acd.model import AgentState
from cti.agent_views import AgentViews
from cti.bus import Bus
from cti.live import LiveInteraction
from cti.schema import (
    Announced,
    CustomerCard,
    CustomerLinked,
    Diverted,
    EventData,
    EventType,
    FlowStep,
    InteractionView,
    ParkedView,
    QueueView,
    RecordingView,
)
from cti.translate_parties import parked, party_changed, transferred
from cti.translate_views import (
    call_back,
    cleared,
    emergency_view,
    gateway_view,
    offered,
    queue_view,
    recording_view,
    refused_view,
)
from switch.calls.events import (
    CallRefused,
    EmergencyCalled,
    GatewayChanged,
    LegQualityChanged,
    RecordingClosed,
)
from switch.calls.fan_out import Takes

_FORGET_RECORDINGS_AFTER = _FORGET_ENDED_AFTER = 10_000


class Translator:
    """Publishes the public events and holds the views of what is live."""

    def __init__(
        self,
        *,
        bus: Bus,
        wall_of: Callable[[float], float],
        agents: AgentViews,
        queue_titles: Mapping[str, str],
        shows_supervisors: bool = False,
    ) -> None:
        """`wall_of` turns monotonic seconds into seconds since the epoch.

        `shows_supervisors`: agents see who attends their talk.
        """
        self._shows_supervisors = shows_supervisors
        self._bus = bus
        self._wall_of = wall_of
        self.agents = agents
        self._queue_titles = queue_titles
        self._queues: dict[str, QueueView] = {
            name: QueueView(queue=name, title=title) for name, title in queue_titles.items()
        }
        self._live: dict[str, LiveInteraction] = {}
        self._ended: dict[str, str] = {}
        """The agents of the last interactions that are over; the store may not have them yet."""
        self._recorded: dict[str, str] = {}
        self.on_forget: Callable[[str], None] = lambda interaction: None
        """Told of each interaction that is over, with its wrap-up."""
        self.gateway_available = False
        self.takes: Takes = {
            GatewayChanged: self._gateway_changed,
            RecordingClosed: self.recording_closed,
            LegQualityChanged: self._quality_changed,
            CallRefused: self._call_refused,
            EmergencyCalled: self._emergency_called,
        }
        """What the switch reports and contacts do not: those tell of legs in their own words."""

    # --- views ----------------------------------------------------------------------------------

    def queues(self) -> tuple[QueueView, ...]:
        """All queues, in the order of the configuration."""
        return tuple(self._queues.values())

    def interaction(self, interaction_id: str) -> LiveInteraction | None:
        """A live interaction, wrap-up included."""
        return self._live.get(interaction_id)

    def agent_of_ended(self, interaction_id: str) -> str | None:
        """The agent of an interaction that ended lately; None: it had none, or it is long over."""
        return self._ended.get(interaction_id)

    def interactions(self) -> tuple[InteractionView, ...]:
        """All live interactions, oldest first."""
        return tuple(live.view() for live in self._live.values())

    def parked(self) -> tuple[ParkedView, ...]:
        """The parking places that are taken."""
        return tuple(live.parked for live in self._live.values() if live.parked is not None)

    def restore(self, live: LiveInteraction, recording: str | None) -> None:
        """Take up an interaction of an earlier process; nothing is published."""
        self._live[live.id] = live
        if recording is not None:
            self._remember_recording(recording, live.id)

    # --- publishing -----------------------------------------------------------------------------

    def _publish(
        self, type: EventType, data: EventData, live: LiveInteraction | None, at: float
    ) -> None:
        if live is None:
            self._bus.publish(type, data, at=at)
            return
        self._bus.publish(
            type,
            data,
            interaction_id=live.id,
            call_id=live.call_id,
            queue=live.queue,
            agent_id=live.agent_id,
            customer_id=live.customer_id,
            at=at,
        )

    def report(self, event: AcdEvent | ContactEvent | CallBackMoved) -> None:
        """Take what contacts and distribution report."""
        at = self._wall_of(event.at)
        match event:
            case AgentStateChanged():
                self._agent_changed(event)
            case QueueChanged():
                self._queue_changed(event, at)
            case AgentFigures():
                self.agents.figures_changed(event)
            case ContactStarted():
                self._started(event, at)
            case CallBackMoved():
                self._called_back(event, at)
            case _:
                live = self._live.get(event.contact)
                if live is not None:
                    self._course(event, live, at)

    def _course(
        self,
        event: ContactQueued
        | ContactOffered
        | OfferEnded
        | ContactAnswered
        | ContactLeft
        | ContactEnded
        | ContactHanded
        | ContactRinging
        | ContactHeld
        | ContactMuted
        | ContactAnnounced
        | FlowMoved
        | ContactRecorded
        | ContactConnected
        | ContactParty
        | ContactParked
        | ContactTransferred
        | ContactFinished,
        live: LiveInteraction,
        at: float,
    ) -> None:
        match event:
            case FlowMoved():
                step = FlowStep(
                    flow=event.flow, node=event.node, verb=event.verb, detail=event.detail
                )
                self._publish(EventType.FLOW_STEP, step, live, at)
            case ContactQueued():
                live.queue = event.queue
                live.agent_id = None
                live.enter("waiting", at)
                self._publish(EventType.QUEUED, live.view(), live, at)
            case ContactOffered():
                live.agent_id = event.agent
                live.enter("offered", at)
                self._publish(EventType.OFFERED, offered(live, event.decision), live, at)
            case ContactRinging():
                self._publish(EventType.DELIVERED, live.view(), live, at)
            case OfferEnded():
                live.agent_id = event.agent  # the agent whose offer failed sees that it did
                diverted = Diverted(failure=event.failure, rang_s=event.rang_s)
                self._publish(EventType.DIVERTED, diverted, live, at)
                live.agent_id = None
                live.enter("waiting", at)
            case ContactAnswered():
                live.answered = at
                live.agent_first = False
                live.enter("talking", at)
                self._publish(EventType.ESTABLISHED, live.view(), live, at)
            case ContactConnected():
                live.agent_id = event.agent
                live.answered = at
                live.enter("direct", at)
                self._publish(EventType.ESTABLISHED, live.view(), live, at)
            case ContactHeld():
                talking = "direct" if live.queue is None else "talking"
                live.enter("held" if event.held else talking, at)
                kind = EventType.HELD if event.held else EventType.RETRIEVED
                self._publish(kind, live.view(), live, at)
            case ContactMuted():
                live.muted = event.muted
                self._publish(EventType.MICROPHONE_MUTE, live.view(), live, at)
            case ContactAnnounced():
                announced = Announced(position=event.position, wait_s=event.wait_s)
                self._publish(EventType.ANNOUNCED, announced, live, at)
            case ContactRecorded():
                live.recorded, live.recording_failed = True, False
                self._remember_recording(event.recording, live.id)
                view = RecordingView(recording_id=event.recording)
                self._publish(EventType.RECORDING_STARTED, view, live, at)
            case ContactParty():
                name, visible = self._name_of(event.agent), self._shows_supervisors
                party_changed(event, live, at, self._publish, visible=visible, name=name)
            case ContactParked():
                by_name, since = self._name_of(event.by), self._wall_of(event.since)
                parked(event, live, since, by_name, self._publish, at)
            case ContactTransferred():
                transferred(event, live, at, self._publish)
            case ContactFinished():
                self._finished(event, live, at)
            case ContactLeft() | ContactEnded() | ContactHanded():
                pass  # ContactFinished and ContactTransferred say the same and more
            case _:
                assert_never(event)

    def _started(self, event: ContactStarted, at: float) -> None:
        live = LiveInteraction(
            id=event.contact,
            call_id=event.call,
            channel="voice",
            stage="direct" if event.outbound else "menu",
            since=at,
            started=at,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            called=event.called,
            outbound=event.outbound,
            agent_id=event.agent,
            call_back_of=event.call_back_of,
            verstat=event.verstat,
            attestation=event.attestation,
            campaign=event.campaign,
            agent_first=event.agent_first,
        )
        self._live[live.id] = live
        self._publish(EventType.INTERACTION_STARTED, live.view(), live, at)

    def _called_back(self, event: CallBackMoved, at: float) -> None:
        """Belongs to the interaction that was cut off, which is over by now."""
        view = call_back(event, self._wall_of)
        self._bus.publish(
            EventType.CALL_BACK, view, interaction_id=event.contact, queue=event.queue, at=at
        )

    def _finished(self, event: ContactFinished, live: LiveInteraction, at: float) -> None:
        ended = cleared(event)
        live.finished = True
        agent = self.agents.get(live.agent_id)
        # The wrap-up of this contact, that is: an agent may dial during the wrap-up of another.
        wrapping = (
            agent is not None
            and agent.state == AgentState.WRAP_UP
            and agent.interaction_id == live.id
        )
        in_vain = live.outbound and event.talked_s == 0  # who dialled wants to know why
        if event.talked_s > 0 or wrapping or in_vain:
            live.enter("wrap-up", at)
            self._publish(EventType.CONNECTION_CLEARED, ended, live, at)
        self._publish(EventType.INTERACTION_ENDED, ended, live, at)
        if not wrapping:
            self._forget(live)

    # --- agents and queues ----------------------------------------------------------------------

    def _name_of(self, agent_id: str | None) -> str:
        agent = self.agents.get(agent_id)
        return "" if agent is None else agent.name

    def _agent_changed(self, event: AgentStateChanged) -> None:
        before = self.agents.changed(event)
        if before.state == AgentState.WRAP_UP and event.state is not AgentState.WRAP_UP:
            live = self._live.get(before.interaction_id or "")
            if live is not None and live.finished:
                self._forget(live)

    def _forget(self, live: LiveInteraction) -> None:
        del self._live[live.id]
        self.on_forget(live.id)
        if live.agent_id is not None:
            self._ended[live.id] = live.agent_id
            if len(self._ended) > _FORGET_ENDED_AFTER:
                del self._ended[next(iter(self._ended))]

    def _queue_changed(self, event: QueueChanged, at: float) -> None:
        view = queue_view(event, self._queue_titles.get(event.queue, event.queue), at)
        self._queues[event.queue] = view
        self._bus.publish(EventType.QUEUE_CHANGED, view, queue=event.queue, at=at)

    # --- the switch -----------------------------------------------------------------------------

    def _gateway_changed(self, event: GatewayChanged) -> None:
        self.gateway_available = event.available
        at = self._wall_of(event.at)
        self._bus.publish(EventType.GATEWAY_CHANGED, gateway_view(event), at=at)

    def _call_refused(self, event: CallRefused) -> None:
        self._bus.publish(EventType.CALL_REFUSED, refused_view(event), at=self._wall_of(event.at))

    def _emergency_called(self, event: EmergencyCalled) -> None:
        at = self._wall_of(event.at)
        self._bus.publish(EventType.EMERGENCY_CALLED, emergency_view(event), at=at)

    def _quality_changed(self, event: LegQualityChanged) -> None:
        """A leg of an interaction sounds better or worse than before."""
        live = next((live for live in self._live.values() if live.call_id == event.call), None)
        if live is not None and not live.finished:
            live.mos = round(event.mos, 1)
            self._publish(EventType.QUALITY_CHANGED, live.view(), live, self._wall_of(event.at))

    def _remember_recording(self, recording: str, interaction_id: str) -> None:
        self._recorded[recording] = interaction_id
        if len(self._recorded) > _FORGET_RECORDINGS_AFTER:
            del self._recorded[next(iter(self._recorded))]

    def recording_closed(self, event: RecordingClosed) -> None:
        """A recording is whole, or could not be made so."""
        interaction_id = self._recorded.pop(event.recording, None)
        live = self._live.get(interaction_id or "")
        if live is not None and event.error is not None:
            live.recorded, live.recording_failed = False, True
        self._bus.publish(
            EventType.RECORDING_FINISHED,
            recording_view(event),
            interaction_id=interaction_id,
            call_id=event.call,
            agent_id=None if live is None else live.agent_id,
            at=self._wall_of(event.at),
        )

    # --- customers ------------------------------------------------------------------------------

    def customer_linked(
        self, interaction_id: str, customer: CustomerCard, how: str, at: float
    ) -> None:
        """The interaction's customer is known now."""
        live = self._live.get(interaction_id)
        if live is None:
            return
        live.customer_id = customer.customer_id
        live.customer_name = customer.name
        linked = CustomerLinked(customer=customer, how=how)
        self._publish(EventType.CUSTOMER_LINKED, linked, live, at)
