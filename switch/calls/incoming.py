"""A new INVITE: shed, refused, or a leg that goes to an entry or straight on to its callee."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from switch.calls.admission import Admission, Admitted, Denied, ToReplaced
from switch.calls.direct import DirectCalls
from switch.calls.events import CallRefused, IncomingLeg
from switch.calls.leg import Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.overload import Overload
from switch.calls.replacement import Replacements
from switch.calls.settings import CallSettings
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import MediaUnavailableError, RemoteProtocolError
from switch.ids import CallId, LegId
from switch.legible import legible
from switch.sip.events import Invited
from switch.sip.user_agent import UserAgent
from switch.trunks.number_plan import ToEntry, ToPhone, ToTrunk
from switch.trunks.source import Source

log = logging.getLogger(__name__)

_HOPS: Final = 70
"""Where the request does not say (RFC 3261 section 16.6, step 3)."""


class Incoming:
    """The door: what passes has rights, a destination, a port and an answer ready."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        admission: Admission,
        overload: Overload,
        media: LegMedia,
        legs: Legs,
        direct: DirectCalls,
        replacements: Replacements,
        settings: CallSettings,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
    ) -> None:
        self._ua = user_agent
        self._admission = admission
        self._overload = overload
        self._media = media
        self._legs = legs
        self._direct = direct
        self._replacements = replacements
        self._settings = settings
        self._clock = clock
        self._turn = turn
        self._new_id = new_id
        self.is_closed = False
        """The server is stopping: nothing new is begun."""

    def invited(self, event: Invited) -> None:
        """Take or refuse one INVITE. The offer is read now, so that 488 comes before any ringing."""
        verdict = self._judge(event)
        denied = verdict if isinstance(verdict, Denied) else self._take(event, verdict)
        if denied is not None:
            self._refuse(event, denied)

    def _take(self, event: Invited, admitted: Admitted) -> Denied | None:
        """Make a leg of an admitted call; None when it is on its way."""
        leg = self._leg(event, admitted)
        denied = self._prepare(leg, event, admitted)
        if denied is None:
            self._legs.add(leg, setup_timeout_s=self._settings.setup_timeout_s)
            self._pass_on(leg, admitted, _hops_left(event))
        return denied

    def _judge(self, event: Invited) -> Admitted | Denied:
        """Load comes first: shedding must cost less than what it sheds."""
        if self.is_closed:
            return Denied(status=503, reason="shutdown")
        reason = self._overload.refuses(self._legs.calls_alive)
        if reason is not None and not self._admission.is_emergency(event):
            return Denied(status=503, reason=reason)
        is_new = event.replaces is None  # others go where their call is, drained or not
        if is_new and not self._media.is_available:
            return Denied(status=503, reason="no-media")
        verdict = self._admission.judge(event, self._clock.now())
        if isinstance(verdict, Admitted) and _leads_on(verdict) and not _hops_left(event):
            return Denied(status=483, reason="too-many-hops")
        is_from_outside = isinstance(verdict, Admitted) and verdict.source is Source.TRUNK
        if is_from_outside and self._overload.keeps_back(self._legs.calls_alive):
            return Denied(status=503, reason="kept-for-phones")
        return verdict

    def _leg(self, event: Invited, admitted: Admitted) -> Leg:
        is_phone = admitted.source is Source.PHONE
        return Leg(
            id=LegId(self._new_id("leg")),
            call=CallId(self._new_id("call")),
            session=event.session,
            outbound=False,
            number=admitted.caller_number,
            dialled=admitted.called,
            phone=admitted.source_name if is_phone else None,
            trunk=None if is_phone else admitted.source_name,
            dtmf=admitted.dtmf,
            state=State.INVITED,
            began=self._clock.now(),
            has_offer=bool(event.offer),
        )

    def _mate(self, admitted: Admitted) -> Leg | None:
        """Whom the leg will talk to, or take the place of, where that is known already."""
        if isinstance(admitted.destination, ToReplaced):
            return self._replacements.replaced(admitted.destination.replaces)
        return None

    def _prepare(self, leg: Leg, event: Invited, admitted: Admitted) -> Denied | None:
        """Give the leg a port and write the SDP of its 200; None when all went well."""
        try:
            negotiation = self._media.open(leg, mate=self._mate(admitted))
        except MediaUnavailableError:
            return Denied(status=503, reason="no-media")
        if (address_for := self._settings.media_address) is not None:
            told = address_for(event.flow.remote[0], negotiation.address)
            negotiation.name_address(told)
        try:
            if event.offer:
                leg.body = negotiation.answer(event.offer)[1]
            else:
                leg.body = negotiation.make_offer()
        except BaseException as error:
            self._media.discard(leg)
            if not isinstance(error, RemoteProtocolError):
                raise
            log.debug("offer of %s refused: %s", event.session, error)
            reason = error.slug or "bad-offer"
            if error.status != 488:
                return Denied(status=error.status, reason=reason)
            # RFC 3261 section 21.4.26: what would have to change. Our own words, never the offer's.
            warning = f'399 {self._settings.host} "{str(error).replace(chr(34), chr(39))[:160]}"'
            return Denied(status=488, reason=reason, headers=(("Warning", warning),))
        return None

    def _pass_on(self, leg: Leg, admitted: Admitted, hops: int) -> None:
        if isinstance(admitted.destination, ToReplaced):
            self._replacements.begin(leg, admitted.destination.replaces)
            return
        if not isinstance(admitted.destination, ToEntry):
            self._direct.start(leg, admitted, admitted.destination, hops - 1)
            return
        self._turn.emit(
            IncomingLeg(
                leg=leg.id,
                call=leg.call,
                at=leg.began,
                entry=admitted.destination.entry,
                called=admitted.called,
                caller_number=admitted.caller_number,
                caller_name=admitted.caller_name,
                source=admitted.source,
                source_name=admitted.source_name,
                redirected_by=admitted.diverted.number if admitted.diverted else "",
                redirect_reason=admitted.diverted.reason if admitted.diverted else "",
                verstat=str(admitted.verdict.verstat) if admitted.verdict else "",
                attestation=admitted.verdict.attestation if admitted.verdict else "",
            )
        )

    def _refuse(self, event: Invited, denied: Denied) -> None:
        if denied.status == 503 and not denied.headers:
            retry = ("Retry-After", str(self._settings.retry_after_s))
            denied = replace(denied, headers=(*denied.headers, retry))
        self._ua.reject(event.session, denied.status, None, self._clock.now(), denied.headers)
        if denied.is_routine:
            return
        self._turn.emit(
            CallRefused(
                at=self._clock.now(),
                status=denied.status,
                reason=denied.reason,
                called=legible(event.request.request_uri.username),
                caller_number=legible(event.request.from_.uri.username),
            )
        )


def _leads_on(admitted: Admitted) -> bool:
    """The call goes straight on to a phone or a trunk; to an entry we are the end of its way."""
    return isinstance(admitted.destination, ToPhone | ToTrunk)


def _hops_left(event: Invited) -> int:
    """Max-Forwards: without it, two switches that lead a number to each other never stop."""
    given = event.request.headers.get("Max-Forwards")
    return _HOPS if given is None else int(given)
