"""A browser that chose another codec than our first is offered that one first; others are left alone."""

from __future__ import annotations

import pytest

from switch.sdp.description import parse_description
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.sip.events import ReofferReceived
from tests.switch.calls.bench import Bench

FINGERPRINT = ":".join(["AB"] * 32)


@pytest.mark.parametrize(
    ("policy", "codecs", "is_asked"),
    [
        (SrtpPolicy.DTLS, ("PCMA",), True),
        (SrtpPolicy.DTLS, ("PCMU", "PCMA"), False),
        (SrtpPolicy.OFF, ("PCMA",), False),
    ],
)
def test_who_chose_another_codec_is_offered_it_first(
    policy: SrtpPolicy, codecs: tuple[str, ...], is_asked: bool
) -> None:
    bench = Bench(srtp_of_phone=lambda number: policy if number == "1002" else SrtpPolicy.OFF)
    bench.calls.media.policies.fingerprint = FINGERPRINT
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bob.codecs = codecs
    bob.terms = TransportTerms(policy=policy, fingerprint=FINGERPRINT, random=bytes)
    ann.call("1002")
    bob.answer()
    asked = [event.offer for event in bob.events if isinstance(event, ReofferReceived)]
    assert len(asked) == is_asked
    for offer in asked:
        assert offer is not None
        assert parse_description(offer).media[0].codecs[0].name == "PCMA"
    assert bench.gateway.configured[bench.leg_of("1002")].codec == codecs[0]
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()
