"""What a screen shows, as one value; and how snapshot, events and connection news change it.

Pure: `reduce(state, item, now)` gives the next state. Widgets only draw it, so everything that a
desk may get wrong about the order of events is tested without a screen. `now` and all times are
the server's, in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from cti.client import (
    Connected,
    ConnectionLost,
    SignedOnAgain,
    StreamEnded,
    StreamItem,
)
from cti.desk.phone_state import PhoneNews, PhoneStage, PhoneView, reduce_phone
from cti.phone import protocol as phone_protocol
from cti.schema import (
    AgentFiguresView,
    AgentView,
    Cleared,
    CustomerLinked,
    Disposition,
    DispositionSet,
    Diverted,
    Event,
    EventType,
    GatewayView,
    InteractionView,
    NoteAdded,
    QueueView,
    RecordingView,
    ScreenPop,
    Snapshot,
)

TICKER_LENGTH: Final = 200
"""Events kept for the wallboard's ticker."""


class Link(StrEnum):
    """The connection to the server."""

    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A line for the agent: a catalogue key with its values, or the server's own words."""

    key: str
    """Catalogue key; empty: `text` is shown as it is."""
    values: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    severity: str = "information"
    """`information`, `warning` or `error`, as Textual has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """Everything a desk or a wallboard shows."""

    me: str | None = None
    """The agent at this desk; None on a wallboard."""
    link: Link = Link.CONNECTING
    retry_at: float = 0.0
    ended_reason: str = ""
    agents: Mapping[str, AgentView] = field(default_factory=dict)
    queues: Mapping[str, QueueView] = field(default_factory=dict)
    interactions: Mapping[str, InteractionView] = field(default_factory=dict)
    figures: AgentFiguresView | None = None
    pop: ScreenPop | None = None
    notes: tuple[NoteAdded, ...] = ()
    """Notes of the contact on the card."""
    disposition: str | None = None
    """Outcome of the contact on the card."""
    dispositions: tuple[Disposition, ...] = ()
    not_ready_reasons: tuple[str, ...] = ()
    gateway_available: bool = True
    site: str = "Switchroom"
    phone: PhoneView = field(default_factory=PhoneView)
    ticker: tuple[Event, ...] = ()
    """Newest first."""
    notices: tuple[Notice, ...] = ()
    """New with this step; shown once."""
    lost_contact: str | None = None
    """The interaction whose call went down with the phone's process."""

    @property
    def agent(self) -> AgentView | None:
        """The agent at this desk."""
        return self.agents.get(self.me) if self.me is not None else None

    @property
    def mode(self) -> str:
        """The agent's state as a word; `logged-out` until the snapshot came."""
        return self.agent.state if self.agent is not None else "logged-out"

    @property
    def interaction(self) -> InteractionView | None:
        """The live interaction of the agent at this desk."""
        agent = self.agent
        if agent is not None and agent.interaction_id is not None:
            found = self.interactions.get(agent.interaction_id)
            if found is not None:
                return found
        if self.mode not in WITH_CONTACT:
            return None  # an older one whose end is still to come
        mine = (each for each in self.interactions.values() if each.agent_id == self.me)
        return next(mine, None)

    @property
    def contact_id(self) -> str | None:
        """The interaction that notes and outcome belong to."""
        if self.pop is not None:
            return self.pop.interaction_id
        interaction = self.interaction
        if interaction is not None:
            return interaction.interaction_id
        return self.agent.interaction_id if self.agent is not None else None

    @property
    def direct_ring(self) -> bool:
        """Whether somebody calls the agent's phone past the queues."""
        return self.phone.ringing is not None and self._is_past_the_server

    @property
    def direct_talk(self) -> bool:
        """Whether the agent talks to somebody who called past the queues."""
        return self.phone.talking is not None and self._is_past_the_server

    @property
    def _is_past_the_server(self) -> bool:
        return self.contact_id is None and self.mode not in OFFERED

    @property
    def shown_mode(self) -> str:
        """The mode as the agent knows it: a phone that rings is no call yet."""
        return "ringing" if self.direct_ring and self.phone.talking is None else self.mode

    @property
    def has_lost_call(self) -> bool:
        """Whether the call of this contact is gone although the server goes on with it."""
        lost = self.lost_contact
        return lost is not None and self.mode in ON_A_CALL and self.contact_id == lost

    @property
    def is_muted(self) -> bool:
        """Whether the customer does not hear the agent."""
        return self.interaction is not None and self.interaction.muted


