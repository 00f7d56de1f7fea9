"""INVITEs and re-INVITEs without SDP: we offer in the 2xx, the ACK answers."""

from __future__ import annotations

import re

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegHeld
from switch.sip.flow import Flow, Transport
from tests.switch.calls.bench import SWITCH, Bench

CALLER = ("127.0.0.1", 6900)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\na={direction}\r\n"
)


class HandDriven:
    """A caller whose messages are written by hand, because real user agents always offer."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.cseq = 0
        self.to_tag = ""

    def send(self, method: str, body: str = "") -> str:
        """Send a request; returns what the switch answered, all of it."""
        if method != "ACK":
            self.cseq += 1
        kind = "Content-Type: application/sdp\r\n" if body else ""
        request = (
            f"{method} sip:4000@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:6900;branch=z9hG4bK{method}{self.cseq}\r\n"
            "From: <sip:caller@example.com>;tag=1\r\n"
            f"To: <sip:4000@example.com>{self.to_tag}\r\n"
            "Call-ID: by-hand\r\nMax-Forwards: 70\r\n"
            f"CSeq: {self.cseq} {method}\r\nContact: <sip:caller@127.0.0.1:6900>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        flow = Flow(Transport.UDP, CALLER, SWITCH)
        self.bench.endpoint.receive_datagram(request.encode(), flow, self.bench.clock.now())
        return self.answers()

    def answers(self) -> str:
        self.bench.calls.process(self.bench.clock.now())
        self.bench.clock.advance(0)
        text = b"".join(data for data, _ in self.bench.endpoint.datagrams_to_send()).decode()
        tag = re.search(r"To: [^\r]*(;tag=[^\r;]+)", text)
        if tag is not None:
            self.to_tag = tag[1]
        return text


def invited() -> tuple[Bench, HandDriven]:
    bench = Bench()
    caller = HandDriven(bench)
    caller.send("INVITE")
    bench.calls.answer(bench.of(IncomingLeg)[0].leg)
    return bench, caller


def test_our_200_offers_and_the_leg_is_answered_by_the_ack() -> None:
    bench, caller = invited()
    told = caller.answers()
    assert "200 OK" in told
    assert "m=audio 16000 RTP/AVP 0 8 9 111 101 110" in told
    assert bench.of(LegAnswered) == []
    bench.calls.answer(bench.of(IncomingLeg)[0].leg)
    caller.send("ACK", SDP.format(direction="sendrecv"))
    leg = bench.of(LegAnswered)[0].leg
    assert bench.gateway.configured[leg].codec == "PCMA"
    assert bench.gateway.configured[leg].remote_port == 40000
    caller.send("BYE")
    bench.check_forgotten()


@pytest.mark.parametrize(
    "answer", ["", SDP.format(direction="sendrecv").replace("AVP 8", "AVP 18"), "v=1"]
)
def test_an_ack_without_a_usable_answer_ends_the_call(answer: str) -> None:
    bench, caller = invited()
    caller.answers()
    told = caller.send("ACK", answer)
    assert told.startswith("BYE ")
    assert {cause.result for cause in bench.ends().values()} == {Result.FAILED}
    bench.check_forgotten()


def test_hanging_up_before_the_ack_waits_for_it_with_the_bye() -> None:
    bench, caller = invited()
    caller.answers()
    cause = EndCause(Result.COMPLETED, "flow-ended")
    bench.calls.hang_up(bench.of(IncomingLeg)[0].leg, cause)
    assert "BYE" not in caller.answers()
    assert list(bench.ends().values()) == [cause]
    assert caller.send("ACK", SDP.format(direction="sendrecv")).startswith("BYE ")
    bench.check_forgotten()


def test_an_ack_that_never_comes_ends_the_call() -> None:
    bench, caller = invited()
    caller.answers()
    bench.advance(33)
    assert list(bench.ends().values()) == [EndCause(Result.FAILED, "no-ack")]
    bench.check_forgotten()


def test_a_reinvite_without_an_offer_gets_one_and_its_ack_may_hold() -> None:
    bench, caller = invited()
    caller.answers()
    caller.send("ACK", SDP.format(direction="sendrecv"))
    leg = bench.of(LegAnswered)[0].leg
    told = caller.send("INVITE")
    assert "200 OK" in told
    assert "m=audio 16000 RTP/AVP" in told
    assert bench.of(LegHeld) == []
    caller.send("ACK", SDP.format(direction="sendonly"))
    assert [event.leg for event in bench.of(LegHeld)] == [leg]
    assert not bench.gateway.configured[leg].send
    caller.send("BYE")
    bench.check_forgotten()
