"""Signatures of callers' numbers, where calls come in and where they leave (RFC 8224).

Both are done in line: they cost about as much as reading an INVITE does. Without a key nothing is
signed, without authorities nothing is believed.
"""

from __future__ import annotations

from typing import Final

from switch.clock import Clock
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.uri import NameAddr
from switch.stir.passport import canonical
from switch.stir.signing import Signer, attestation_for
from switch.stir.verification import Verdict, Verifier, Verstat
from switch.trunks.hunt import Departure
from switch.trunks.number_format import NumberFormat, read, to_e164
from switch.trunks.settings import TrunkSettings

_UNLOOKED: Final = Verdict(Verstat.NONE, reason="no-authorities")
_MOST_ASSERTED: Final = 2
"""P-Asserted-Identity has at most a SIP and a tel URI (RFC 3325 section 9.1)."""


class Vouching:
    """Judges what comes in, signs what leaves; either may be missing."""

    def __init__(
        self, clock: Clock, *, verifier: Verifier | None = None, signer: Signer | None = None
    ) -> None:
        self._clock = clock
        self._verifier = verifier
        self._signer = signer

    def verify(self, trunk: TrunkSettings, request: Request, shown: str) -> Verdict:
        """Judge the signatures of an INVITE that came in on a trunk.

        They must be of the number that is shown, before any rule of the trunk; of a caller who shows
        none they may be of any that the request names, for nobody reads the verdict as another's.
        """
        if self._verifier is None:
            return _UNLOOKED
        callers = [shown] if shown else [request.from_.uri.username, *_asserted(request.headers)]
        called = [request.to.uri.username, request.request_uri.username]
        return self._verifier.verify(
            request.headers.get_all("Identity"),
            callers=[_number(trunk, user) for user in callers],
            called=[_number(trunk, user) for user in called],
            call_id=request.call_id,
            now=self._clock.wall(),
        )

    def sign(self, departure: Departure, is_passed_on: bool) -> str | None:
        """The Identity header of a call that leaves; None where there is nothing to vouch for."""
        caller = departure.caller
        if self._signer is None or departure.is_emergency:
            return None
        if not (caller.number or caller.asserted):
            return None  # withheld, and told to nobody on the way either
        number = caller.e164 or to_e164(caller.number, departure.trunk.region)
        called = departure.e164 or to_e164(departure.number, departure.trunk.region)
        if number is None or called is None:
            return None
        attestation = attestation_for(is_ours=caller.is_ours, is_passed_on=is_passed_on)
        return self._signer.sign(number, called, attestation, self._clock.wall())


def _number(trunk: TrunkSettings, user: str) -> str:
    """A number as tokens have it; one that is not international stays as it is."""
    if trunk.number_format is NumberFormat.AS_DIALLED:
        return canonical(to_e164(user, trunk.region) or user)
    return canonical(read(user, trunk.number_format, trunk.region) or user)


def _asserted(headers: Headers) -> list[str]:
    found = []
    for value in headers.tokens("P-Asserted-Identity")[:_MOST_ASSERTED]:
        try:
            found.append(NameAddr.parse(value).uri.username)
        except ValueError:
            continue
    return found
