"""The part of the public catalogue that is about campaigns as they stand; `cti.schema` has it too.

Words are those of `docs/glossary.md`. Modes, states and outcomes are the slugs of
`acd.dialer.model`. What people send is in `cti.schema_campaign_requests`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cti.schema_customers import CustomerCard
from cti.schema_outbound import OutboundCard as OutboundCard


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockerView:
    """One reason why nothing, or not more, is dialled."""

    code: str
    """Stable, such as `outside-window`, `no-agents`, `abandon-cap`, `trunk-full`, `list-empty`."""
    words: str
    """One sentence: what is in the way, and what to do."""
    count: int = 0
    """Records it holds back; 0 where it holds back all."""
    until: float | None = None
    """When it ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonRateView:
    """The abandon rate by one formula. Rates are percents."""

    formula: str
    """`us`, `uk` or `own`."""
    words: str
    """How it is counted, in one sentence."""
    abandoned: float
    base: float
    """Of so many answered calls."""
    percent: float | None
    """None: nobody has answered yet."""
    upper: float | None
    """Upper end of the one-sided 95 % confidence interval (Wilson)."""
    window_s: float
    """So far back it looks."""
    enforced: bool = False
    """It is one of those that the campaign is held to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdView:
    """A number that a campaign shows, and how it is answered."""

    number: str
    dialled: int = 0
    answered: int = 0
    percent: float | None = None
    """Answered of those dialled lately; None: too few to tell."""
    drifted: bool = False
    """It is answered clearly less often than it was, or than the others: people may block it."""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignListView:
    """How far a list is worked through, as it was counted last."""

    total: int = 0
    ready: int = 0
    claimed: int = 0
    done: int = 0
    blocked: int = 0
    tried: int = 0
    """Records that were dialled at least once."""
    reached: int = 0
    """Records of which a person was reached."""
    penetration: float = 0.0
    """Tried of all that are not blocked, 0 to 1."""
    at: float | None = None
    """When it was counted; None: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
    """A campaign as it stands: what the panel shows."""

    name: str
    title: str
    mode: str
    """`manual`, `preview`, `progressive`, `predictive`, `announcement`."""
    state: str
    """`draft`, `running`, `paused`, `finished`."""
    reason: str = ""
    """Why it is paused or finished, in words."""
    since: float | None = None
    """When the state began."""
    queue: str = ""
    human_initiated: bool = False
    """Each dial needs a click."""
    waiting_click: int = 0
    """Dials that would go out if somebody clicked."""

    dial_level: float = 0.0
    """Dials in flight or begun for each agent that is free or will be; 1.0 is one for one."""
    learning: bool = False
    """Predictive: it dials like a progressive one until it has learned enough."""
    in_flight: int = 0
    """Dialled and not answered yet."""
    ringing: int = 0
    waiting: int = 0
    """Answered, and no agent yet."""
    talking: int = 0
    ahead: int = 0
    """Records at hand, ready to be dialled."""

    dialled: int = 0
    """Since midnight, as the next ones."""
    answered: int = 0
    """By a live person."""
    connected: int = 0
    abandoned: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    agents: int = 0
    """Who work for it and are signed on."""
    agents_free: int = 0
    agents_talking: int = 0
    agents_wait_s: float | None = None
    """Average wait of an agent from one talk of this campaign to the next, of the last ones."""
    talk_share: float | None = None
    """Of the agents' time, 0 to 1, lately."""

    cap_percent: float = 3.0
    guard: str = "statistical"
    """`none`: the rate itself is held under the cap; `statistical`: the upper end of its interval."""
    enforcement: float | None = None
    """The figure that is held under the cap: the worst of the formulas chosen, as the guard says."""
    rates: tuple[AbandonRateView, ...] = ()
    """By every formula."""

    records: CampaignListView = CampaignListView()
    goal: int = 0
    """0: none."""
    goal_reached: int = 0
    begins: str = ""
    ends: str = ""
    caller_ids: tuple[CallerIdView, ...] = ()
    blockers: tuple[BlockerView, ...] = ()
    """Why nothing, or not more, is dialled; empty while nothing is in the way."""
    unsettled: int = 0
    """Attempts that the store has not taken yet; more than a few: it is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDetail:
    """A campaign with all that it was told."""

    campaign: CampaignView
    settings: dict[str, Any]
    """As `acd.dialer.settings.CampaignSettings`; the schema is at `GET /api/v1/campaigns/schema`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStepView:
    """One filter of a list."""

    code: str
    words: str
    takes: int
    """Records that it takes away of those the earlier ones left."""
    leaves: int
    until: float | None = None
    """When the first of them may be dialled again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyCampaignView:
    """Why a campaign dials as it does: what each filter leaves of the list, and what else is in the way."""

    name: str
    state: str
    at: float
    total: int
    callable: int
    """May be dialled now, as far as the list goes."""
    steps: tuple[FunnelStepView, ...] = ()
    blockers: tuple[BlockerView, ...] = ()
    summary: str = ""
    """The answer in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """A record that is shown to an agent before it is dialled."""

    attempt_id: str
    """Also the id of the interaction, once it is dialled."""
    agent_id: str
    state: str
    """`offered`; `dialled`; or over: `skipped`, `expired`, `withdrawn`, `ended`."""
    card: OutboundCard
    customer: CustomerCard | None = None
    """The customer with this number, if one is known."""
    candidates: tuple[CustomerCard, ...] = ()
    """Several share the number."""
    since: float = 0.0
    until: float | None = None
    """The time to read is over then; None: until the agent decides."""
    dials_itself: bool = False
    """At the end of the time it is dialled; otherwise the record goes back."""
    needs_click: bool = False
    """The dial must be a person's own act: it is kept who did it."""
    reason: str = ""
    """Why it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One number of one record, dialled once, and what became of it."""

    attempt_id: str
    """The same as the id of its interaction."""
    campaign: str
    record_id: str
    number: str
    caller_id: str
    mode: str
    outcome: str
    dialled_at: float
    ended_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    connected_at: float | None = None
    agent_id: str | None = None
    trunk: str = ""
    sip_status: int = 0
    reason: str = ""
    disposition: str = ""
    call_back_at: float | None = None
    why: str = ""
    """Why it was allowed, with the version of the rules."""
    judged: str = ""
    """How the answer was classified, with its features, as JSON."""
    decision: int = 0
    """The number of the pacer's decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """One decision of the pacer, with everything it knew."""

    number: int
    at: float
    dials: int
    """So many were begun."""
    words: str
    vector: dict[str, Any] = field(default_factory=dict)
    """What went in, as it can be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """Decisions of the pacer, made again from what it knew then."""

    campaign: str
    decisions: int
    same: int
    differ: tuple[DecisionView, ...] = ()
    """Those that come out otherwise today, as they were made then."""
