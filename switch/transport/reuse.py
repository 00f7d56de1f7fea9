"""Connections that the peer offers for requests of ours as well (RFC 5923).

A proxy that connects to us from any port names in Via the address where it listens, with `alias`. Over TLS
with a certificate that stands for this address, what we send there goes over its connection.
"""

from __future__ import annotations

import re
from typing import Final

from switch.sip.headers import Via
from switch.transport.identity import PeerIdentity

_TOP_VIA: Final = re.compile(
    rb"\n(?:via|v)[ \t]*:[ \t]*(SIP[ \t]*/[^\r\n,]{1,300};[ \t]*alias[^\r\n,]{0,300})",
    re.IGNORECASE,
)


def alias_of(message: bytes, host: str, identity: PeerIdentity) -> tuple[str, int] | None:
    """The address that the sender at `host` may be reached at over this connection; None: it offers none.

    What Via names must stand in the certificate: nobody takes over the calls to another (section 8.2).
    """
    if b"alias" not in message:
        return None
    found = _TOP_VIA.search(message, 0, 4096)
    if found is None:
        return None
    try:
        via = Via.parse(found[1].decode("ascii"))
    except ValueError:
        return None
    if "alias" not in via.params or via.transport != "TLS" or not identity.is_named(via.host):
        return None
    return (host, via.port or 5061)
