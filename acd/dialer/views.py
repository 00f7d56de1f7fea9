"""What can be seen of the dialer. Moments are monotonic seconds, as in the events of `acd`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import (
    AttemptId,
    Blocker,
    CampaignName,
    CampaignState,
    Candidate,
    Mode,
    Outcome,
    RecordId,
)
from acd.model import AgentId, QueueName


class AgentCounts(Struct, frozen=True, kw_only=True):
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
    """Of the available those that this campaign dials for now: the reserve of the queue's callers
    and the shares of other campaigns are taken off."""


class RateView(Struct, frozen=True, kw_only=True):
    """The abandon rate under one formula."""

    formula: str
    percent: float | None
    """None: nobody has answered yet."""
    upper_percent: float | None
    """The upper end of its one-sided 95 % confidence interval."""
    live: float
    """Answered by a person; each machine counts with the probability that it was one."""
    abandoned: float
    """Of these, with the same parts."""
    days: float
    """Over how long it is counted."""
    is_chosen: bool
    """The cap is held under this formula, as under each that is chosen."""


class CallerIdView(Struct, frozen=True, kw_only=True):
    """How well a number that is shown gets through."""

    number: str
    dials: int
    answers: int
    rate: float | None
    """Of the latest dials; None: too few."""
    usual: float | None
    """Of all numbers of the campaign."""
    has_fallen: bool
    """Noticeably below what is usual: perhaps it is marked as unwanted."""


class CampaignView(Struct, frozen=True, kw_only=True):
    """One campaign, now."""

    name: CampaignName
    title: str
    mode: Mode
    state: CampaignState
    since: float
    reason: str
    """Who or what made it so: `operator`, `goal`, `list-empty`, `end-date`, ..."""
    queue: QueueName
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
    connected: int
    """Talk to an agent, or hear the announcement."""
    dial_level: float | None
    """Dials in flight and people waiting for each free agent; None: no agent is free."""
    pacing: Mapping[str, float]
    """The figures of the latest decision of the pacer, by name; empty where there is none."""
    pacing_words: str
    decision: int
    """Its number."""
    is_learning: bool
    """Predictive, and progressive until enough is known."""
    agents: AgentCounts
    agents_wait_s: float | None
    """How long agents were free before each of the latest hundred talks, on average."""
    today: Mapping[Outcome, int]
    total: Mapping[Outcome, int]
    """Since the campaign was loaded first, as far as the store has told."""
    dials: int
    """Since midnight."""
    answer_rate: float | None
    """Of the latest dials those that somebody or something answered."""
    live_rate: float | None
    """Of the latest dials those that a person answered."""
    rates: tuple[RateView, ...]
    cap_percent: float
    enforced_percent: float | None
    """What is compared with the cap."""
    caller_ids: tuple[CallerIdView, ...]
    ahead: int
    """Records at hand."""
    blockers: tuple[Blocker, ...]
    """As of `Dialer.blockers`; their `until` is in seconds since 1970."""


class AttemptView(Struct, frozen=True, kw_only=True):
    """One attempt that is under way."""

    id: AttemptId
    campaign: CampaignName
    record: RecordId
    number: str
    name: str
    state: AttemptState
    since: float
    agent: AgentId | None
    trunk: str


class PreviewStep(StrEnum):
    """Where the record is that an agent has before it."""

    READING = "reading"
    CALLING_AGENT = "calling-agent"
    """The agent's own phone is called."""
    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    OVER = "over"
    """Not reached, given back, or done: see `outcome`."""


class PreviewView(Struct, frozen=True, kw_only=True):
    """The record that an agent has before it: in preview and manual mode, or because it is reserved."""

    agent: AgentId
    attempt: AttemptId
    campaign: CampaignName
    title: str
    mode: Mode
    step: PreviewStep
    candidate: Candidate
    script: str
    """Markdown, columns filled in."""
    dispositions: tuple[str, ...]
    since: float
    until: float | None = None
    """When reading ends by itself: then it is dialled or goes back."""
    dials_itself: bool = False
    outcome: Outcome | None = None
    reason: str = ""
    """In words, why it is over."""
