"""The call agent is killed between its 2xx and the ACK, and the peer does not send that again."""

from __future__ import annotations

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg
from switch.ids import LegId
from tests.switch.calls.bench import Bench
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
