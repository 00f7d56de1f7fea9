"""libsrtp, as the compiled loops and the rest of the gateway reach it.

The library is that inside `pylibsrtp`, whose functions its shared object exports. Compiled code finds them by
their names, which are given to the linker of numba here: so machine code that was kept finds them too.

A session is an address. libsrtp keeps for each SSRC the rollover counter and which packets came already
(RFC 3711 section 3.2); ours are of one direction each, because both have keys of their own.
"""

from __future__ import annotations

import ctypes
import importlib
from typing import Any, Final

import llvmlite.binding as llvm
from numba import types

from switch.compiled import external

_binding: Any = importlib.import_module("pylibsrtp._binding")
importlib.import_module("pylibsrtp")  # initialises the library
_ffi: Final = _binding.ffi
_lib: Final = _binding.lib
_shared: Final = ctypes.CDLL(_binding.__file__)

_PROFILES: Final = {
    "AES_CM_128_HMAC_SHA1_80": (_lib.srtp_profile_aes128_cm_sha1_80, 30),
    "AES_CM_128_HMAC_SHA1_32": (_lib.srtp_profile_aes128_cm_sha1_32, 30),
    "AEAD_AES_128_GCM": (_lib.srtp_profile_aead_aes_128_gcm, 28),
    "AEAD_AES_256_GCM": (_lib.srtp_profile_aead_aes_256_gcm, 44),
}
"""Profile and octets of master key with salt, by suite (RFC 4568, RFC 7714)."""
SUITES: Final = tuple(_PROFILES)
TRAILER_OCTETS: Final = 16 + 4
"""A packet grows by no more than a tag and, for RTCP, an index."""
OK: Final = 0

for _name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
    llvm.add_symbol(_name, ctypes.cast(getattr(_shared, _name), ctypes.c_void_p).value)

_ARGUMENTS: Final = (types.int32, types.intp, types.intp, types.intp)
"""Status; session, packet, and where its length stands."""
srtp_protect: Final = external("srtp_protect", *_ARGUMENTS)
srtp_unprotect: Final = external("srtp_unprotect", *_ARGUMENTS)
srtp_protect_rtcp: Final = external("srtp_protect_rtcp", *_ARGUMENTS)
srtp_unprotect_rtcp: Final = external("srtp_unprotect_rtcp", *_ARGUMENTS)


class SrtpError(ValueError):
    """A key or suite that cannot be used. The text names no key."""


def open_session(suite: str, key: bytes, *, inbound: bool) -> int:
    """Make a session of one direction for every SSRC; return its address. Raises SrtpError."""
    profile, octets = _PROFILES.get(suite, (None, 0))
    if profile is None:
        raise SrtpError(f"SRTP suite {suite[:40]!r} is unknown")
    if len(key) != octets:
        raise SrtpError(f"a key of {suite} has {octets} octets with its salt, not {len(key)}")
    policy = _ffi.new("srtp_policy_t *")
    _check(_lib.srtp_crypto_policy_set_from_profile_for_rtp(_ffi.addressof(policy.rtp), profile))
    _check(_lib.srtp_crypto_policy_set_from_profile_for_rtcp(_ffi.addressof(policy.rtcp), profile))
    policy.ssrc.type = _lib.ssrc_any_inbound if inbound else _lib.ssrc_any_outbound
    held = _ffi.new("unsigned char[]", key)
    policy.key = held
    session = _ffi.new("srtp_t *")
    try:
        _check(_lib.srtp_create(session, policy))
    finally:
        _ffi.memmove(held, bytes(len(key)), len(key))
    return int(_ffi.cast("uintptr_t", session[0]))


def close_session(address: int) -> None:
    """Free a session. Nothing may use it any more."""
    if address:
        _lib.srtp_dealloc(_ffi.cast("srtp_t", address))


def _check(status: int) -> None:
    if status != OK:
        raise SrtpError(f"libsrtp refuses with status {status}")
