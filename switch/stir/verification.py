"""Judges the signatures of a call that comes in (RFC 8224 section 6.2, ATIS-1000074 section 5.3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from switch.stir.certificates import CertificateStore, Signatory
from switch.stir.errors import StirError
from switch.stir.identity import read_identity
from switch.stir.passport import Attestation, Passport, read_passport

MOST_HEADERS: Final = 8
"""Identity headers of one request that are looked at."""
_MOST_REMEMBERED: Final = 20_000
_SHA256: Final = ECDSA(SHA256())
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256: where (r, s) is a signature, (r, order - s) is one as well."""
_USED_HERE: Final = frozenset({"shaken", ""})
"""Kinds of token that are judged; `div` and others are let pass unread."""


class Verstat(StrEnum):
    """How a caller's number was found, in the words of carriers."""

    PASSED = "TN-Validation-Passed"
    FAILED = "TN-Validation-Failed"
    NONE = "No-TN-Validation"
    """There is no signature, or its certificate is not at hand."""


class Verdict(Struct, frozen=True):
    """What is known of a caller's number."""

    verstat: Verstat
    attestation: str = ""
    """`A`, `B` or `C` of a signature that is good; else empty."""
    reason: str = ""
    """One slug where it did not pass: `no-signature`, `stale`, `other-caller`, ..."""
    status: int = 0
    """What to refuse the call with, if that is wanted."""
    origid: str = ""


class Verifier:
    """Judges signatures. Remembers those seen lately, so that none is used for two calls."""

    def __init__(
        self,
        store: CertificateStore,
        *,
        max_age_s: float = 60.0,
        needs_number_authority: bool = True,
    ) -> None:
        self._store = store
        self._max_age_s = max_age_s
        self._needs_number_authority = needs_number_authority
        self._seen: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        """`_mark` of a token to the time when it may be forgotten, and its call."""

    def verify(
        self,
        values: Sequence[str],
        *,
        callers: Sequence[str],
        called: Sequence[str],
        call_id: str,
        now: float,
    ) -> Verdict:
        """Judge the Identity headers of an INVITE.

        `callers` and `called` are the numbers that the request names, digits without a plus; `now` is
        in seconds since the epoch.
        """
        fault = StirError("no-signature", "there is no signature", status=428)
        for value in values[:MOST_HEADERS]:
            try:
                identity = read_identity(value)
                if identity.ppt not in _USED_HERE:
                    continue
                passport = read_passport(identity.token)
                if passport.header.ppt != identity.ppt and identity.ppt:
                    raise StirError("malformed", "ppt of header and token differ")
                if identity.info and identity.info != passport.header.x5u:
                    raise StirError("malformed", "info and x5u differ", status=436)
                self._judge(passport, callers, called, call_id, now)
            except StirError as error:
                fault = error
                continue
            claims = passport.payload
            return Verdict(Verstat.PASSED, claims.attest, origid=claims.origid[:64])
        is_unknown = fault.status in (428, 436)
        verstat = Verstat.NONE if is_unknown else Verstat.FAILED
        return Verdict(verstat, reason=fault.reason, status=fault.status)

    def _judge(
        self,
        passport: Passport,
        callers: Sequence[str],
        called: Sequence[str],
        call_id: str,
        now: float,
    ) -> None:
        """Judge one token, the cheap first. Raises StirError."""
        claims = passport.payload
        if abs(now - claims.iat) > self._max_age_s:
            raise StirError("stale", "the signature is too old, or of the future", status=403)
        if not claims.orig.tn or claims.orig.tn not in callers:
            raise StirError("other-caller", "the signature is of another caller")
        if not any(number and number in claims.dest.tn for number in called):
            raise StirError("other-called", "the signature is for another callee")
        if passport.header.ppt == "shaken" and claims.attest not in tuple(Attestation):
            raise StirError("malformed", "a SHAKEN token without attestation")
        signatory = self._store.find(passport.header.x5u, now)
        self._check_authority(signatory, claims.orig.tn)
        half = len(passport.signature) // 2
        r, s = passport.signature[:half], passport.signature[half:]
        der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        try:
            signatory.key.verify(der, passport.signed, _SHA256)
        except InvalidSignature:
            raise StirError("wrong-signature", "the signature is wrong") from None
        self._remember(passport, call_id, now)

    def _check_authority(self, signatory: Signatory, number: str) -> None:
        authority = signatory.authority
        if authority is None:
            if self._needs_number_authority:
                words = "the certificate names no numbers"
                raise StirError("no-number-authority", words, status=437)
        elif not authority.covers(number):
            words = "the certificate does not speak for this number"
            raise StirError("no-number-authority", words, status=437)

    def _remember(self, passport: Passport, call_id: str, now: float) -> None:
        """Raise StirError for a token that another call has brought already."""
        seen = self._seen
        while seen and (len(seen) >= _MOST_REMEMBERED or next(iter(seen.values()))[0] < now):
            seen.popitem(last=False)
        key = _mark(passport)
        known = seen.get(key)
        if known is None:
            seen[key] = (now + 2 * self._max_age_s, call_id)
        elif known[1] != call_id:
            raise StirError("replayed", "the signature belongs to another call")


def _mark(passport: Passport) -> bytes:
    """What tells a token from others however its signature is written.

    One signature has many spellings: the last character of base64 has bits to spare, and `s` has a twin.
    Whoever overheard a token must not make another of it.
    """
    half = len(passport.signature) // 2
    s = int.from_bytes(passport.signature[half:], "big")
    least = min(s, _ORDER - s).to_bytes(half, "big")
    return sha256(passport.signed + b"." + passport.signature[:half] + least).digest()
