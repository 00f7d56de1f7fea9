"""The call agent is killed between its 2xx and the ACK, and the peer does not send that again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegStarted
from switch.ids import LegId
from switch.sip.flow import Flow, Transport
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.settings import RouteSettings, TrunkSettings
from tests.switch.calls.bench import CARRIER, PLAN, SWITCH, Bench
from tests.switch.calls.phone import Phone

HANG_UP = EndCause(Result.COMPLETED, "agent-hung-up")


@pytest.fixture
def answered() -> tuple[Bench, Phone, LegId]:
    bench = Bench()
    bench.lose = lambda data: data.startswith(b"ACK ")
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[-1].leg
    bench.calls.answer(leg)
    bench.pump()
    bench.restart()
    return bench, caller, leg


def test_the_call_goes_on(answered: tuple[Bench, Phone, LegId]) -> None:
    bench, caller, leg = answered
    bench.advance(60)
    assert bench.ends() == {}
    bench.calls.hang_up(leg, HANG_UP)
    bench.pump()
    assert caller.is_idle
    bench.check_forgotten()


def test_who_is_hung_up_then_is_told_soon(answered: tuple[Bench, Phone, LegId]) -> None:
    bench, caller, leg = answered
    bench.calls.hang_up(leg, HANG_UP)
    bench.pump()
    assert not caller.is_idle, "no BYE before the ACK could have come (RFC 3261 section 15)"
    bench.advance(5)
    assert caller.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize("is_outbound", [False, True])
def test_our_password_is_for_calls_that_we_made(is_outbound: bool) -> None:
    """Who called us and asks for it could otherwise have the answer to a challenge of its own."""
    trunk = TrunkSettings(
        name="pstn",
        match=("127.0.0.1",),
        proxy_host=CARRIER[0],
        proxy_port=CARRIER[1],
        credentials=TrunkCredentials(username="acct", password="secret"),
        callers=frozenset({"1001"}),
    )
    routes = (RouteSettings(trunk="pstn", prefixes=("+",)),)
    bench = Bench(plan=replace(PLAN, trunks={"pstn": trunk}, routes=routes))
    peer = bench.stranger("+12025550100", CARRIER)
    if is_outbound:
        ann = bench.phone("1001")
        ann.call("+12025550100")
        peer.answer()
        leg = next(each.leg for each in bench.of(LegStarted) if each.outbound)
    else:
        peer.call("4000")
        leg = bench.of(IncomingLeg)[-1].leg
        bench.calls.answer(leg)
    bench.pump()
    bench.restart()
    proofs = []

    def challenge(data: bytes) -> bool:
        """The peer asks for a password where it would say 200 to our first BYE."""
        if data.startswith(b"BYE ") and b"\nAuthorization: " in data:
            proofs.append(data)
        if proofs or not (data.startswith(b"SIP/2.0 200 ") and b" BYE\r\n" in data):
            return False
        asked = b'401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\n'
        asked = data.replace(b"200 OK\r\n", asked, 1)
        flow = Flow(Transport.UDP, peer.address, SWITCH)
        bench.endpoint.receive_datagram(asked, flow, bench.clock.now())
        bench.calls.process(bench.clock.now())
        return True

    bench.lose = challenge
    bench.calls.hang_up(leg, HANG_UP)
    bench.pump()
    assert len(proofs) == int(is_outbound)
    bench.check_forgotten()
