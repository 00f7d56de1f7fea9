"""SIPS: whoever is called by `sips:` is reached by `sips:` in return (RFC 3261 sections 8.1.1.8, 12.1.1).

Peers that insist on it end a call whose Contact says `sip:`. Where the way itself is not secure, the URI of
a peer does not make it so: there ours stays as it is.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from switch.sip.flow import Flow
from switch.sip.message import Request
from switch.sip.uri import Uri

_REMEMBERED = 1024


def contact_for(request: Request, flow: Flow, contact: str) -> str:
    """Our Contact URI in a request of ours, or in the answer to one of a peer, that goes by `flow`."""
    return _sips(contact) if flow.transport.is_secure and _is_sips(request) else contact


def _is_sips(request: Request) -> bool:
    """Whether the Request-URI is of SIPS, or the first hop on the way, or the peer's Contact without one."""
    if request.request_uri.scheme == "sips":
        return True
    hops = request.routes[:1] + (request.record_routes or request.contacts)[:1]
    return any(hop.uri.scheme == "sips" for hop in hops)


@lru_cache(maxsize=_REMEMBERED)
def _sips(contact: str) -> str:
    uri = Uri.parse(contact)
    params = {
        name: value
        for name, value in uri.params.items()
        if (name, value) != ("transport", "tls")  # the scheme says so (section 26.2.2)
    }
    return str(replace(uri, scheme="sips", params=params))
