"""One attempt on a trunk as an INVITE: where it goes, whom it names, what it proves."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from switch.calls.attempt import Target
from switch.calls.settings import CallSettings
from switch.legible import legible
from switch.sip.flow import Flow
from switch.sip.uri import NameAddr, Uri
from switch.trunks.hunt import USER_SAFE, Departure
from switch.trunks.identity import CallerId
from switch.trunks.trunks import Trunks

Signer = Callable[[Departure, bool], str | None]
"""Makes the Identity header of a call that leaves (RFC 8224), None for one that gets none. The second
argument tells whether its caller came in on a trunk: then we only pass on what others said."""


class Departing:
    """Makes targets of departures."""

    def __init__(self, trunks: Trunks, settings: CallSettings, sign: Signer) -> None:
        self._trunks = trunks
        self._settings = settings
        self._sign = sign

    def target(self, departure: Departure, *, is_passed_on: bool) -> Target:
        """Describe the INVITE of an attempt."""
        caller, where = departure.caller, departure.target
        headers = self._asserted(caller)
        identity = self._sign(departure, is_passed_on) if departure.trunk.sign else None
        if identity is not None:
            headers["Identity"] = identity
        uri = departure.request_uri
        return Target(
            request_uri=str(uri),
            flow=Flow(where.transport, (where.host, where.port), self._settings.sip_address),
            routes=self._trunks.service_route(departure.trunk.name),
            credentials=self._trunks.credentials(departure.trunk.name),
            caller=self._from(caller),
            called=Uri("sip", uri.user, uri.host),  # no port there (RFC 3261 section 19.1.1)
            headers=headers,
            trunk=departure.trunk.name,
            dtmf=str(departure.trunk.dtmf),
            group=departure.group,
            late_offer=departure.trunk.late_offer,
        )

    def _from(self, caller: CallerId) -> NameAddr:
        if not (caller.account or caller.number):
            return NameAddr(Uri("sip", "anonymous", "anonymous.invalid"), "Anonymous")
        user = quote(caller.account or caller.number, USER_SAFE)
        host = caller.domain or self._settings.host
        return NameAddr(Uri("sip", user, host), legible(caller.name) or None)

    def _asserted(self, caller: CallerId) -> dict[str, str]:
        """P-Asserted-Identity and Privacy, where the trunk wants them (RFC 3325)."""
        headers = {} if caller.number else {"Privacy": "id"}
        if caller.asserted:
            uri = Uri(
                "sip", quote(caller.asserted, USER_SAFE), caller.domain or self._settings.host
            )
            name = legible(caller.name) or None
            headers["P-Asserted-Identity"] = str(NameAddr(uri, name))
        return headers
