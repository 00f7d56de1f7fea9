"""The part of the public catalogue that is what people send to campaigns; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRequest:
    """Body of `POST /api/v1/campaigns`: a new one, which dials nothing until it is started."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    """As `GET /api/v1/campaigns/schema` has it; what is not said has its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignChangeRequest:
    """Body of `POST /api/v1/campaigns/{name}/settings`: what is to be different from now on.

    Tables are changed key by key (`{"limits": {"calls": 5}}`), lists as a whole; null: the default.
    """

    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStopRequest:
    """Body of `pause` and `finish`."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCopyRequest:
    """Body of `POST /api/v1/campaigns/{name}/copy`: the settings, and the list if wanted."""

    name: str
    with_list: bool = False
    """The records too, as if none had been dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRequest:
    """Body of `POST /api/v1/agents/me/preview/skip`."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackRequest:
    """Body of `POST /api/v1/interactions/{id}/call-back`: the customer wants to be called then."""

    at: float
    """Seconds since the epoch; must be to come."""
    mine: bool = False
    """By the same agent; otherwise by anyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadView:
    """A file that was sent, and waits to be imported. It is kept for a day."""

    upload_id: str
    name: str
    """As people know it."""
    size: int
    """Octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Body of `.../imports` and `.../imports/preview`."""

    upload_id: str
    mapping: dict[str, str] = field(default_factory=dict)
    """By header or letter of a column (`A`, `AB`) what it is: `phone`, `name`, `first-name`, `last-name`,
    `priority`, `zone`, `region`, `reference`, `agent`, `fact`, `ignore`. Overrides what is guessed."""
    sheet: str = ""
    """Of an XLSX file; empty: the first."""
    region: str = ""
    """Country (ISO 3166) of numbers without one; empty: the site's."""
    may_shrink: bool = False
    """A national do-not-call list takes the place of the one before though it has much fewer numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecycleRequest:
    """Body of `POST .../recycle`: which records that are done are dialled again.

    Those whose last attempt ended so, by outcome or by what the agent chose; neither: all that were not
    reached. Blocked ones stay blocked.
    """

    outcomes: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    fresh: bool = False
    """Their attempts are forgotten: `limits.attempts` counts from 0."""
    dry: bool = False
    """Only say how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportColumnView:
    """What is made of one column."""

    header: str
    target: str
    guessed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblemView:
    """One row that is not as it should be."""

    row: int
    """As a spreadsheet counts: from 1, the headers included; 0: the file as a whole."""
    code: str
    words: str
    fatal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRowView:
    """One row as it would be read."""

    row: int
    name: str
    numbers: tuple[str, ...]
    places: tuple[str, ...]
    priority: int
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreviewView:
    """What an import would make of a file's first rows: nothing is kept."""

    file: str
    format: str
    encoding: str
    delimiter: str
    sheet: str
    columns: tuple[ImportColumnView, ...]
    rows: tuple[ImportRowView, ...]
    problems: tuple[ImportProblemView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """An import, as far as it is."""

    import_id: int
    """0: it has not begun to read."""
    campaign: str
    """Empty: a do-not-call list."""
    file: str
    state: str
    """`running`, `done`, `failed`, `undone`."""
    at: float
    by: str
    rows: int = 0
    share: float = 0.0
    """Of the file, 0 to 1."""
    added: int = 0
    duplicates: int = 0
    refused: int = 0
    blocked: int = 0
    """Added, but on a do-not-call list."""
    remaining: int | None = None
    """After an undo: what could not be taken back."""
    errors_file: str = ""
    """On the server: the refused rows with their reasons; also at `.../errors`. Empty: there is none."""
    note: str = ""
    national: bool = False
    """Of do-not-call lists: the national one; else one of the centre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneView:
    """What taking back an import did."""

    import_id: int
    removed: int
    remained: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbidRequest:
    """Body of `POST /api/v1/do-not-call` and `.../remove`: these numbers, in any notation."""

    numbers: tuple[str, ...]
    campaign: str = ""
    """For this campaign alone; empty: for the centre."""
    reason: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenView:
    """A number on a do-not-call list."""

    number: str
    scope: str
    """`centre`, `campaign` or `national`."""
    campaign: str
    reason: str
    source: str
    """`opt-out`, `agent`, `supervisor`, `import`, ..."""
    by: str
    added_at: float
    until: float | None = None
    removed_at: float | None = None
    """It was taken off the list then, and counts no more."""
    removed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """Who did what to a campaign."""

    at: float
    campaign: str
    by: str
    """A login; `system` where a rule did it."""
    what: str
    """One slug: `settings`, `state`, `import`, `undo-import`."""
    words: str = ""
    """`limits.per_day 3 -> 2`"""
    version: int = 0
    """Of the campaign, from then on; 0: it did not change."""
    state: str = ""
    """Of the campaign, from then on."""
