"""The part of the public catalogue that is about call detail records and traces of calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLegView:
    """One leg of a call that is over, or a call that was refused before it had one."""

    leg_id: str
    call_id: str
    """Legs of one call have the same."""
    sip_call_id: str = ""
    interaction_id: str | None = None
    direction: str
    """`in`: they called us; `out`: we called."""
    caller: str = ""
    """Empty: withheld."""
    called: str = ""
    phone: str | None = None
    """The phone of ours behind it."""
    trunk: str | None = None
    started: float
    rang: float | None = None
    answered: float | None = None
    ended: float
    result: str
    """`completed`, `cancelled`, `no-answer`, `busy`, `rejected`, `unreachable`, `failed`."""
    reason: str
    """One slug: `caller-hung-up`, `rtp-timeout`, `unknown-number`, ..."""
    status: int = 0
    """The SIP status that ended it; 0: none did."""
    q850: int = 0
    """The cause of the telephone network that the peer gave (ITU-T Q.850); 0: none."""
    ended_by: str = ""
    """`peer` or `us`."""
    codec: str = ""
    user_agent: str = ""
    linked_call: str | None = None
    """The call it was transferred from, or wanted to pick up, or the number that sent it on."""
    recording_id: str | None = None
    attended: str | None = None
    """The supervisor who attended a conversation by it, and how: `boss: monitor, barge`."""
    packets_received: int | None = None
    packets_sent: int | None = None
    packets_lost: int | None = None
    """On the way to us."""
    remote_lost: int | None = None
    """On the way to the peer, as it said by RTCP."""
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    mos: float | None = None
    """Estimated mean opinion score of the worse direction, 1 to 4.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLegPage:
    """Answer of `GET /api/v1/calls`: newest first."""

    legs: tuple[CallLegView, ...]
    next: str = ""
    """To be given as `cursor` for the next page; empty: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One SIP message of a traced call."""

    after_s: float
    """Since the first one."""
    peer: str
    """Address and transport of the other side."""
    is_out: bool
    words: str
    """The method, or status and phrase."""
    sip_call_id: str
    octets: int
    text: str = ""
    """The whole message, secrets blanked; for administrators only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceView:
    """The signalling of one call."""

    call_id: str
    started: float
    live: bool
    ladder: str
    """The messages drawn, as text for a fixed-width font."""
    mermaid: str
    """The same as a sequence diagram of Mermaid."""
    messages: tuple[MessageView, ...] = ()
