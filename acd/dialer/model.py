"""The words of outbound: campaigns, lists, records, attempts."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NewType

from msgspec import Struct
from msgspec.structs import replace

from acd.model import AgentId

CampaignName = NewType("CampaignName", str)
"""Unique in a centre; what people type."""
RecordId = NewType("RecordId", str)
"""One person on the list of one campaign."""
AttemptId = NewType("AttemptId", str)
"""One number of one record, dialled once. The same string as the id of its interaction."""


class Mode(StrEnum):
    """Who decides when to dial, and how many."""

    MANUAL = "manual"
    """An agent takes a record from the list and dials when it likes."""
    PREVIEW = "preview"
    """A record is shown to a reserved agent, whose phone is called first; then the customer's."""
    PROGRESSIVE = "progressive"
    """One dial for each free agent."""
    PREDICTIVE = "predictive"
    """More dials than free agents, as far as the abandon cap allows (`acd.dialer.pacing`)."""
    ANNOUNCEMENT = "announcement"
    """No agents: a flow answers, and may lead to a queue."""


PACED: Final = frozenset({Mode.PROGRESSIVE, Mode.PREDICTIVE})
"""Modes in which a person may find no agent."""


class CampaignState(StrEnum):
    """Where a campaign is."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    """By hand; what is in flight goes on."""
    FINISHED = "finished"
    """Its end date, its goal or its list is reached, or somebody ended it."""


class RecordState(StrEnum):
    """Where a record is on its list."""

    READY = "ready"
    """May be dialled once its time has come."""
    CLAIMED = "claimed"
    """In the hands of the dialer: next, or in flight."""
    DONE = "done"
    """Not dialled any more: reached, refused, out of attempts."""
    BLOCKED = "blocked"
    """Never to be dialled: no usable number, on a do-not-call list, opted out."""


class Outcome(StrEnum):
    """What became of an attempt. The first group was answered by a live person."""

    CONNECTED = "connected"
    """An agent talked to a person."""
    ABANDONED = "abandoned"
    """A person answered and no agent came in time; the safe-harbour message was played."""
    OPTED_OUT = "opted-out"
    """A person pressed the key for "do not call me again"."""
    HUNG_UP = "hung-up"
    """A person answered and hung up before an agent could have come."""
    ANNOUNCED = "announced"
    """A person heard the announcement of a campaign without agents."""

    MACHINE = "machine"
    """A voicemail greeting; nothing was left."""
    MESSAGE_LEFT = "message-left"
    FAX = "fax"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    """The called side refused: 603 and its kind."""
    INVALID_NUMBER = "invalid-number"
    """404, 484, 604 or special information tones: no such number."""
    CONGESTED = "congested"
    """The network or the trunk could not; nobody was rung. Does not count as an attempt."""
    AGENT_GONE = "agent-gone"
    """Preview: the agent was not reached or left before the customer was dialled."""
    CANCELLED = "cancelled"
    """Ended from our side before anybody answered."""


LIVE: Final = frozenset(
    {
        Outcome.CONNECTED,
        Outcome.ABANDONED,
        Outcome.OPTED_OUT,
        Outcome.HUNG_UP,
        Outcome.ANNOUNCED,
    }
)
"""Outcomes that a live person answered: the base of the US 30-day abandon rate."""

NOT_AN_ATTEMPT: Final = frozenset({Outcome.CONGESTED, Outcome.AGENT_GONE, Outcome.CANCELLED})
"""Outcomes that use up no attempt of a record."""


def was_abandoned(outcome: Outcome, *, has_agents: bool) -> bool:
    """Whether a person who answered found no agent: also who opted out, in the message for such people."""
    return outcome is Outcome.ABANDONED or (has_agents and outcome is Outcome.OPTED_OUT)


class Held(Struct, frozen=True):
    """A record in the hands of the dialer, by a certain claim."""

    record: RecordId
    claim: int
    """Given anew with each claim: who holds an old one has no say over a record any more."""


GIVEN_BACK: Final = -1
"""In place of the number of a claim: it is over, and no other is meant."""
NO_WAY: Final = frozenset({"unknown-number", "not-allowed", "blocked"})
"""Why a record is given back whose number no trunk and no number plan leads to."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A record that may be dialled now, at one of its numbers, and why that is allowed."""

    campaign: CampaignName
    record: RecordId
    number: str
    """E.164."""
    position: int
    """Which of the record's numbers, from 0."""
    zone: str
    """IANA time zone that the window was judged by, such as `America/New_York`."""
    name: str = ""
    customer_id: str | None = None
    priority: int = 0
    attempts: int = 0
    """Of the whole record, before this one."""
    claim: int = 0
    """What it is held by."""
    lapses_at: float | None = None
    """The claim lapses then, seconds since 1970, unless it is kept up: not dialled from then on."""
    is_promised: bool = False
    """The person asked for this call."""
    has_past: bool = False
    """It was in somebody's hands before, whatever came of it: there may be attempts to tell of."""
    agent: AgentId | None = None
    """A call-back that was promised by this agent, or a number locked to one."""
    needs_agent: bool = False
    """Abandoned less than 72 h ago: dialled only with an agent reserved first."""
    facts: tuple[tuple[str, str], ...] = ()
    """Other columns of the list, for the card and the script."""
    until: float | None = None
    """Its window closes then, seconds since 1970: not dialled from then on. None: it never closes."""
    why: str = ""
    """In words, with the version of the rules: "08:00-21:00 local, 14:03 there; attempt 2 of 5; rules 1"."""

    @property
    def held(self) -> Held:
        """It, as it is given back."""
        return Held(self.record, self.claim)


