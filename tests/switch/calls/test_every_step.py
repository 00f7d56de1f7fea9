"""Whoever gives up, after whichever datagram of a call: no leg, no port, no session is left.

The call is carried one datagram at a time. After each count of datagrams a fresh run stops there,
one party acts, and the rest takes its course.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegStarted
from switch.sip.events import Invited
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone

Act = Callable[[Bench, Phone, Phone], None]
CALL_DATAGRAMS = 15
"""INVITE, 401, ACK, INVITE, 100; INVITE, 100, 180, 180; 200, ACK, 200, ACK; and two to spare."""


def hang_up(phone: Phone) -> None:
    if not phone.is_idle:
        phone.hang_up()


def end_first_leg(bench: Bench, ann: Phone, bob: Phone) -> None:
    legs = bench.of(LegStarted)
    if legs:
        bench.calls.hang_up(legs[0].leg, EndCause(Result.COMPLETED, "enough"))


def end_last_leg(bench: Bench, ann: Phone, bob: Phone) -> None:
    legs = bench.of(LegStarted)
    if legs:
        bench.calls.hang_up(legs[-1].leg, EndCause(Result.COMPLETED, "enough"))


def lose_gateway(bench: Bench, ann: Phone, bob: Phone) -> None:
    bench.lose_gateway()
    bench.restart_gateway()


def both(bench: Bench, ann: Phone, bob: Phone) -> None:
    hang_up(ann)
    hang_up(bob)


ACTS: dict[str, Act] = {
    "caller": lambda bench, ann, bob: hang_up(ann),
    "callee": lambda bench, ann, bob: hang_up(bob),
    "both": both,
    "first-leg": end_first_leg,
    "last-leg": end_last_leg,
    "gateway": lose_gateway,
}


def stepped() -> tuple[Bench, Phone, Phone]:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    bench.pump()
    bench.is_stepped = True

    def pick_up() -> None:
        bob.ring()
        if not bob.is_idle:  # a CANCEL may have come right behind
            bob.answer()

    bob.on_invite = pick_up
    return bench, ann, bob


def carry(bench: Bench, count: int) -> int:
    """Carry up to so many datagrams; returns how many there were."""
    for carried in range(count):
        bench.settle()
        if not bench.wire:
            return carried
        bench.deliver(0)
    bench.settle()
    return count


def test_the_whole_call_takes_no_more_datagrams_than_are_tried() -> None:
    bench, ann, _ = stepped()
    ann.call("1002")
    assert carry(bench, 100) <= CALL_DATAGRAMS
    assert len(bench.of(LegAnswered)) == 2


@pytest.mark.parametrize("act", ACTS)
def test_giving_up_after_any_datagram_leaves_nothing(act: str) -> None:
    for count in range(CALL_DATAGRAMS + 1):
        bench, ann, bob = stepped()
        ann.call("1002")
        carry(bench, count)
        ACTS[act](bench, ann, bob)
        bench.is_stepped = False
        bench.pump()
        both(bench, ann, bob)
        bench.advance(130)
        both(bench, ann, bob)
        bench.check_forgotten()
        assert ann.is_idle, count
        assert bob.is_idle, count


@pytest.mark.parametrize("lost", range(CALL_DATAGRAMS))
def test_any_single_datagram_may_be_lost_and_the_call_stands(lost: int) -> None:
    bench, ann, bob = stepped()
    ann.call("1002")
    carry(bench, lost)
    if bench.wire:
        bench.wire.pop(0)
    bench.is_stepped = False
    bench.pump()
    bench.advance(5)
    assert len(bench.of(LegAnswered)) == 2
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


def test_answer_and_cancel_of_an_entry_call_may_cross_anywhere() -> None:
    for answer_after in range(6):
        for cancel_after in range(6):
            bench = Bench()
            bench.is_stepped = True
            caller = bench.stranger("caller")
            caller.call("4000")
            for step in range(8):
                if step == answer_after:
                    for incoming in bench.of(IncomingLeg):
                        bench.calls.answer(incoming.leg)
                if step == cancel_after:
                    hang_up(caller)
                carry(bench, 1)
            bench.is_stepped = False
            bench.pump()
            hang_up(caller)
            bench.check_forgotten()
            assert caller.last(Invited) is None
