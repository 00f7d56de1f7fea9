"""What the store tells about outbound: plain records. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from acd.dialer.model import (
    NOT_AN_ATTEMPT,
    CampaignName,
    CampaignState,
    Mode,
    Outcome,
    RecordId,
    RecordState,
    was_abandoned,
)
from acd.dialer.settings import CampaignSettings
from acd.model import AgentId


class Campaign(Struct, frozen=True, kw_only=True):
    """One campaign as it is now."""

    name: CampaignName
    state: CampaignState
    settings: CampaignSettings
    version: int
    """Grows by one with each change of settings or state."""
    created_at: float
    created_by: str
    changed_at: float
    changed_by: str
    finished_at: float | None = None


class CampaignVersion(Struct, frozen=True, kw_only=True):
    """What a campaign was told at one time."""

    version: int
    at: float
    by: str
    """Login of who changed it; `system` where a rule did."""
    what: str
    """The change in words: "limits.per_day 3 -> 2; ends '' -> '2026-12-24T18:00'"."""
    state: CampaignState
    settings: CampaignSettings


class Penetration(Struct, frozen=True, kw_only=True):
    """How far a list has been worked through."""

    campaign: CampaignName
    total: int
    untouched: int
    """Never dialled, and may still be."""
    by_state: Mapping[str, int]
    """Records by `RecordState`."""
    by_stage: Mapping[str, int]
    """The same in finer words, such as `retry`, `call-back`, `reached`, `no-number`."""
    by_outcome: Mapping[str, int]
    """Records by the outcome of their last attempt; those without any are left out."""
    tried: int = 0
    """Records that were dialled, and not only read, or given back."""
    goal_reached: int
    """Records that count towards `CampaignSettings.goal`."""
    attempts: int


class NumberView(Struct, frozen=True, kw_only=True):
    """One number of a record."""

    position: int
    number: str
    region: str
    """`US-FL US-TX`: that of the number, and another that the list names."""
    zones: tuple[str, ...]
    dead: bool = False
    """It turned out to be no number, or a fax machine."""


class RecordView(Struct, frozen=True, kw_only=True):
    """One record of a list."""

    id: RecordId
    campaign: CampaignName
    batch: int
    """The import it came by."""
    name: str
    customer_id: str | None
    numbers: tuple[NumberView, ...]
    position: int
    """The number that comes next."""
    facts: Mapping[str, str]
    priority: int
    state: RecordState
    stage: str
    due_at: float | None
    attempts: int
    last_outcome: str
    last_disposition: str
    last_at: float | None
    call_back_agent: AgentId | None = None


class AttemptView(Struct, frozen=True, kw_only=True):
    """One attempt as it is kept."""

    id: str
    campaign: CampaignName
    record: RecordId
    name: str
    """Of the person, as the list had it."""
    number: str
    region: str
    zone: str
    local_time: str
    """`2026-11-22 14:03`, there, when it was dialled."""
    caller_id: str
    mode: str
    dialled_at: float
    rang_at: float | None
    answered_at: float | None
    greeting_ended_at: float | None
    """The law counts its two seconds from here; None: nobody was found to have answered."""
    message_began_at: float | None
    """Of ours: for who is abandoned, an announcement, or left on a machine."""
    connected_at: float | None
    ended_at: float
    agent: str | None
    clicked_by: str
    """The person whose click dialled it; empty: none did."""
    clicked_at: float | None
    trunk: str
    outcome: str
    disposition: str
    sip_status: int
    reason: str
    why: str
    """Why it was allowed."""
    rules: int
    """Version of the rules that allowed it."""
    settings_version: int
    """Version of the campaign's settings at that time."""
    judged: str
    decision: int
    doubt: float = 0.0
    """So much of an abandoned person, where it was ended as a machine's."""

    @property
    def is_dialled(self) -> bool:
        """A phone was called. Not so where an agent only read the record, or no way led out."""
        return self.outcome not in NOT_AN_ATTEMPT or bool(
            self.trunk or self.caller_id or self.rang_at
        )

    @property
    def is_abandoned(self) -> bool:
        """A person who answered found no agent, whatever it did then: to opt out is another fact."""
        return was_abandoned(Outcome(self.outcome), has_agents=self.mode != Mode.ANNOUNCEMENT)


