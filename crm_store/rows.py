"""What history is made of: plain rows, made anywhere, written later.

Every row can be written twice without harm. Times are seconds since the epoch (UTC).
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field


class InteractionRow(Struct, frozen=True, kw_only=True):
    """An interaction as far as it is known. A field that is None leaves what is stored."""

    interaction_id: str
    started: float
    revision: int
    """Grows from row to row of one interaction (the event's `seq` does)."""
    channel: str | None = None
    direction: str | None = None
    caller_number: str | None = None
    caller_name: str | None = None
    called: str | None = None
    queue: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    customer_id: str | None = None
    ended: float | None = None
    result: str | None = None
    reason: str | None = None
    waited_s: float | None = None
    talked_s: float | None = None
    held_s: float | None = None
    why: str | None = None
    decision: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None


class TimelineRow(Struct, frozen=True, kw_only=True):
    """One event of an interaction."""

    interaction_id: str
    seq: int
    at: float
    type: str
    data: Any = field(default_factory=dict)
    """A mapping, a dataclass or a Struct; becomes JSON."""


class NoteRow(Struct, frozen=True, kw_only=True):
    """A note."""

    note_id: str
    interaction_id: str
    at: float
    author: str
    text: str


class DispositionRow(Struct, frozen=True, kw_only=True):
    """A chosen outcome."""

    disposition_id: str
    interaction_id: str
    at: float
    author: str
    code: str


class RecordingRow(Struct, frozen=True, kw_only=True):
    """A recording; a later row with the same id replaces it."""

    recording_id: str
    interaction_id: str
    started: float
    path: str
    agent_id: str | None = None
    customer_id: str | None = None
    caller_number: str = ""
    queue: str | None = None
    duration_s: float = 0.0
    octets: int = 0
    sha256: str = ""
    error: str | None = None


class RecordingFileRow(Struct, frozen=True, kw_only=True):
    """The file of a recording that was found after a loss, by somebody who knows the file alone.

    It replaces what an earlier row says of the file, and nothing else. Where no row is, the recording is that
    of its interaction's agent, customer, number and queue, as they are when this is written.
    """

    recording_id: str
    interaction_id: str
    started: float
    path: str
    duration_s: float
    octets: int
    sha256: str
    error: str | None = None


class CallLegRow(Struct, frozen=True, kw_only=True, gc=False):
    """A leg that is over, or a call that was refused; see `crm_store.models.call_leg`.

    Written, and read again as it stands; a later row with the same id replaces it. `direction` is `in` or
    `out`.
    """

    leg_id: str
    call_id: str
    sip_call_id: str = ""
    interaction_id: str | None = None
    direction: str
    caller: str = ""
    called: str = ""
    phone: str | None = None
    trunk: str | None = None
    started: float
    rang: float | None = None
    answered: float | None = None
    ended: float
    result: str
    reason: str
    status: int = 0
    q850: int = 0
    ended_by: str = ""
    codec: str = ""
    user_agent: str = ""
    linked_call: str | None = None
    recording_id: str | None = None
    attended: str | None = None
    packets_received: int | None = None
    packets_sent: int | None = None
    packets_lost: int | None = None
    remote_lost: int | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    mos: float | None = None


HistoryRow = (
    InteractionRow
    | TimelineRow
    | NoteRow
    | DispositionRow
    | RecordingRow
    | RecordingFileRow
    | CallLegRow
)

ROW_KINDS: Final[dict[str, type[HistoryRow]]] = {
    "interaction": InteractionRow,
    "timeline": TimelineRow,
    "note": NoteRow,
    "disposition": DispositionRow,
    "recording": RecordingRow,
    "recording-file": RecordingFileRow,
    "leg": CallLegRow,
}
KIND_OF_ROW: Final[dict[type[HistoryRow], str]] = {row: kind for kind, row in ROW_KINDS.items()}
