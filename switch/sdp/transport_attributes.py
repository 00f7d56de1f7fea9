"""What a media section says of the way its packets take: RTCP, keys, certificates, ICE.

Read leniently where a wrong value only loses a convenience (`a=rtcp`), and kept as written where it
decides about trust: `switch.sdp.sdes` and `switch.sdp.transport` judge those strictly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

MAX_CRYPTO_LINES = 16
MAX_FINGERPRINTS = 8
MAX_BUNDLED = 16
_RTCP = re.compile(r"([0-9]{1,5})(?: +IN +IP[46] +(\S{1,64}))?")
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,16}")
_TLS_ID = re.compile(r"[A-Za-z0-9+/_-]{20,255}")
_READ = frozenset(
    {
        "rtcp-mux", "rtcp", "crypto", "fingerprint", "setup", "ice-ufrag", "ice-pwd", "ice-lite",
        "mid", "tls-id", "group",
    }
)  # fmt: skip

Attributes = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportAttributes:
    """Of one media section, with what it inherits from the session level."""

    rtcp_mux: bool = False
    """RTCP may share the port of RTP (RFC 5761)."""
    rtcp: tuple[str, int] | None = None
    """Where RTCP is wanted instead (RFC 3605); an empty address is that of RTP."""
    crypto: tuple[str, ...] = ()
    """Values of `a=crypto` as written (RFC 4568). Never to be logged."""
    fingerprints: tuple[str, ...] = ()
    """Values of `a=fingerprint` as written (RFC 8122)."""
    setup: str = ""
    """`active`, `passive`, `actpass`, `holdconn`; empty: not said (RFC 4145)."""
    ice_ufrag: str = ""
    ice_pwd: str = ""
    """Both or none (RFC 8839)."""
    ice_lite: bool = False
    mid: str = ""
    bundled: tuple[str, ...] = ()
    """The streams that shall share one port (RFC 9143), by their `mid`."""
    tls_id: str = ""
    """The name of the handshake (RFC 8842)."""

    def __repr__(self) -> str:
        return f"TransportAttributes({len(self.crypto)} keys, setup {self.setup!r})"

    @property
    def has_ice(self) -> bool:
        return bool(self.ice_ufrag)


NOTHING = TransportAttributes()


def transport_attributes(session: Attributes, media: Attributes) -> TransportAttributes:
    """Read the attributes of a media section; those of the session hold where it is silent."""
    if _READ.isdisjoint(media) and _READ.isdisjoint(session):
        return NOTHING

    def first(name: str) -> str:
        values = media.get(name) or session.get(name) or ("",)
        return (values[0] or "").strip()

    ufrag, password = first("ice-ufrag"), first("ice-pwd")
    if _UFRAG.fullmatch(ufrag) is None or _PASSWORD.fullmatch(password) is None:
        ufrag = password = ""
    mid = first("mid") if "mid" in media else ""
    tls_id = first("tls-id")
    return TransportAttributes(
        rtcp_mux="rtcp-mux" in media,
        rtcp=_rtcp(first("rtcp")) if "rtcp" in media else None,
        crypto=tuple(media.get("crypto", ()))[:MAX_CRYPTO_LINES],
        fingerprints=tuple(media.get("fingerprint") or session.get("fingerprint") or ())[
            :MAX_FINGERPRINTS
        ],
        setup=first("setup").lower(),
        ice_ufrag=ufrag,
        ice_pwd=password,
        ice_lite="ice-lite" in session,
        mid=mid if _MID.fullmatch(mid) else "",
        bundled=_bundled(session.get("group", ())),
        tls_id=tls_id if _TLS_ID.fullmatch(tls_id) else "",
    )


def _bundled(groups: Sequence[str | None]) -> tuple[str, ...]:
    """Those of the first BUNDLE group."""
    for group in groups:
        semantics, *names = (group or "").split()[: 1 + MAX_BUNDLED] or ("",)
        if semantics.upper() == "BUNDLE":
            return tuple(names)
    return ()


def _rtcp(text: str) -> tuple[str, int] | None:
    """Port and address; None for what is neither: the next port is used then."""
    found = _RTCP.fullmatch(text)
    if found is None or not 0 < int(found[1]) < 65_536:
        return None
    if found[2] is None:
        return "", int(found[1])
    try:
        address = ip_address(found[2])
    except ValueError:
        return None
    if address.is_multicast or address.is_unspecified:
        return None
    return str(address), int(found[1])
