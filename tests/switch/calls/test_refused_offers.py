"""A phone that refuses how our packets would travel is asked once more, where its policy leaves a way."""

from __future__ import annotations

import os

import pytest

from switch.calls.causes import EndCause, Result
from switch.registrar.location import Binding, contact_key
from switch.sdp.transport import SrtpPolicy, TransportTerms
from switch.sip.events import Invited
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri
from tests.switch.calls.bench import SWITCH, Bench
from tests.switch.calls.phone import Phone

FINGERPRINT = ":".join(["AB"] * 32)
STRICT = TransportTerms(policy=SrtpPolicy.REQUIRED, random=os.urandom)


def office(policy: SrtpPolicy) -> Bench:
    """Phone 1002 and all behind it have this policy."""
    return Bench(srtp_of_phone=lambda number: policy if number == "1002" else SrtpPolicy.OFF)


def offers(phone: Phone) -> list[bytes]:
    return [e.offer or b"" for e in phone.events if isinstance(e, Invited)]


def ways(phone: Phone) -> list[tuple[bytes, bool]]:
    """The profile of each offer, and whether keys stood in it."""
    return [
        (offer.partition(b"m=audio ")[2].split()[1], b"a=crypto" in offer)
        for offer in offers(phone)
    ]


@pytest.mark.parametrize(
    ("policy", "first"),
    [(SrtpPolicy.ACCEPT, (b"RTP/AVP", False)), (SrtpPolicy.OPTIONAL, (b"RTP/AVP", True))],
)
@pytest.mark.parametrize("status", [488, 606])
def test_who_insists_on_encryption_is_offered_it(
    policy: SrtpPolicy, first: tuple[bytes, bool], status: int
) -> None:
    bench = office(policy)
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bob.terms = STRICT
    ann.call("1002")
    bob.reject(status)
    assert ways(bob) == [first, (b"RTP/SAVP", True)]
    one, two = (e.request for e in bob.events if isinstance(e, Invited))
    assert (two.call_id, two.from_.tag) == (one.call_id, one.from_.tag)
    assert two.cseq.seq == one.cseq.seq + 1
    bob.ring()
    bob.answer()
    assert ann.statuses() == [401, 180, 200]
    told = bench.gateway.configured[bench.leg_of("1002")]
    assert told.srtp is not None
    bob.hang_up()
    assert ann.is_idle
    bench.check_forgotten()


def test_an_answer_in_clear_to_what_was_asked_for_is_none() -> None:
    bench = office(SrtpPolicy.OPTIONAL)
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.reject(488)
    bob.answer(body=b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
               b"m=audio 4000 RTP/AVP 0\r\n")  # fmt: skip
    assert ann.statuses()[-1] == 488
    assert bob.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        (SrtpPolicy.OFF, 1),
        (SrtpPolicy.ACCEPT, 2),
        (SrtpPolicy.REQUIRED, 1),
        (SrtpPolicy.DTLS, 1),
    ],
)
def test_it_is_asked_once_more_and_only_where_the_policy_leaves_another_way(
    policy: SrtpPolicy, asked: int
) -> None:
    bench = office(policy)
    bench.calls.media.policies.fingerprint = FINGERPRINT
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    for _ in range(asked):
        bob.reject(488)
    assert len(offers(bob)) == asked
    assert bob.is_idle
    assert ann.statuses() == [401, 488]
    cause = EndCause(Result.REJECTED, "refused-by-peer", 488)
    assert bench.ends()[bench.leg_of("1002")] == cause
    bench.check_forgotten()


@pytest.mark.parametrize(
    ("policy", "second"),
    [
        (SrtpPolicy.ACCEPT, (b"RTP/AVP", False)),
        (SrtpPolicy.OPTIONAL, (b"RTP/AVP", True)),
        (SrtpPolicy.REQUIRED, (b"RTP/SAVP", True)),
    ],
)
def test_what_registered_over_websocket_and_is_no_browser_is_offered_what_its_phone_is(
    policy: SrtpPolicy, second: tuple[bytes, bool]
) -> None:
    bench = office(policy)
    bench.calls.media.policies.fingerprint = FINGERPRINT
    ann = bench.phone("1001")
    bob = bench.stranger("1002", ("127.0.0.1", 7900))
    uri = "sip:1002@127.0.0.1:7900"
    binding = Binding(
        contact_uri=uri,
        flow=Flow(Transport.WS, bob.address, SWITCH, 7),
        expires_at=float("inf"),
        static=True,
    )
    bench.location.put("1002", contact_key(Uri.parse(uri)), binding)
    bob.terms = STRICT
    ann.call("1002")
    bob.reject(488)
    assert ways(bob) == [(b"UDP/TLS/RTP/SAVPF", False), second]
    bob.reject(488)
    assert ann.statuses() == [401, 488]
    bench.check_forgotten()


def test_of_several_places_each_is_asked_in_its_own_way() -> None:
    bench = office(SrtpPolicy.OPTIONAL)
    ann, desk = bench.phone("1001"), bench.phone("1002")
    strict = bench.phone("1002", address=("127.0.0.1", 7901))
    strict.terms = STRICT
    ann.call("1002")
    strict.reject(488)
    assert ways(desk) == [(b"RTP/AVP", True)]
    assert ways(strict) == [(b"RTP/AVP", True), (b"RTP/SAVP", True)]
    strict.answer()
    assert ann.statuses() == [401, 200]
    assert desk.is_idle
    assert bench.gateway.configured[bench.leg_of("1002")].srtp is not None
    ann.hang_up()
    bench.check_forgotten()


def test_who_gave_up_meanwhile_is_not_asked() -> None:
    bench = office(SrtpPolicy.OPTIONAL)
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bench.is_stepped = True
    bob.reject(488)
    ann.cancel()
    bench.is_stepped = False
    bench.pump()
    bench.advance(40)
    assert len(offers(bob)) <= 2
    assert ann.is_idle
    assert bob.is_idle
    bench.check_forgotten()


def test_the_other_offer_outlives_the_process() -> None:
    bench = office(SrtpPolicy.OPTIONAL)
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bob.terms = STRICT
    ann.call("1002")
    bob.reject(488)
    bench.restart()
    bob.answer()
    assert ann.statuses() == [401, 200]
    assert bench.gateway.configured[bench.leg_of("1002")].srtp is not None
    ann.hang_up()
    bench.check_forgotten()
