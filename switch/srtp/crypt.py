"""Encrypting and decrypting in the compiled loops: right before a send, right after a receive.

CRYPT is what a leg has of it. A leg that must be secure and has no session yet (its DTLS handshake is under
way) sends and takes nothing. Whoever has the keys may begin a few streams, and no more: libsrtp keeps
something for each SSRC that it has seen.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import inner
from switch.rtp.rtcp import FIRST_TYPE, LAST_TYPE, word_at
from switch.srtp.library import (
    OK,
    TRAILER_OCTETS,
    srtp_protect,
    srtp_protect_rtcp,
    srtp_unprotect,
    srtp_unprotect_rtcp,
)

MAX_STREAMS: Final = 64
"""SSRCs of one peer between two keys."""
CRYPT: Final = np.dtype(
    [
        # What each packet needs comes first: together it is no more than a line of the cache.
        ("inbound", np.int64),  # libsrtp's session; 0: none
        ("outbound", np.int64),
        ("latest", np.int64),  # the SSRC of the last packet that was accepted
        ("length", np.int64),  # for libsrtp, which reads and writes an `int` here
        ("refused", np.int64),  # wrong tags, replays, streams beyond the limit
        ("streams", np.int64),  # so many of those below are in use
        ("spare", np.int64, (2,)),
        ("ssrcs", np.uint32, (MAX_STREAMS,)),
    ],
    align=True,
)
LINE_OCTETS: Final = 64
"""Of the cache. CRYPTs are whole lines: from such an address on, none begins in another's last one."""
_LENGTH_AT: Final = CRYPT.fields["length"][1] if CRYPT.fields else 0


@inner
def _is_known(crypt: Any, ssrc: int) -> bool:
    if ssrc == crypt.latest:
        return True
    for i in range(crypt.streams):  # noqa: SIM110 - numba has no generators
        if crypt.ssrcs[i] == ssrc:
            return True
    return False


@inner
def open_packet(crypts: NDArray[Any], row: int, packet: NDArray[np.uint8], size: int) -> int:
    """Decrypt RTP or RTCP in place; return its size, 0 when it is not authentic.

    What is neither (STUN, DTLS) is left as it is.
    """
    if size < 1 or packet[0] >> 6 != 2:
        return size
    crypt = crypts[row]
    if size < 12:  # a report of 8 octets is whole, but nothing that short has a tag
        crypt.refused += 1
        return 0
    is_report = FIRST_TYPE <= packet[1] <= LAST_TYPE
    ssrc = word_at(packet, 4 if is_report else 8)
    known = _is_known(crypt, ssrc)
    if crypt.inbound == 0 or (not known and crypt.streams == MAX_STREAMS):
        crypt.refused += 1
        return 0
    crypt.length = size  # its low half, where libsrtp looks
    where = np.int64(crypts.ctypes.data) + row * crypts.itemsize + _LENGTH_AT
    address = np.int64(packet.ctypes.data)
    if is_report:
        status = srtp_unprotect_rtcp(crypt.inbound, address, where)
    else:
        status = srtp_unprotect(crypt.inbound, address, where)
    if status != OK:
        crypt.refused += 1
        return 0
    if not known:
        crypt.ssrcs[crypt.streams] = ssrc
        crypt.streams += 1
    crypt.latest = ssrc
    return int(crypt.length & 0x7FFFFFFF)


@inner
def close_packet(
    crypts: NDArray[Any], row: int, packet: NDArray[np.uint8], size: int, is_report: bool
) -> int:
    """Encrypt in place; return the size, 0 when it cannot be sent. Room for 20 octets more is there."""
    crypt = crypts[row]
    if crypt.outbound == 0 or size + TRAILER_OCTETS > len(packet):
        return 0
    crypt.length = size
    where = np.int64(crypts.ctypes.data) + row * crypts.itemsize + _LENGTH_AT
    address = np.int64(packet.ctypes.data)
    if is_report:
        status = srtp_protect_rtcp(crypt.outbound, address, where)
    else:
        status = srtp_protect(crypt.outbound, address, where)
    return int(crypt.length & 0x7FFFFFFF) if status == OK else 0
