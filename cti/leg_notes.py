"""What is noted of a leg for its call detail record."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from switch.calls.causes import EndCause
from switch.calls.leg import Leg
from switch.ids import CallId, LegId
from switch.sip.flow import Flow
from switch.sip.session import Session
from switch.sip.session_facts import caller_agent, flow_of, local_user


class LegNotes(Struct):
    """What is known of one leg.

    Most of it is read from the leg and its sessions when it is over, or when somebody asks: a call
    that begins only leaves a reference to them.
    """

    leg: LegId
    call: CallId
    outbound: bool
    number: str
    """The other side's."""
    phone: str | None
    started: float
    """Monotonic seconds, as all moments here."""
    live: Leg | None
    """None: it never had a session, or was read already."""
    sessions: tuple[Session, ...] = ()
    """Several where it was tried in several places; the one that counts is the last."""
    called_as: str = ""
    """The number that was dialled to reach us, where it is known to be another than our address's."""
    rang: float | None = None
    linked: str | None = None
    ended: float | None = None
    by_peer: bool = False
    cause: EndCause | None = None
    interaction: str | None = None
    caller: str = ""
    called: str = ""
    trunk: str | None = None
    answered: float | None = None
    codec: str = ""
    watcher: str = ""
    """The supervisor who attends a conversation by it, by login."""
    roles: tuple[str, ...] = ()
    """How, one after the other: `monitor`, `whisper`, `barge`, `take-over`."""
    call_ids: tuple[str, ...] = ()
    """Of the sessions, in their order."""
    flow: Flow | None = None
    user_agent: str = ""

    def attends(self, watcher: str, role: str) -> None:
        """A supervisor attends a conversation by it, in this role from now on."""
        self.watcher = watcher
        if self.roles[-1:] != (role,):
            self.roles += (role,)

    @property
    def attended(self) -> str | None:
        """Who attended a conversation by it, and how; None: nobody did."""
        return f"{self.watcher}: {', '.join(self.roles)}" if self.roles else None

    def belong(self, interaction: str, call: CallId) -> None:
        """It is part of an interaction, whose call may be another: it has fetched that, or picked it up."""
        self.interaction = interaction
        if call != self.call:
            self.linked = call

    def read(self) -> None:
        """Take what leg and sessions say now."""
        leg = self.live
        own = ""
        if leg is not None:
            self.trunk = leg.trunk
            self.answered = leg.answered_at or None
            agreed = leg.negotiation.current if leg.negotiation is not None else None
            self.codec = "" if agreed is None else agreed.codec
        self.call_ids = tuple(dict.fromkeys(each.invite.call_id for each in self.sessions))
        for session in self.sessions:
            self.flow = flow_of(session)
            self.user_agent = self.user_agent or caller_agent(session)
            own = own or local_user(session)
        own = "" if own == "anonymous" else own
        if self.outbound:
            self.caller, self.called = own, self.number
        else:
            self.caller, self.called = self.number, self.called_as or own

    def let_go(self) -> None:
        """Nothing more will be read: leg and sessions need not be kept for this."""
        self.read()
        self.live, self.sessions = None, ()


def names_of(legs: Iterable[LegNotes]) -> dict[str, str]:
    """What to call the peers of a ladder: phone, trunk or number by address and transport."""
    found = {}
    for leg in legs:
        if leg.flow is not None:
            host, port = leg.flow.remote
            shown = f"[{host}]" if ":" in host else host
            other = leg.called if leg.outbound else leg.caller
            found[f"{shown}:{port} {leg.flow.transport}"] = other or leg.trunk or "anonymous"
    return found
