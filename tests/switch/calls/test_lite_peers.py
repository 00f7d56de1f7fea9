"""Peers that make no connectivity checks, as we make none: they are where their description says."""

from __future__ import annotations

import pytest

from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.sip.events import Invited
from tests.switch.calls.bench import Bench

FINGERPRINT = ":".join(["AB"] * 32)


@pytest.mark.parametrize("is_lite", [True, False])
def test_only_who_makes_checks_is_waited_for(is_lite: bool) -> None:
    bench = Bench(srtp_of_phone=lambda number: SrtpPolicy.DTLS)
    bench.calls.media.policies.fingerprint = FINGERPRINT
    ann, bob = bench.phone("1001"), bench.phone("1002")
    for phone in (ann, bob):
        phone.terms = TransportTerms(policy=SrtpPolicy.DTLS, fingerprint=FINGERPRINT, random=bytes)
    ann.call("1002")
    invited = bob.last(Invited)
    assert bob.sound is not None
    assert invited is not None
    assert invited.offer is not None
    _, answer = bob.sound.answer(invited.offer)
    bob.answer(body=answer if is_lite else answer.replace(b"a=ice-lite\r\n", b""))
    told = bench.gateway.configured[bench.leg_of("1002")]
    assert told.dtls is not None
    assert (told.ice is None) == is_lite
    assert (told.remote_address, told.remote_port) == (bob.rtp_address, bob.rtp_port)
    ann.hang_up()
    bench.check_forgotten()
