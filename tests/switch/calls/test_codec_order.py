"""Who chose another codec than our first, and may yet send that, is offered its choice first."""

from __future__ import annotations

import pytest

from switch.sdp.description import parse_description
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.sip.events import Invited, ReofferReceived
from tests.switch.calls.bench import Bench

FINGERPRINT = ":".join(["AB"] * 32)
EVENTS = b"a=rtpmap:101 telephone-event/8000\r\n"


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


@pytest.mark.parametrize(
    ("formats", "asked"), [("8 0", 1), ("0 8", 0), ("8", 0), ("8 0 101", 1), ("8 101", 0)]
)
def test_who_leaves_a_choice_is_asked_once_for_one_codec(formats: str, asked: int) -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bob.codecs = ("PCMA", "PCMU")
    ann.call("1002")
    invited = bob.last(Invited)
    assert bob.sound is not None
    assert invited is not None
    assert invited.offer is not None
    _, answer = bob.sound.answer(invited.offer)
    head, _, rest = answer.partition(b"m=audio ")
    port = rest.split()[0]
    bob.answer(body=head + b"m=audio %b RTP/AVP %b\r\n" % (port, formats.encode()) + EVENTS)
    offers = [event.offer for event in bob.events if isinstance(event, ReofferReceived)]
    assert len(offers) == asked
    told = bench.gateway.configured[bench.leg_of("1002")]
    assert told.payload_type == int(formats.split()[0])
    ann.hang_up()
    bench.check_forgotten()
