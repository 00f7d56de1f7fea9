"""The loop in the gateway's place passes packets on, and the library is really at work in it."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor, wait

import pylibsrtp
import pytest

from cti.bench.bare_gateway import NOTHING, SRTP, BareGateway, Work

SUITE = "AES_CM_128_HMAC_SHA1_80"
PLAIN = bytes.fromhex("800000010000000000020000") + b"\x55" * 160


@pytest.mark.slow
def test_packets_pass_decrypted_and_encrypted_anew() -> None:
    keys = os.urandom(30), os.urandom(30)
    one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for sock in (one, other):
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(30)
    work = Work(kind=SRTP, suite=SUITE, send_key=keys[0], receive_key=keys[1])
    loop = BareGateway([sock.getsockname()[1] for sock in (one, other)], 0.0025, work)
    try:
        ports = dict(zip((one, other), loop.ports, strict=True))
        one.sendto(_sealed(keys[1]), ("127.0.0.1", ports[one]))
        other.sendto(_sealed(keys[1]), ("127.0.0.1", ports[other]))
        heard = other.recv(2048)
        assert heard[:12] == PLAIN[:12]
        assert len(heard) == len(PLAIN) + 10
        assert heard[12:-10] != PLAIN[12:]
        assert one.recv(2048) == heard, "the same packet by the same key"
        with ThreadPoolExecutor(1) as pool:
            window = pool.submit(loop.window, 0.1)
            while not wait([window], timeout=0.01).done:
                one.sendto(_sealed(keys[1]), ("127.0.0.1", ports[one]))
        assert window.result().crypt_us > 0.0, "a packet that came already is looked at, too"
        loop.turn_to(NOTHING)
        loop.window(0.01)  # its answer comes after the turn
        one.sendto(PLAIN, ("127.0.0.1", ports[one]))
        assert other.recv(2048) == PLAIN
        assert loop.window(0.01).crypt_us == 0.0
    finally:
        loop.close()
        one.close()
        other.close()


def _sealed(key: bytes) -> bytes:
    policy = pylibsrtp.Policy(
        key=key,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    )
    return bytes(pylibsrtp.Session(policy).protect(PLAIN))
