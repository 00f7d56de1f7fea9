"""Which addresses are outside: the public internet, and nothing that is ours or our neighbours'. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_GLOBAL: Final = IPv6Network("2000::/3")
"""All that is handed out of IPv6 for the internet (RFC 4291 section 2.4, IANA)."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""IPv4 addresses in the last 32 bits (RFC 6052)."""


def is_outside(address: str) -> bool:
    """Tell whether an address is one of the public internet.

    Loopback, private, shared, link-local, multicast and reserved addresses are not, in whatever form
    of IPv6 they are written; no address at all is not either.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _inside(found)
        if inner is None:
            return found in _GLOBAL and found.is_global and found.scope_id is None
        found = inner
    return found.is_global and not found.is_multicast and not found.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway would make of it."""
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
