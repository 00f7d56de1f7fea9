"""Whose sound is encrypted: what is asked of the peer of a leg."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from switch.calls.leg import Leg
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.trunks.settings import TrunkSettings

_LEAVE_IT_OPEN = (SrtpPolicy.ACCEPT, SrtpPolicy.OPTIONAL)


def accept_from_all(phone: str) -> SrtpPolicy:
    """Where nothing is configured."""
    return SrtpPolicy.ACCEPT


class TransportPolicies:
    """By trunk, or by phone."""

    def __init__(
        self,
        trunks: Mapping[str, TrunkSettings],
        of_phone: Callable[[str], SrtpPolicy] = accept_from_all,
    ) -> None:
        self._trunks = trunks
        self._of_phone = of_phone
        self.fingerprint = ""
        """Of the certificate of all gateways that have none of their own; empty: they speak no DTLS."""

    def terms(
        self, leg: Leg, *, is_browser: bool = False, fingerprint: str | None = None
    ) -> TransportTerms:
        """What is asked of the peer of a leg; a browser takes nothing but DTLS (RFC 8827).

        A phone that refuses what is offered first is offered the other way that its policy leaves; what a
        trunk takes is agreed with its carrier, and stands in the configuration.

        `fingerprint` is that of a gateway with a certificate of its own.
        """
        if fingerprint is None:
            fingerprint = self.fingerprint
        policy = SrtpPolicy.ACCEPT
        if leg.trunk is not None:
            trunk = self._trunks.get(leg.trunk)
            policy = SrtpPolicy.ACCEPT if trunk is None else trunk.srtp
        elif leg.phone is not None:
            policy = self._of_phone(leg.phone)
        own = TransportTerms(policy=policy, fingerprint=fingerprint, random=secrets.token_bytes)
        if is_browser and policy not in (SrtpPolicy.OFF, SrtpPolicy.DTLS) and fingerprint:
            # Not all that comes over WebSocket is a browser.
            return replace(own, policy=SrtpPolicy.DTLS, other=own)
        if leg.trunk is None and policy in _LEAVE_IT_OPEN:
            # Phones that insist on encryption refuse `RTP/AVP`, with keys or without.
            return replace(own, other=replace(own, profile="RTP/SAVP"))
        return own
