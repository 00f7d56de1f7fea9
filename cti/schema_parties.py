"""The part of the public catalogue that is about transfer, conference and supervision."""

from __future__ import annotations

from dataclasses import dataclass

from cti.value import value


@value
class PartyView:
    """Somebody who is called for an interaction, takes part in it, or did."""

    number: str
    state: str
    """`calling`, `ringing`, `talking` (with the agent alone), `held` (hears music), `joined` (with
    everybody), `left`, `failed` (not reached)."""
    agent_id: str | None = None
    reason: str = ""
    """Why it left or failed: one slug, as `busy`, `no-answer`, `not-found`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """Somebody else has the interaction now, or it waits in a queue."""

    kind: str
    """`blind`, `attended`, `queue`, `left` (the agent left a conference), `taken-over`, `returned`
    (nobody took it)."""
    former_id: str | None = None
    """The agent who had it."""
    agent_id: str | None = None
    """The agent who has it; None: a number outside, or a queue."""
    number: str = ""
    queue: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionView:
    """An act of a supervisor on a live interaction."""

    by: str
    """Login."""
    number: str
    """The supervisor's phone."""
    role: str
    """`monitor`, `whisper`, `barge`."""
    state: str
    """`calling`, `attending`, `joined` (took over), `left`, `failed`."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """Somebody to consult, or to transfer to. `GET /api/v1/agents/directory` lists agents and queues."""

    kind: str
    """`agent`, `queue` or `number`."""
    id: str
    """The agent's number, the queue's name."""
    name: str = ""
    state: str = ""
    """Of an agent."""
    waiting: int = 0
    """In a queue."""
    available: int = 0
    """Agents of a queue who are free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultRequest:
    """Body of `POST /api/v1/interactions/{id}/consult`."""

    number: str
    """An agent, a phone, or a number outside that the agent's phone may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """Body of `POST /api/v1/interactions/{id}/transfer`: to a number or to a queue, at once."""

    number: str = ""
    queue: str = ""
    head: bool = False
    """To the head of the queue, not to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRequest:
    """Body of `POST /api/v1/interactions/{id}/parties/remove`."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperviseRequest:
    """Body of `POST /api/v1/interactions/{id}/supervise`: begin, or change the role."""

    role: str
    """`monitor`, `whisper`, `barge`, `take-over`."""
    phone: str = ""
    """The supervisor's phone; empty: that of the agent the supervisor is."""
