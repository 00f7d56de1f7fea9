"""What a new outbound leg is to be, and where it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from msgspec import Struct, field

from switch.calls.diversion import Diverted
from switch.ids import CallId
from switch.registrar.location import Binding
from switch.sip.client_digest import ClientCredentials
from switch.sip.flow import Flow, Transport
from switch.sip.uri import NameAddr, Uri
from switch.trunks.hunt import Departure, Hunt
from switch.trunks.source import Source


class Rights(Struct, frozen=True):
    """In whose name a call is made: the number plan is asked what this one may dial."""

    source: Source
    name: str
    """Phone number or trunk name."""


class Hop(Struct, frozen=True, array_like=True):
    """Where a callee has sent the call on to."""

    number: str
    phone: str | None
    trunk: str | None
    passed: tuple[Diverted, ...]
    """All who have sent it on so far, the first first."""
    group: str | None = None
    """The group of trunks that it leaves through."""


class Onward(Struct, frozen=True, eq=False):
    """The search for a trunk of a call that was sent on: what was tried, and what may follow."""

    hunt: Hunt
    departure: Departure


class Target(Struct, frozen=True, kw_only=True):
    """One place that an INVITE is sent to."""

    request_uri: str
    flow: Flow
    routes: tuple[str, ...] = ()
    """Route values (name-addr), the first to be passed first: what REGISTER left as its Path."""
    hop: Hop | None = None
    """None: the number that was asked for."""
    late_offer: bool = False
    """The INVITE carries no SDP: the peer offers with its 2xx, and our ACK answers."""
    credentials: ClientCredentials | None = None
    """What answers challenges."""
    caller: NameAddr | None = None
    """What stands in From; None: the caller of the attempt."""
    called: Uri | None = None
    """What stands in To; None: the number at our host."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra headers for this place alone."""
    trunk: str | None = None
    """The trunk by which it is reached."""
    dtmf: str = "rfc4733"
    """How digits travel there: `rfc4733`, `info`, `inband`."""
    group: str | None = None
    """The group that the trunk was chosen from."""
    onward: Onward | None = None
    """Where else the call may leave; None: nowhere, or `switch.calls.hunting` knows."""

    @property
    def is_browser(self) -> bool:
        """It registered over WebSocket, as browsers do: it takes DTLS-SRTP alone (RFC 8827)."""
        return self.flow.transport in (Transport.WS, Transport.WSS)


class Attempt(Struct, frozen=True, kw_only=True):
    """What a new outbound leg is to be."""

    call: CallId
    number: str
    """Whom we call."""
    caller_number: str
    """Empty: withheld."""
    caller_name: str
    ring_timeout_s: float
    """So long after the INVITE, or the first 18x, it is given up."""
    alert_within_s: float = 0.0
    """So long is waited for the first 18x, from which `ring_timeout_s` counts; 0: from the INVITE."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra headers of the INVITE."""
    rights: Rights | None = None
    """Who may be reached where the callee sends us on; None: redirections are not followed."""

    @property
    def phone(self) -> str:
        """The phone of ours in whose name it is made, whatever number it shows; empty: none."""
        rights = self.rights
        return rights.name if rights is not None and rights.source is Source.PHONE else ""

    @property
    def silence_s(self) -> float:
        """How long it may go without an answer as long as nothing rings."""
        return self.alert_within_s or self.ring_timeout_s


def groups_of(bindings: Iterable[Binding], dtmf: str = "rfc4733") -> list[tuple[Target, ...]]:
    """The bindings as targets: those of equal q together, the highest first (RFC 3261 16.6, 10.2.1.2).

    A binding without a q counts as one of 1.0 (RFC 3840 section 9.1 says so of targets). A device with
    several flows is called by the newest of them only: it would ring against itself (RFC 5626
    section 6). `bindings` come with the newest first.
    """
    devices: set[str] = set()
    places = []
    for each in bindings:
        if each.reg_id == 0 or each.instance not in devices:
            places.append(each)
            devices.add(each.instance)
    ranked = sorted(places, key=_preference, reverse=True)
    return [
        tuple(
            Target(request_uri=each.contact_uri, flow=each.flow, routes=each.path, dtmf=dtmf)
            for each in equal
        )
        for _, equal in groupby(ranked, key=_preference)
    ]


def _preference(binding: Binding) -> float:
    return 1.0 if binding.q is None else float(binding.q)
