"""The part of the public catalogue that is about the server itself; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """The server is stopping: it takes no new calls, and those that run may finish."""

    stopping: bool
    stops_at: float | None = None
    """Calls that still run then are ended."""
    calls_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    """A media gateway went or came."""

    available: bool
    """Whether there is any now."""
    detail: str = ""
    lost_legs: int = 0
    name: str = ""
    """Which one."""
    is_lost: bool = False
    """This one went; others may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """One media gateway."""

    name: str
    state: str
    """`up`, `draining` (it takes no new calls), `unfit` (it lacks prompts, and takes none), `away` (out of
    reach, its calls go on), `down`."""
    address: str = ""
    """Of its RTP ports; empty while it is down."""
    control: str = ""
    """Where it is commanded: `tcp://host:port`, or empty for one on the server's own machine."""
    process: str = ""
    pid: int | None = None
    legs: int = 0
    """Legs of calls that it has by the server's orders."""
    weight: float = 1.0
    """Its share of the calls, compared with that of the others."""
    lacks: tuple[str, ...] = ()
    """Prompts that the server has and it has not, at most ten of them."""
    figures: dict[str, float] = field(default_factory=dict)
    """Its counters; sent every second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackView:
    """A step on the way of calling a customer back whom our side cut off."""

    state: str
    """`planned`, `dialled`, `failed`, `answered`, `not-possible`, `given-up`."""
    number: str
    attempt: int = 0
    reason: str = ""
    """Why it failed, is not possible or was given up: one slug."""
    again_at: float | None = None
    """When it is dialled again, at the earliest."""
    joined_id: str | None = None
    """The interaction that goes on for this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call was refused."""

    status: int
    reason: str
    called: str
    caller_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """Answer of `GET /api/v1/status`: what lives in the server, and what it has counted.

    The counters run since the start of the process they belong to.
    """

    at: float = 0.0
    uptime_s: float = 0.0
    legs: int = 0
    calls: int = 0
    contacts: int = 0
    sessions: int = 0
    """SIP sessions, those included that still owe the peer an answer."""
    faults: int = 0
    """Exceptions caught at the call boundary; each ended one call and is in the log."""
    shed: int = 0
    """Calls refused with 503 because of load."""
    gateway: dict[str, float] = field(default_factory=dict)
    """The counters of all media gateways together, of lateness the worst; sent every second."""
    gateways: tuple[GatewayStatus, ...] = ()
    """Each of them."""
    sip: dict[str, int] = field(default_factory=dict)
    """Messages, retransmissions, malformed ones, and so on."""
    history: dict[str, int] = field(default_factory=dict)
    """Rows written, waiting, spilled to disk."""
    pops: dict[str, int] = field(default_factory=dict)
    """Offers whose card was confirmed in time, and those that rang without."""
    refused: dict[str, int] = field(default_factory=dict)
    """Calls refused, by reason."""
    guard: dict[str, int] = field(default_factory=dict)
    """Addresses remembered and banned, messages dropped, offences by kind."""