ON_A_CALL: Final = frozenset({"talking", "held", "engaged"})
OFFERED: Final = frozenset({"reserved", "ringing"})
WITH_CONTACT: Final = ON_A_CALL | OFFERED | {"wrap-up"}

_DIVERTED_NOTICES: Final[Mapping[str, str]] = {
    "withdrawn": "notice.withdrawn",
    # Phones say 486 as well as 603 when their owner refuses.
    "rejected": "notice.refused",
    "busy": "notice.refused",
    "phone-busy": "notice.refused",
    "unreachable": "notice.phone_away",
}
"""What to say of an offer that failed; of all others: the agent did not answer."""

_ALWAYS: Final = frozenset({"help", "quit", "not_ready"})
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "logged-out": frozenset({"help", "quit", "ready"}),
    "available": _ALWAYS | {"dial"},
    "not-ready": _ALWAYS | {"ready", "dial"},
    "reserved": frozenset({"help", "quit"}),
    "ringing": frozenset({"help", "quit", "answer", "refuse", "customer"}),
    "talking": _ALWAYS
    | {"hold", "mute", "hang_up", "digits", "disposition", "customer", "save_note"},
    "held": _ALWAYS | {"resume", "hang_up", "disposition", "customer", "save_note"},
    "engaged": _ALWAYS | {"hold", "mute", "hang_up", "digits", "save_note"},
    "wrap-up": _ALWAYS | {"finish", "extend", "disposition", "customer", "save_note"},
}
"""Which actions make sense in which state of the agent."""


def allowed_actions(state: DeskState) -> frozenset[str]:
    """The actions that make sense now."""
    if state.link is Link.ENDED:
        return frozenset({"help", "quit"})
    allowed = _ALLOWED.get(state.mode, _ALWAYS)
    phone, agent = state.phone, state.agent
    if phone.is_external:
        allowed -= {"answer", "refuse"}
    elif phone.ringing is not None:
        allowed |= {"answer", "refuse"}
    elif "answer" in allowed:
        allowed -= {"answer", "refuse"}
    if phone.is_gone:
        allowed |= {"restart_phone"}
    if phone.talking is not None and not allowed & {"hang_up"}:
        allowed |= {"hang_up"}
    interaction = state.interaction
    if state.is_muted and "mute" in allowed:
        allowed = allowed - {"mute"} | {"unmute"}
    if state.mode == "engaged" and interaction is not None and interaction.stage == "held":
        allowed = allowed - {"hold"} | {"resume"}
    if agent is not None and agent.next_state == "not-ready":
        allowed |= {"ready"}
    if state.contact_id is None:
        allowed -= {"hold", "resume", "mute", "unmute", "digits", "disposition", "save_note"}
    if state.direct_ring:
        allowed -= {"hang_up"}  # F8 refuses; the call that goes on can be ended after that
    elif state.direct_talk:
        allowed |= {"resume" if phone.is_held else "hold"}
    pop = state.pop
    if pop is None or pop.customer is not None or pop.lookup_failed:
        allowed -= {"customer"}
    if agent is None or agent.until is None:
        allowed -= {"extend"}
    return allowed


def reduce(state: DeskState, item: StreamItem | PhoneNews, now: float) -> DeskState:
    """The state after one piece of news."""
    state = replace(state, notices=())
    match item:
        case Snapshot():
            return _take_snapshot(state, item)
        case Event():
            return _take_event(state, item)
        case Connected():
            return replace(state, link=Link.UP)
        case ConnectionLost():
            return replace(state, link=Link.LOST, retry_at=now + item.retry_in_s)
        case SignedOnAgain():
            return _take_sign_on(state, item)
        case StreamEnded():
            return replace(state, link=Link.ENDED, ended_reason=item.reason)
        case _:
            return _take_phone_news(state, item)


