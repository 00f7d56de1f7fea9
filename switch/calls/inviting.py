"""Writes the INVITEs of outbound legs: who calls, whom, by which way, with which headers."""

from __future__ import annotations

from urllib.parse import quote

from switch.calls.attempt import Attempt, Target
from switch.calls.diversion import USER_SAFE, sent_on
from switch.calls.settings import CallSettings
from switch.legible import legible
from switch.sdp.offer_answer import AudioNegotiation
from switch.sip.events import SessionId
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent import UserAgent


class Inviter:
    """Begins the sessions of outbound legs."""

    def __init__(self, user_agent: UserAgent, settings: CallSettings) -> None:
        self._ua = user_agent
        self._host = settings.host
        self._media_address = settings.media_address

    def invite(
        self, attempt: Attempt, target: Target, negotiation: AudioNegotiation, now: float
    ) -> SessionId:
        """Send an INVITE, with an offer of `negotiation` unless the target wants none.

        Raises:
            LocalProtocolError: the target's URI or a header is malformed.
        """
        if self._media_address is not None:
            told = self._media_address(target.flow.remote[0], negotiation.address)
            negotiation.name_address(told)
        headers = {**attempt.headers, **target.headers}
        number = attempt.number
        if target.hop is not None:
            number = target.hop.number
            headers |= sent_on(headers, target.hop.passed, number, self._host)
        if target.routes:
            headers["Route"] = ", ".join(target.routes)
        if not attempt.caller_number and target.caller is None:
            headers["Privacy"] = "id"  # RFC 3325 section 7: who is trusted may know, and not tell
        if target.late_offer:
            headers["Supported"] = (
                "timer, replaces"  # a reliable 183 would bring the offer too soon
            )
        return self._ua.invite(
            request_uri=target.request_uri,
            flow=target.flow,
            from_=self._caller(attempt) if target.caller is None else target.caller,
            to=NameAddr(self._own_uri(number) if target.called is None else target.called),
            offer=b"" if target.late_offer else negotiation.make_offer(),
            offer_otherwise=None if target.late_offer else negotiation.offer_otherwise,
            headers=headers,
            now=now,
            credentials=target.credentials,
        )

    def _caller(self, attempt: Attempt) -> NameAddr:
        if not attempt.caller_number:
            return NameAddr(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        name = legible(attempt.caller_name) or None
        return NameAddr(self._own_uri(attempt.caller_number), name)

    def _own_uri(self, number: str) -> Uri:
        return Uri("sip", quote(number, USER_SAFE), self._host)
