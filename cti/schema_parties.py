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
    name: str = ""
    """The agent's; empty: it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """Somebody else has the interaction now, or it waits in a queue."""

    kind: str
    """`blind`, `attended`, `queue`, `left` (the agent left a conference), `taken-over`, `returned`
    (nobody took it), `parked` (`number` is the place), `picked-up` (from there)."""
    former_id: str | None = None
    """The agent who had it."""
    agent_id: str | None = None
    """The agent who has it; None: a number outside, or a queue."""
    number: str = ""
    queue: str | None = None


@value
class ParkedView:
    """A parking place that is taken, what happens in it, or that it is free again."""

    slot: str
    """The number by which any phone fetches the call."""
    state: str
    """`parked`, `fetching` (a phone is called for it), `recalling` (who parked it is called); free
    again: `fetched`, `returned` (to who parked it), `passed-on` (nobody wanted it), `gone`."""
    since: float
    interaction_id: str
    caller_number: str
    caller_name: str = ""
    customer_name: str = ""
    queue: str | None = None
    by: str = ""
    """The phone that parked it."""
    by_name: str = ""
    """Its agent, if it has one."""
    number: str = ""
    """The phone that is called for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkRequest:
    """Body of `POST /api/v1/interactions/{id}/park`."""

    slot: str = ""
    """A certain place; empty: the next free one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkReply:
    """Where the call is parked."""

    slot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Body of `POST /api/v1/parked/{slot}/fetch`."""

    phone: str = ""
    """The phone to be called; empty: that of the agent one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PickUpRequest:
    """Body of `POST /api/v1/parked/pick-up`: somebody else's ringing call."""

    number: str = ""
    """Where it rings; empty: at any agent of the same queues."""
    phone: str = ""
    """The phone to be called; empty: that of the agent one is."""


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