def _take_sign_on(state: DeskState, item: SignedOnAgain) -> DeskState:
    """The phone registers with its new secret; until that is confirmed it is not there."""
    if item.reply.phone is None or state.phone.stage is not PhoneStage.REGISTERED:
        return state
    return replace(state, phone=replace(state.phone, stage=PhoneStage.REGISTERING))


def _take_phone_news(state: DeskState, item: PhoneNews) -> DeskState:
    was_talking = state.phone.talking is not None
    state = replace(state, phone=reduce_phone(state.phone, item))
    if isinstance(item, phone_protocol.Died):
        lost = state.contact_id if was_talking and state.mode in ON_A_CALL else None
        state = replace(state, lost_contact=lost)
        return _noticed(state, "notice.phone_lost_call", "error") if was_talking else state
    if isinstance(item, phone_protocol.Failed) and item.message:
        return _noticed(state, "notice.phone", "warning", message=item.message)
    return state


def _take_snapshot(state: DeskState, snapshot: Snapshot) -> DeskState:
    state = replace(
        state,
        link=Link.UP,
        agents={agent.agent_id: agent for agent in snapshot.agents},
        queues={queue.queue: queue for queue in snapshot.queues},
        interactions={each.interaction_id: each for each in snapshot.interactions},
        figures=snapshot.figures,
        dispositions=snapshot.dispositions,
        not_ready_reasons=snapshot.not_ready_reasons,
        gateway_available=snapshot.gateway_available,
        site=snapshot.site,
    )
    same_contact = (
        snapshot.pop is not None
        and state.pop is not None
        and snapshot.pop.interaction_id == state.pop.interaction_id
    )
    interaction = state.interaction
    return replace(
        state,
        pop=snapshot.pop,
        notes=state.notes if same_contact else (),
        disposition=(interaction.disposition if interaction is not None else None)
        or (state.disposition if same_contact else None),
    )


def _take_event(state: DeskState, event: Event) -> DeskState:
    if state.me is None:
        state = replace(state, ticker=(event, *state.ticker)[:TICKER_LENGTH])
    match event.data:
        case InteractionView():
            return _take_interaction(state, event.data)
        case AgentView():
            return _take_agent(state, event.data)
        case AgentFiguresView():
            mine = event.data.agent_id == state.me
            return replace(state, figures=event.data) if mine else state
        case QueueView():
            return replace(state, queues={**state.queues, event.data.queue: event.data})
        case ScreenPop():
            return _take_pop(state, event.data)
        case Cleared():
            return _take_cleared(state, event, event.data)
        case Diverted():
            return _take_diverted(state, event, event.data)
        case NoteAdded():
            mine = event.interaction_id == state.contact_id
            return replace(state, notes=(*state.notes, event.data)) if mine else state
        case DispositionSet():
            return _take_disposition(state, event, event.data)
        case CustomerLinked():
            return _take_customer(state, event, event.data)
        case GatewayView():
            return replace(state, gateway_available=event.data.available)
        case RecordingView() if event.data.error and state.me is not None:
            return _noticed(state, "notice.recording_failed", "warning", reason=event.data.error)
        case RecordingView() if event.type is EventType.RECORDING_STARTED:
            return _take_recording(state, event.interaction_id)
        case _:
            return _take_offer(state, event)


def _take_offer(state: DeskState, event: Event) -> DeskState:
    interaction = getattr(event.data, "interaction", None)
    return _take_interaction(state, interaction) if interaction is not None else state


def _take_recording(state: DeskState, interaction_id: str | None) -> DeskState:
    view = state.interactions.get(interaction_id or "")
    return state if view is None else _take_interaction(state, replace(view, recorded=True))


