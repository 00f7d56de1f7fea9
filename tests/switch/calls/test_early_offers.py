"""Offers in an UPDATE while the INVITE is not answered: of callers and of callees."""

from __future__ import annotations

import re

import pytest

from switch.calls.events import LegHeld
from switch.sdp.description import Direction
from switch.sip.events import Invited, Progress, ReofferAnswered, ReofferFailed
from switch.sip.flow import Flow, Transport
from switch.sip.writing import make_response, serialize
from tests.switch.calls.bench import SWITCH, Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_early_media import announce

ELSEWHERE = "127.0.0.7"


def moves(phone: Phone) -> None:
    """Offer to be sent its sound elsewhere."""
    assert phone.sound is not None
    phone.sound.name_address(ELSEWHERE)
    phone.reoffer(Direction.SENDRECV)


def ringing() -> tuple[Bench, Phone, Phone]:
    """1001 has called 1002, which lets it hear something."""
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    announce(bob)
    return bench, ann, bob


def answer(phone: Phone) -> None:
    """Answer; what was agreed upon is not said again."""
    phone.answer(body=b"" if phone.sound is None else phone.sound._text)


def test_a_callee_takes_its_sound_elsewhere_before_it_answers() -> None:
    bench, ann, bob = ringing()
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    moves(bob)
    assert bob.last(ReofferAnswered) is not None
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE
    assert bench.heard() == {caller: {callee}}
    answer(bob)
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE, "the 2xx says nothing new"
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


def from_beyond(bench: Bench, bob: Phone, status: int, tag: str, *, media: bytes) -> None:
    """A response to the INVITE of a callee from another one that was reached through it, in plain words."""
    invited = bob.last(Invited)
    assert invited is not None
    body = b"v=0\r\no=- 9 9 IN IP4 127.0.0.8\r\ns=-\r\nc=IN IP4 127.0.0.8\r\nt=0 0\r\n" + media
    host, port = bob.address
    response = make_response(
        invited.request,
        status,
        to_tag=tag,
        headers=[("Contact", f"<sip:1002@{host}:{port}>")],
        body=body,
        content_type="application/sdp",
    )
    flow = Flow(Transport.UDP, bob.address, SWITCH)
    bench.endpoint.receive_datagram(serialize(response), flow, bench.clock.now())
    bench.pump()


AUDIO = b"m=audio 4000 RTP/AVP 8\r\n"


def test_a_ringing_with_sound_after_that_changes_nothing() -> None:
    bench, ann, bob = ringing()
    moves(bob)
    invited = bob.last(Invited)
    assert invited is not None
    own = bob.user_agent._table.by_id[bob.live].local_tag
    for tag in (own, "another"):
        from_beyond(bench, bob, 180, tag, media=AUDIO)
        assert not ann.is_idle
        assert bench.gateway.configured[bench.leg_of("1002")].remote_address == ELSEWHERE
    answer(bob)
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize(("media", "is_of_use"), [(AUDIO, True), (b"", False)])
def test_another_than_who_offered_anew_may_answer(media: bytes, is_of_use: bool) -> None:
    """A proxy behind the callee has called several: to each of them stands what we offered first."""
    bench, ann, bob = ringing()
    callee = bench.leg_of("1002")
    moves(bob)
    from_beyond(bench, bob, 200, "another", media=media)
    if not is_of_use:
        assert bench.ends()[callee].status == 488
        return
    assert ann.statuses()[-1] == 200
    configured = bench.gateway.configured[callee]
    assert (configured.remote_address, configured.remote_port) == ("127.0.0.8", 4000)
    assert configured.codec == "PCMA"
    assert bench.heard() == {bench.leg_of("1001"): {callee}, callee: {bench.leg_of("1001")}}


def test_a_caller_holds_while_it_rings() -> None:
    bench, ann, bob = ringing()
    caller = bench.leg_of("1001")
    told = ann.last(Progress)
    assert told is not None
    assert told.body is not None
    assert ann.sound is not None
    ann.sound.accept_answer(told.body)
    ann.hold()
    assert ann.last(ReofferAnswered) is not None
    assert not bench.gateway.configured[caller].send
    answer(bob)
    assert [event.leg for event in bench.of(LegHeld)] == [caller]
    ann.resume()
    assert bench.gateway.configured[caller].send
    assert bench.heard() == {caller: {bench.leg_of("1002")}, bench.leg_of("1002"): {caller}}
    ann.hang_up()
    bench.check_forgotten()


def test_an_early_offer_that_cannot_be_taken_changes_nothing() -> None:
    bench, ann, bob = ringing()
    callee = bench.leg_of("1002")
    before = bench.gateway.configured[callee]
    assert bob.sound is not None
    bob.send_reoffer(re.sub(rb"m=audio \d+", b"m=audio 0", bob.sound.make_offer()))
    refused = bob.last(ReofferFailed)
    assert refused is not None
    assert refused.status == 488
    assert bench.gateway.configured[callee] == before
    answer(bob)
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_of_several_places_each_may_offer_anew() -> None:
    bench = Bench()
    ann, desk, mobile = bench.phone("1001"), bench.phone("1002"), bench.phone("1002")
    ann.call("1002")
    announce(desk)
    moves(desk)
    assert desk.last(ReofferAnswered) is not None
    assert bench.heard() == {}
    answer(desk)
    assert mobile.is_idle
    assert bench.gateway.configured[bench.leg_of("1002")].remote_address == ELSEWHERE
    ann.hang_up()
    bench.check_forgotten()


def test_an_early_agreement_outlives_the_process() -> None:
    bench, ann, bob = ringing()
    moves(bob)
    bench.restart()
    answer(bob)
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    bench.check_forgotten()
