"""The part of the public catalogue that is about what happens to an interaction."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import Struct


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """A caller reached a node of a flow."""

    flow: str
    node: str
    verb: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverted:
    """An offer failed; the contact waits again at its place."""

    failure: str
    """A value of `acd.model.OfferFailure`."""
    rang_s: float


class Cleared(Struct, frozen=True, kw_only=True, gc=False):
    """How it ended and what it took."""

    result: str
    """`answered`, `abandoned`, `menu` (ended in the menu), `timeout`, `failed` (something broke, ours
    or a server of theirs); without a queue `direct` (they talked), `busy`, `no-answer`, `rejected`,
    `unreachable`, `cancelled` (the agent gave up before the answer)."""
    reason: str
    """One slug: `caller-hung-up`, `agent-hung-up`, `rtp-timeout`, ..."""
    waited_s: float = 0.0
    talked_s: float = 0.0
    held_s: float = 0.0
    loss: float | None = None
    """Share of the caller's packets that never came, 0 to 1."""
    jitter_ms: float | None = None
    facts: dict[str, str] = msgspec.field(default_factory=dict)
    """What the caller entered in the menu."""
    was_dialled: bool = True
    """False: we were to call somebody, and did not get so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The caller was told where it stands."""

    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """A recording."""

    recording_id: str
    duration_s: float = 0.0
    octets: int = 0
    sha256: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """An agent wrote a note."""

    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionSet:
    """An agent chose an outcome."""

    code: str
    author: str
