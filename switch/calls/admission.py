"""Who is calling, and where may this call go: the door of the B2BUA.

A caller whose From names a phone of ours must prove to be that phone (digest), whatever address
it calls from. Any other caller must come from the address of a trunk. Whoever is neither is
challenged like a phone, so that strangers cannot tell which phones exist.

Decides only; answering and counting is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct, field

from switch.calls.diversion import DIVERSION, HISTORY, Diverted, carried, diverted
from switch.calls.identity import is_anonymous, preferred, shown
from switch.calls.vouching import Vouching
from switch.legible import legible
from switch.sip.digest import Accepted, Challenge, Challenger, HA1Lookup, Paused, Refused
from switch.sip.events import Invited
from switch.sip.replaces import Replaces
from switch.stir.verification import Verdict
from switch.trunks import number_plan as plan
from switch.trunks.addresses import TrunkAddresses
from switch.trunks.arrivals import TrunkSecrets, arrive, called_number
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings, Verification
from switch.trunks.source import Source


@dataclass(frozen=True, slots=True)
class ToReplaced:
    """The call goes to no number: it takes the place of another (RFC 3891)."""

    replaces: Replaces


class Admitted(Struct, frozen=True, kw_only=True):
    """The call may go to `destination`."""

    source: Source
    source_name: str
    """Phone number or trunk name."""
    caller_number: str
    """As the peer gave it, made legible as the next two are; empty when withheld."""
    caller_name: str
    called: str
    destination: plan.ToEntry | plan.ToPhone | plan.ToTrunk | ToReplaced
    diverted: Diverted | None = None
    """Who sent the call on to us, as a trunk says."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """What the trunk said of that in headers that go with the call."""
    dtmf: str = "rfc4733"
    """How digits travel between it and us: `rfc4733`, `info`, `inband`."""
    verdict: Verdict | None = None
    """How the signature of the caller's number was found; None: nobody looked."""


class Denied(Struct, frozen=True, kw_only=True):
    """The call gets a final status and no leg."""

    status: int
    reason: str
    """One slug."""
    headers: Sequence[tuple[str, str]] = ()
    is_routine: bool = False
    """True for the challenge that every call from a phone begins with; it is no refusal."""


class Admission:
    """Judges every new INVITE."""

    def __init__(
        self,
        *,
        challenger: Challenger,
        credentials: HA1Lookup,
        number_plan: plan.NumberPlan,
        addresses: TrunkAddresses,
        limits: TrunkLimits,
        trunks: Iterable[TrunkSettings] = (),
        vouching: Vouching | None = None,
        dtmf_of_phone: Callable[[str], str] = lambda phone: "rfc4733",
    ) -> None:
        self._challenger = challenger
        self._vouching = vouching
        self._secrets = TrunkSecrets(trunks, credentials, challenger.realm)
        self._plan = number_plan
        self._addresses = addresses
        self._limits = limits
        self._dtmf_of_phone = dtmf_of_phone

    def judge(self, invited: Invited, now: float) -> Admitted | Denied:
        """Decide about one INVITE."""
        sender = invited.request.from_
        written = sender.uri.username
        headers = invited.request.headers
        caller = plan.normalise(written)
        if is_anonymous(written):
            # A phone that withholds its number still has to prove which one it is.
            wanted = plan.normalise(preferred(headers))
            caller = wanted if self._plan.is_phone(wanted) else caller
        source, name = Source.PHONE, caller
        called = invited.request.request_uri.username
        trunk = None if self._plan.is_phone(caller) else self._addresses.of_flow(invited.flow)
        if trunk is None or trunk.inbound_credentials is not None:
            proved = self._verify(invited, now)
            if isinstance(proved, Denied):
                return proved
            found = None if self._plan.is_phone(caller) else self._secrets.trunk_of(proved)
            if (trunk is not None and found is not trunk) or (found is None and proved != caller):
                return Denied(status=403, reason="from-is-not-the-user")
            trunk = found
        if trunk is not None:
            source, name = Source.TRUNK, trunk.name
            full = self._limits.why_full(name, now)
            if full is not None:
                return Denied(status=503, reason="trunk-full")
            called = called_number(trunk, invited.request)
        identity = shown(headers, sender, is_trusted=trunk is not None and trunk.trusts_identity)
        caller_number = identity.number
        if trunk is not None:
            arrived = arrive(trunk, called, caller_number)
            called, caller_number = arrived.called, arrived.caller
        verdict = None
        if trunk is not None and trunk.verify is not Verification.OFF and self._vouching:
            verdict = self._vouching.verify(trunk, invited.request, identity.number)
            if trunk.verify is Verification.REJECT and verdict.status:
                return Denied(status=verdict.status, reason=f"caller-{verdict.reason}")
        destination: plan.Destination | ToReplaced
        if invited.replaces is None:
            destination = self._plan.resolve(source, name, called)
        elif source is Source.PHONE:
            destination = ToReplaced(invited.replaces)
        else:
            return Denied(status=403, reason="may-not-replace")
        if isinstance(destination, plan.Refused):
            return Denied(status=destination.status, reason=destination.reason)
        is_sent_on = trunk is not None and (DIVERSION in headers or HISTORY in headers)
        return Admitted(
            source=source,
            source_name=name,
            caller_number=caller_number,
            caller_name=identity.name,
            called=legible(called),
            destination=destination,
            diverted=diverted(headers) if is_sent_on else None,
            carried=carried(headers) if is_sent_on else {},
            dtmf=self._dtmf_of_phone(name) if trunk is None else str(trunk.dtmf),
            verdict=verdict,
        )

    def is_emergency(self, invited: Invited) -> bool:
        """Tell whether an emergency number is dialled: no load keeps that from being looked at."""
        return self._plan.is_emergency(invited.request.request_uri.username)

    def _verify(self, invited: Invited, now: float) -> str | Denied:
        """Let the caller prove who it is; the name of the phone or trunk when it has."""
        host, is_connected = invited.flow.remote[0], invited.flow.is_connected
        verdict = self._challenger.verify(
            invited.request, self._secrets.lookup, now, host=host, is_connected=is_connected
        )
        match verdict:
            case Accepted(user):
                return user
            case Challenge(stale):
                headers = self._challenger.challenges(now, stale=stale, host=host)
                return Denied(status=401, reason="challenge", headers=headers, is_routine=True)
            case Paused(seconds):
                retry = ("Retry-After", str(math.ceil(seconds)))
                return Denied(status=500, reason="too-many-wrong-passwords", headers=(retry,))
            case Refused(_, status):
                return Denied(status=status, reason="wrong-credentials")