class BatchState(StrEnum):
    """What became of an import."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It stopped half-way; what it had read is there and can be taken back."""
    UNDONE = "undone"


class BatchView(Struct, frozen=True, kw_only=True):
    """One import."""

    id: int
    campaign: CampaignName | None
    """None: a do-not-call list."""
    is_national: bool
    """Of do-not-call lists: the national one."""
    file: str
    state: BatchState
    at: float
    by: str
    rows: int
    added: int
    duplicates: int
    refused: int
    """Rows that could not be used; they are in the error file."""
    blocked: int
    """Added, but on a do-not-call list."""
    remaining: int | None = None
    """After an undo: what could not be taken back."""
    note: str = ""


class Target(StrEnum):
    """What a column of a file may be. Everything else becomes a fact under its header."""

    PHONE = "phone"
    """May be given to several columns; their order is the order of dialing."""
    NAME = "name"
    FIRST_NAME = "first-name"
    LAST_NAME = "last-name"
    PRIORITY = "priority"
    ZONE = "zone"
    """An IANA time zone; adds to what the number says."""
    REGION = "region"
    """Such as `US-FL`; its rules count as well as those of what the number says."""
    REFERENCE = "reference"
    """A customer's key of another system."""
    AGENT = "agent"
    """Who alone may call."""
    FACT = "fact"
    IGNORE = "ignore"


class Column(Struct, frozen=True, kw_only=True):
    """What is made of one column."""

    index: int
    header: str
    target: Target
    guessed: bool = True


class Problem(Struct, frozen=True, kw_only=True):
    """One row that is not as it should be."""

    row: int
    """As a spreadsheet counts: from 1, the headers included."""
    code: str
    """`no-number`, `bad-number`, `duplicate-in-file`, `duplicate-in-list`, `do-not-call`, `too-long`,
    `unreadable`, `unknown-zone`."""
    words: str
    fatal: bool = True
    """False: the row is taken all the same."""


class PreviewRow(Struct, frozen=True, kw_only=True):
    """One row as it would be read."""

    row: int
    name: str
    numbers: tuple[str, ...]
    """E.164, in the order of dialing."""
    places: tuple[str, ...]
    """Region and zones of each: "US-FL America/New_York"."""
    priority: int
    facts: Mapping[str, str]
    customer_id: str | None
    problems: tuple[Problem, ...] = ()


class Preview(Struct, frozen=True, kw_only=True):
    """What an import would make of a file's first rows."""

    file: str
    format: str
    """`csv` or `xlsx`."""
    encoding: str
    delimiter: str
    sheet: str
    columns: tuple[Column, ...]
    rows: tuple[PreviewRow, ...]
    problems: tuple[Problem, ...]
    """Of the file as a whole: row 0."""
    has_header: bool = True


class Progress(Struct, frozen=True, kw_only=True):
    """How far an import is."""

    batch: int
    rows: int
    share: float
    """0 to 1, by octets of the file."""
    added: int
    refused: int


class Undone(Struct, frozen=True, kw_only=True):
    """What an undo did."""

    batch: int
    removed: int
    remained: int
    why: str
    """In words: "12 were dialled, 1 is being dialled now"."""


class Scope(StrEnum):
    """For whom a do-not-call entry counts."""

    CENTRE = "centre"
    CAMPAIGN = "campaign"
    NATIONAL = "national"
    """Imported; counts for all, and is replaced by the next import."""


class DoNotCallEntry(Struct, frozen=True, kw_only=True):
    """One number that is not called."""

    number: str
    scope: Scope
    campaign: CampaignName | None
    reason: str
    source: str
    """`opt-out` (a key during a message), `agent`, `supervisor`, `import`, ..."""
    by: str
    added_at: float
    until: float | None = None
    batch: int | None = None


class RemovedEntry(Struct, frozen=True, kw_only=True):
    """What was taken off a do-not-call list."""

    entry: DoNotCallEntry
    at: float
    by: str
