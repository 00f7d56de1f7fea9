"""Where a phone or a number outside is reached now: groups of targets, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from switch.calls.attempt import Target, groups_of
from switch.calls.causes import EndCause, Result
from switch.calls.diversion import USER_SAFE
from switch.calls.settings import CallSettings
from switch.registrar.location import Location
from switch.sip.flow import Flow
from switch.sip.uri import Uri
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings

Groups = list[tuple[Target, ...]]


class Destinations:
    """Turns numbers into targets. Whether the caller may is asked of the number plan before."""

    def __init__(
        self,
        *,
        location: Location,
        trunks: Mapping[str, TrunkSettings],
        limits: TrunkLimits,
        settings: CallSettings,
    ) -> None:
        self._location = location
        self._trunks = trunks
        self._limits = limits
        self._settings = settings

    def phone(self, number: str, now: float) -> Groups | EndCause:
        """All bindings of a phone."""
        bindings = self._location.bindings(number, now)
        if not bindings:
            return EndCause(Result.UNREACHABLE, "no-binding", 480)
        return groups_of(bindings)

    def trunk(self, name: str, number: str) -> Groups | EndCause:
        """The proxy of a trunk."""
        trunk = self._trunks.get(name)
        if trunk is None or trunk.proxy_host is None:
            return EndCause(Result.UNREACHABLE, "no-route", 404)
        if not self._limits.has_room(name):
            return EndCause(Result.REJECTED, "trunk-full", 503)
        remote = (trunk.proxy_host, trunk.proxy_port)
        uri = Uri("sip", quote(number, USER_SAFE), *remote)
        flow = Flow(trunk.transport, remote, self._settings.sip_address)
        return [(Target(request_uri=str(uri), flow=flow),)]