def _take_interaction(state: DeskState, view: InteractionView) -> DeskState:
    if state.me is not None and view.agent_id not in (None, state.me):
        return _without(state, view.interaction_id)  # it went to someone else
    return replace(state, interactions={**state.interactions, view.interaction_id: view})


def _take_agent(state: DeskState, agent: AgentView) -> DeskState:
    before = state.agents.get(agent.agent_id)
    agents = {**state.agents, agent.agent_id: agent}
    if state.me is None and agent.state == "logged-out":
        del agents[agent.agent_id]
    state = replace(state, agents=agents)
    if agent.agent_id == state.me and before is not None and before.state in WITH_CONTACT:
        gone = agent.state not in WITH_CONTACT
        other = agent.interaction_id not in (None, state.contact_id)
        if gone or other:
            return _clear_card(state)
    return state


def _take_pop(state: DeskState, pop: ScreenPop) -> DeskState:
    if state.pop is not None and state.pop.interaction_id == pop.interaction_id:
        return replace(state, pop=pop)
    return replace(state, pop=pop, notes=(), disposition=None)


def _take_cleared(state: DeskState, event: Event, cleared: Cleared) -> DeskState:
    mine = event.interaction_id is not None and event.interaction_id == state.contact_id
    if event.type is EventType.INTERACTION_ENDED:
        return _without(state, event.interaction_id)
    if state.me is None:
        return state
    if _was_dialled_in_vain(state, event, cleared):
        return _noticed(state, "notice.dial_failed", "warning", reason=cleared.reason)
    if mine and event.interaction_id != state.lost_contact:  # that one was told already
        return _noticed(state, "notice.cleared", reason=cleared.reason)
    return state


def _was_dialled_in_vain(state: DeskState, event: Event, cleared: Cleared) -> bool:
    """Whether a number that this agent dialled was not reached."""
    view = state.interactions.get(event.interaction_id or "")
    queued = event.queue is not None or (view is not None and view.queue is not None)
    owned = event.agent_id in (None, state.me)
    return owned and not queued and cleared.result == "failed" and cleared.talked_s == 0


def _take_diverted(state: DeskState, event: Event, diverted: Diverted) -> DeskState:
    if state.me is None or event.agent_id not in (None, state.me):
        return state
    key = _DIVERTED_NOTICES.get(diverted.failure, "notice.missed")
    state = _without(state, event.interaction_id)
    return _noticed(_clear_card(state), key, "warning")


def _take_disposition(state: DeskState, event: Event, chosen: DispositionSet) -> DeskState:
    if state.me is None or event.interaction_id != state.contact_id:
        return state
    return _noticed(
        replace(state, disposition=chosen.code), "notice.disposition", title=chosen.code
    )


def _take_customer(state: DeskState, event: Event, linked: CustomerLinked) -> DeskState:
    customer = linked.customer
    view = state.interactions.get(event.interaction_id or "")
    if view is not None:  # the look-up may end after the contact was queued, offered or answered
        view = replace(view, customer_id=customer.customer_id, customer_name=customer.name)
        state = _take_interaction(state, view)
    if state.pop is None or event.interaction_id != state.pop.interaction_id:
        return state
    pop = replace(state.pop, customer=linked.customer, candidates=(), new_customer_number="")
    state = replace(state, pop=pop)
    if linked.how == "found":
        return state
    return _noticed(state, "notice.customer", name=linked.customer.name)


def _clear_card(state: DeskState) -> DeskState:
    return replace(state, pop=None, notes=(), disposition=None)


def _without(state: DeskState, interaction_id: str | None) -> DeskState:
    if interaction_id not in state.interactions:
        return state
    rest = {key: view for key, view in state.interactions.items() if key != interaction_id}
    return replace(state, interactions=rest)


def _noticed(
    state: DeskState, key: str, severity: str = "information", /, **values: object
) -> DeskState:
    notice = Notice(key=key, values=values, severity=severity)
    return replace(state, notices=(*state.notices, notice))