class Attempt(Struct, frozen=True, kw_only=True):
    """What became of one dial. Times are seconds since 1970."""

    id: AttemptId
    campaign: CampaignName
    record: RecordId
    number: str
    caller_id: str
    """The number that was shown."""
    mode: Mode
    dialled_at: float
    why: str
    outcome: Outcome
    ended_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    greeting_ended_at: float | None = None
    """The first words of the person were over; from then on the law counts its two seconds."""
    message_began_at: float | None = None
    """A message of ours: the one for abandoned calls, the announcement, or what a machine recorded."""
    connected_at: float | None = None
    """When an agent heard the person."""
    agent: AgentId | None = None
    trunk: str = ""
    sip_status: int = 0
    """The final response; 0: none came."""
    reason: str = ""
    disposition: str = ""
    """What the agent chose; may come later as a second record of the same id."""
    call_back_at: float | None = None
    """A person asked to be called then; by `agent` if `call_back_mine`."""
    call_back_mine: bool = False
    judged: str = ""
    """How the answer was classified, with what was heard, as JSON (`acd.dialer.answers.record`)."""
    doubt: float = 0.0
    """It was ended as a machine's, which it was not with this probability: so much of an abandoned person."""
    decision: int = 0
    """The number of the pacer's decision that dialled it; 0: no pacer."""
    clicked_by: str = ""
    """Who clicked for this dial, where each needs a person's click."""
    clicked_at: float | None = None
    claim: int = 0
    """What the record was held by; 0: not known."""
    goes_on: bool = False
    """The two talk: it is told again when that is over."""

    def chosen(self, disposition: str, call_back_at: float | None, *, mine: bool) -> Attempt:
        """With what the agent chose; what it says nothing of (empty, None) stays as it was."""
        is_asked = call_back_at is not None
        return replace(
            self,
            disposition=disposition or self.disposition,
            call_back_at=call_back_at if is_asked else self.call_back_at,
            call_back_mine=mine if is_asked else self.call_back_mine,
        )


class Blocker(Struct, frozen=True, kw_only=True):
    """One reason why nothing, or not more, is dialled."""

    code: str
    """Stable, such as `outside-window`, `no-agents`, `abandon-cap`, `trunk-full`, `list-empty`."""
    words: str
    """One sentence: what is in the way, and what to do."""
    count: int = 0
    """Records it holds back; 0 where it holds back all."""
    until: float | None = None
    """When it ends by itself, seconds since 1970."""


class Funnel(Struct, frozen=True, kw_only=True):
    """What each filter leaves of a list, in the order in which they are asked."""

    campaign: CampaignName
    at: float
    total: int
    steps: tuple[Blocker, ...]
    """Each with the records that it takes away of those the earlier ones left."""
    callable: int
    """What is left: may be dialled now."""
