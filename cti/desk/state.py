"""What a screen shows, as one value, and which actions make sense in it.

Widgets only draw it; how news change it is `cti.desk.reduce`. All times are the server's, in seconds
since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cti.desk.attended import Attended
from cti.desk.outbound import (
    READING,
    TrackPoint,
    as_card,
    is_under_way,
    running,
    shown_step,
    waiting_clicks,
)
from cti.desk.phone_state import PhoneView
from cti.schema import (
    AgentFiguresView,
    AgentView,
    CampaignView,
    Disposition,
    Event,
    InteractionView,
    NoteAdded,
    ParkedView,
    PreviewView,
    QueueView,
    ScreenPop,
    ServerView,
)
from cti.schema_outbound import OutboundCard

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
    server: ServerView | None = None
    """Only while the server is stopping."""
    site: str = "Switchroom"
    parked: Mapping[str, ParkedView] = field(default_factory=dict)
    """The parking places that are taken."""
    attended: Attended = field(default_factory=dict)
    """Which calls supervisors attend now; on an agent's desk where the site shows it."""
    phone: PhoneView = field(default_factory=PhoneView)
    ticker: tuple[Event, ...] = ()
    """Newest first."""
    notices: tuple[Notice, ...] = ()
    """New with this step; shown once."""
    lost_contact: str | None = None
    """The interaction whose call went down with the phone's process."""
    campaigns: Mapping[str, CampaignView] = field(default_factory=dict)
    are_campaigns_loading: bool = False
    """The server was started: there may be others."""
    tracks: Mapping[str, tuple[TrackPoint, ...]] = field(default_factory=dict)
    """How campaigns did lately; only a wallboard keeps it."""
    preview: PreviewView | None = None
    """The record before the agent at this desk."""

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
    def card(self) -> ScreenPop | None:
        """The card to show: the contact's, or that of a record which is not a call yet."""
        if self.pop is not None or shown_step(self.preview) is None:
            return self.pop
        return as_card(self.preview) if self.preview is not None else None

    @property
    def outbound(self) -> OutboundCard | None:
        """The record of a campaign that the card is about."""
        card = self.card
        return card.outbound if card is not None else None

    @property
    def offered_dispositions(self) -> tuple[Disposition, ...]:
        """The outcomes to choose from: those of the campaign, else those of the centre."""
        wanted = self.outbound.dispositions if self.outbound is not None else ()
        known = {each.code: each for each in self.dispositions}
        named = tuple(known.get(code) or Disposition(code=code, title={}) for code in wanted)
        return named or self.dispositions

    @property
    def direct_ring(self) -> bool:
        """Whether somebody calls the agent's phone past the queues."""
        return self.phone.ringing is not None and self._is_past_the_server

    @property
    def rings_for(self) -> ParkedView | None:
        """The parked call for which the agent's own phone rings: asked for here, or called back."""
        if self.phone.ringing is None and not self.phone.is_external:
            return None  # not yet, or it has answered by itself
        called = (each for each in self.parked.values() if each.number == self.me)
        return next((each for each in called if each.state in CALLED), None)

    @property
    def direct_talk(self) -> bool:
        """Whether the agent talks to somebody who called past the queues."""
        return self.phone.talking is not None and self._is_past_the_server

    @property
    def _is_past_the_server(self) -> bool:
        return self.contact_id is None and self.mode not in OFFERED

    @property
    def shown_mode(self) -> str:
        """The mode as the agent knows it: a phone that rings is no call yet, nor is a preview."""
        step = shown_step(self.preview)
        if step is not None and self.mode not in ("wrap-up", "logged-out"):
            return step
        rings = self.direct_ring or self.rings_for is not None
        return "ringing" if rings and self.phone.talking is None else self.mode

    @property
    def has_lost_call(self) -> bool:
        """Whether the call of this contact is gone although the server goes on with it."""
        lost = self.lost_contact
        return lost is not None and self.mode in ON_A_CALL and self.contact_id == lost

    @property
    def is_muted(self) -> bool:
        """Whether the customer does not hear the agent."""
        return self.interaction is not None and self.interaction.muted


def shown_since(interaction: InteractionView) -> float:
    """From when its time is counted: a talk with its holds, a wait with the offers that failed."""
    match interaction.stage:
        case "talking" | "direct":
            began = interaction.answered
        case "waiting" | "offered":
            began = interaction.waiting_since
        case _:
            began = None
    return interaction.since if began is None else began


CALLED: Final = frozenset({"fetching", "recalling"})
"""States of a parking place for which a phone is called."""
ASKED: Final = frozenset({"calling", "ringing", "talking", "held"})
"""States of a party that is consulted and has not joined."""
ON_A_CALL: Final = frozenset({"talking", "held", "engaged"})
OFFERED: Final = frozenset({"reserved", "ringing"})
WITH_CONTACT: Final = ON_A_CALL | OFFERED | {"wrap-up"}


_ALWAYS: Final = frozenset({"help", "quit", "not_ready"})
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "logged-out": frozenset({"help", "quit", "ready"}),
    "available": _ALWAYS | {"dial", "find", "parked"},
    "not-ready": _ALWAYS | {"ready", "dial", "find", "parked"},
    "reserved": frozenset({"help", "quit"}),
    "ringing": frozenset({"help", "quit", "answer", "refuse", "customer"}),
    "talking": _ALWAYS
    | {"hold", "mute", "hang_up", "digits", "disposition", "customer", "save_note"},
    "held": _ALWAYS | {"resume", "hang_up", "disposition", "customer", "save_note"},
    "engaged": _ALWAYS | {"hold", "mute", "hang_up", "digits", "save_note"},
    "wrap-up": _ALWAYS
    | {"finish", "extend", "disposition", "customer", "save_note", "find", "parked"},
}
"""Which actions make sense in which state of the agent."""


def _of_campaigns(state: DeskState) -> frozenset[str]:
    """The actions that belong to outbound."""
    allowed: set[str] = set()
    if state.preview is not None and state.preview.step == READING:
        allowed |= {"consent", "skip"}
    if is_under_way(state.preview):
        allowed.add("hang_up")
    is_free = state.mode == "available" and state.preview is None
    if is_free and running(state.campaigns, "manual"):
        allowed.add("take")
    if waiting_clicks(state.campaigns) and "consent" not in allowed:
        allowed.add("click")
    if state.outbound is not None:
        if state.mode in ON_A_CALL or state.mode == "wrap-up":
            allowed.add("later")
        if state.outbound.script:
            allowed.add("script")
    return frozenset(allowed)


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
    if state.mode in ON_A_CALL and interaction is not None and interaction.answered is not None:
        is_asking = any(party.state in ASKED for party in interaction.parties)
        is_alone = not is_asking and not interaction.parties
        allowed |= {"consult", "park"} if is_alone else {"consult_step"}
    if state.contact_id is None:
        allowed -= {"hold", "resume", "mute", "unmute", "digits", "disposition", "save_note"}
    if state.direct_ring:
        allowed -= {"hang_up"}  # F8 refuses; the call that goes on can be ended after that
    elif state.direct_talk:
        allowed |= {"resume" if phone.is_held else "hold"}
    if state.rings_for is not None and phone.talking is None:
        allowed -= {"hang_up", "hold", "mute", "digits"}  # nobody is on the line yet
    pop = state.pop
    if pop is None or pop.customer is not None or pop.lookup_failed:
        allowed -= {"customer"}
    if agent is None or agent.until is None:
        allowed -= {"extend"}
    return allowed | _of_campaigns(state)
