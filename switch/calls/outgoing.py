"""Legs that we call: phones at their newest binding, numbers through a trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from msgspec import Struct, field

from switch.calls.causes import INTERNAL_ERROR, EndCause, Result
from switch.calls.leg import Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legible import legible
from switch.calls.legs import Legs
from switch.calls.settings import CallSettings
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import MediaUnavailableError
from switch.ids import CallId, LegId
from switch.registrar.location import Location
from switch.sip.events import SessionId
from switch.sip.flow import Flow
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent import UserAgent
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings

_USER_SAFE = "+*#&=$,?/!~'()-_."
"""Characters that may stand unescaped in the user part of a SIP URI (RFC 3261 section 25.1)."""


class Attempt(Struct, frozen=True, kw_only=True):
    """What a new outbound leg is to be."""

    call: CallId
    number: str
    """Whom we call."""
    caller_number: str
    """Empty: withheld."""
    caller_name: str
    ring_timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra headers of the INVITE."""


class Outgoing:
    """Starts outbound legs. A leg that cannot start is reported as started and ended at once."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        location: Location,
        trunks: Mapping[str, TrunkSettings],
        limits: TrunkLimits,
        media: LegMedia,
        legs: Legs,
        settings: CallSettings,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
    ) -> None:
        self._ua = user_agent
        self._location = location
        self._trunks = trunks
        self._limits = limits
        self._media = media
        self._legs = legs
        self._settings = settings
        self._clock = clock
        self._turn = turn
        self._new_id = new_id

    def phone(self, attempt: Attempt) -> LegId:
        """Call the phone `attempt.number` at its newest binding."""
        leg = self._leg(attempt, phone=attempt.number, trunk=None)
        bindings = self._location.bindings(attempt.number, leg.began)
        if not bindings:
            self._legs.report_stillborn(leg, EndCause(Result.UNREACHABLE, "no-binding", 480))
            return leg.id
        newest = bindings[0]
        self._start(leg, attempt, newest.contact_uri, newest.flow)
        return leg.id

    def trunk(self, name: str, attempt: Attempt) -> LegId:
        """Call `attempt.number` through the trunk `name`."""
        leg = self._leg(attempt, phone=None, trunk=name)
        trunk = self._trunks.get(name)
        if trunk is None or trunk.proxy_host is None:
            self._legs.report_stillborn(leg, EndCause(Result.UNREACHABLE, "no-route", 404))
        elif not self._limits.has_room(name):
            self._legs.report_stillborn(leg, EndCause(Result.REJECTED, "trunk-full", 503))
        else:
            remote = (trunk.proxy_host, trunk.proxy_port)
            uri = Uri("sip", quote(attempt.number, _USER_SAFE), *remote)
            flow = Flow(trunk.transport, remote, self._settings.sip_address)
            self._start(leg, attempt, str(uri), flow)
        return leg.id

    def _leg(self, attempt: Attempt, *, phone: str | None, trunk: str | None) -> Leg:
        return Leg(
            id=LegId(self._new_id("leg")),
            call=attempt.call,
            session=SessionId(""),
            outbound=True,
            number=attempt.number,
            phone=phone,
            trunk=trunk,
            state=State.CALLING,
            began=self._clock.now(),
        )

    def _start(self, leg: Leg, attempt: Attempt, request_uri: str, flow: Flow) -> None:
        """Invite; whatever goes wrong, the leg is reported as started and as ended."""
        self._turn.guard(None, lambda: self._invite(leg, attempt, request_uri, flow))
        if self._legs.get(leg.id) is None and leg.state is not State.ENDED:
            self._legs.report_stillborn(leg, INTERNAL_ERROR)

    def _invite(self, leg: Leg, attempt: Attempt, request_uri: str, flow: Flow) -> None:
        try:
            offer = self._media.open(leg).make_offer()
        except MediaUnavailableError:
            self._legs.report_stillborn(leg, EndCause(Result.FAILED, "no-media", 503))
            return
        try:
            leg.session = self._ua.invite(
                request_uri=request_uri,
                flow=flow,
                from_=self._caller(attempt),
                to=NameAddr(self._own_uri(attempt.number)),
                offer=offer,
                headers=attempt.headers,
                now=leg.began,
            )
        except BaseException:
            self._media.discard(leg)
            raise
        self._legs.add(leg, setup_timeout_s=attempt.ring_timeout_s)

    def _caller(self, attempt: Attempt) -> NameAddr:
        if not attempt.caller_number:
            return NameAddr(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        name = legible(attempt.caller_name) or None
        return NameAddr(self._own_uri(attempt.caller_number), name)

    def _own_uri(self, number: str) -> Uri:
        return Uri("sip", quote(number, _USER_SAFE), self._settings.host)
