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
    number: str = ""
    """Another number than the one dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportColumn:
    """A column of a file, and what it becomes."""

    column: str
    """Its name in the file."""
    field: str
    """`number`, `number2`, ..., `name`, `zone`, `priority`, `reference`, `fact` or `ignore`."""
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreviewView:
    """What would become of a file: nothing is kept."""

    columns: tuple[ImportColumn, ...] = ()
    rows: int = 0
    """Looked at."""
    good: int = 0
    duplicates: int = 0
    forbidden: int = 0
    """On a do-not-call list."""
    bad: int = 0
    problems: tuple[str, ...] = ()
    """The first ones, with their line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """An import, as far as it is."""

    import_id: str
    campaign: str
    file: str
    state: str
    """`running`, `done`, `failed`, `undone`."""
    started: float
    by: str = ""
    read: int = 0
    """Rows so far."""
    size: int = 0
    """Octets of the file, and how far it is read."""
    position: int = 0
    added: int = 0
    duplicates: int = 0
    blocked: int = 0
    bad: int = 0
    errors_file: str = ""
    """Where the refused rows are, with their reasons, on the server; also at `.../errors`."""
    words: str = ""
    """What went wrong, or how it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbidRequest:
    """Body of `POST /api/v1/do-not-call`: never call this number."""

    number: str
    campaign: str = ""
    """For this campaign alone; empty: for the centre."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenView:
    """A number on a do-not-call list."""

    number: str
    campaign: str = ""
    """Empty: the centre's."""
    reason: str = ""
    source: str = ""
    """`person`, `import` or `opt-out`."""
    since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """Who did what to a campaign."""

    at: float
    campaign: str
    by: str
    what: str
    """`create`, `start`, `pause`, `finish`, `set`, `copy`, `import`, `undo-import`, `forbid`, `click`, ..."""
    words: str = ""
