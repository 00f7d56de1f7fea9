"""The part of the public catalogue that is about campaigns as they stand; `cti.schema` has it too.

Words are those of `docs/glossary.md`. Modes, states and outcomes are the slugs of
`acd.dialer.model`. What people send is in `cti.schema_campaign_requests`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """The abandon rate by one formula."""

    formula: str
    """`us`, `uk` or `own`."""
    percent: float | None
    """None: nobody has answered yet."""
    upper_percent: float | None
    """Upper end of its one-sided 95 % confidence interval (Wilson)."""
    live: float
    """Answered by a person: what it is counted of. Parts are machines that may have been persons."""
    abandoned: float
    """Of these the abandoned, with the same parts."""
    days: float
    """So far back it looks."""
    enforced: bool
    """It is one of those that the campaign is held to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdView:
    """A number that a campaign shows, and how well it gets through."""

    number: str
    dialled: int
    answered: int
    rate: float | None
    """Answered of the latest dials, 0 to 1; None: too few to tell."""
    usual: float | None
    """Of all numbers of the campaign."""
    fallen: bool
    """Noticeably below what is usual: perhaps it is marked as unwanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignAgentsView:
    """The agents of a campaign's queue, by what they do; those of other campaigns included."""

    signed_on: int = 0
    available: int = 0
    reserved: int = 0
    """Chosen, or reading a record, or their phone rings."""
    talking: int = 0
    wrap_up: int = 0
    not_ready: int = 0
    engaged: int = 0
    share: int = 0
    """Of the available those that this campaign dials for now."""


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
    """Tried of those that were tried or may still be, 0 to 1."""
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
    reason: str
    """Who or what made it so: a login, `goal`, `list-empty`, `end-date`, `restart`, ..."""
    since: float
    """When the state began."""
    queue: str
    human_initiated: bool
    """Each dial needs a person's click."""

    dial_level: float | None
    """Dials in flight and people waiting for each free agent; None: no agent is free."""
    learning: bool
    """Predictive, and progressive until enough is known."""
    pacing_words: str
    """What the pacer decided last, and why."""
    pacing: dict[str, float]
    """The figures of that decision by name; empty where there is no pacer."""
    decision: int
    """Its number."""

    in_flight: int
    """Dialled and not answered yet."""
    ringing: int
    """Of these, the far end alerts."""
    judging: int
    """Answered; who answered is not known yet."""
    waiting: int
    """A person, for whom no agent is there yet."""
    reading: int
    """Agents who look at a record, or whose phone is called for it."""
    messages: int
    """Hear the message for abandoned calls, or a machine is recording ours."""
    talking: int
    """Talk to an agent, or hear the announcement."""
    ahead: int
    """Records at hand, ready to be dialled."""

    dialled: int
    """Since midnight."""
    answer_rate: float | None
    """Of the latest dials those that somebody or something answered, 0 to 1."""
    live_rate: float | None
    """Of the latest dials those that a person answered, 0 to 1."""
    today: dict[str, int]
    """By outcome, since midnight."""
    total: dict[str, int]
    """By outcome, ever."""

    agents: CampaignAgentsView
    agents_wait_s: float | None
    """How long agents were free before each of the latest hundred talks, on average."""

    cap_percent: float
    guard: str
    """`none`: the rate itself is held under the cap; `statistical`: the upper end of its interval."""
    enforced_percent: float | None
    """What is compared with the cap: the worst of the formulas chosen, as the guard says."""
    rates: tuple[AbandonRateView, ...]
    """By every formula."""

    records: CampaignListView
    goal: int
    """0: none."""
    goal_reached: int
    begins: str
    ends: str
    caller_ids: tuple[CallerIdView, ...]
    blockers: tuple[BlockerView, ...]
    """Why nothing, or not more, is dialled; empty while nothing is in the way."""
    warnings: tuple[BlockerView, ...] = ()
    """What keeps nobody from dialing, and ought to be mended."""
    unsettled: int = 0
    """Attempts that the store has not taken yet; more than a few: it is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRemoved:
    """A campaign was deleted with its list."""

    name: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignsLoaded:
    """After a start: from now on all campaigns are known, and were told."""

    count: int


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
    """The record that an agent has before it: before the dial, and until the talk is over."""

    attempt_id: str
    """Also the id of the interaction, once it is dialled."""
    agent_id: str
    step: str
    """`reading`, `calling-agent`, `dialling`, `ringing`, `talking`, or `over`."""
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
    outcome: str | None = None
    """Once it is over."""
    reason: str = ""
    """In words, why it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNumberView:
    """One number of a record."""

    number: str
    regions: str
    """Whose rules count: `US-FL US-TX`."""
    zones: tuple[str, ...]
    dead: bool
    """It turned out to be no number, or a fax machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRecordView:
    """One record of a campaign's list, as it stands."""

    record_id: str
    name: str
    customer_id: str | None
    numbers: tuple[RecordNumberView, ...]
    position: int
    """Of the number that comes next."""
    state: str
    """`ready`, `claimed`, `done`, `blocked`."""
    stage: str
    """The same more finely: `retry`, `call-back`, `cap`, `reached`, `no-number`, ..."""
    attempts: int
    priority: int
    facts: dict[str, str]
    due_at: float | None = None
    """When it may be dialled next, where it waits."""
    last_outcome: str = ""
    last_disposition: str = ""
    last_at: float | None = None
    agent_id: str | None = None
    """Who alone may dial it."""


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
    greeting_ended_at: float | None = None
    """The person's first words were over: an agent, or a message, is due within two seconds."""
    abandoned: bool = False
    """A person answered and found no agent; it may have opted out then."""
    message_began_at: float | None = None
    """Of ours: for who is abandoned, an announcement, or left on a machine."""
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
    clicked_by: str = ""
    """Who clicked for this dial, where each needs that."""
    clicked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """One decision of the pacer, with everything it knew."""

    number: int
    at: float
    dials: int
    """So many were begun."""
    reason: str
    """What set the number of dials, as one slug."""
    vector: dict[str, Any]
    """All that it was made of, by name."""
    replayed: int | None = None
    """In a replay: so many it would begin today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """Decisions of the pacer, made again from what it knew then."""

    campaign: str
    decisions: int
    same: int
    differ: tuple[DecisionView, ...] = ()
    """Those that come out otherwise today."""
