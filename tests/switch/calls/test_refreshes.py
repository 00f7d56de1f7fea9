"""Session timers seen from the calls: nobody notices a refresh, and a dead peer ends its call alone."""

from __future__ import annotations

import pytest

from switch.calls.events import DigitPressed, LegHeld
from switch.sip.events import ReofferReceived
from switch.sip.user_agent_settings import UserAgentSettings
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone

WITHOUT_UPDATE = "INVITE, ACK, BYE, CANCEL, INFO"


def talking(bench: Bench, *, takes_update: bool) -> tuple[Phone, Phone]:
    ann, bob = bench.phone("1001"), bench.phone("1002")
    for phone in (ann, bob):
        # As most phones: no session timers, so the switch refreshes both legs.
        phone.user_agent._table.settings = UserAgentSettings(session_interval_s=0)
        phone.user_agent._table._supported = ""
        if not takes_update:
            phone.user_agent._table._allow = WITHOUT_UPDATE
    ann.call("1002")
    bob.answer()
    return ann, bob


@pytest.mark.parametrize("takes_update", [True, False])
def test_a_long_call_is_refreshed_and_nobody_hears_it(takes_update: bool) -> None:
    bench = Bench()
    ann, bob = talking(bench, takes_update=takes_update)
    heard = bench.heard()
    for _ in range(4):
        bench.advance(910)
    assert bench.heard() == heard
    assert bench.of(LegHeld) == []
    offers = [len([e for e in p.events if isinstance(e, ReofferReceived)]) for p in (ann, bob)]
    assert offers == ([0, 0] if takes_update else [4, 4])
    ann.hang_up()
    bench.check_forgotten()


def test_refreshes_go_on_after_a_restart() -> None:
    bench = Bench()
    ann, bob = talking(bench, takes_update=False)
    bench.advance(100)
    bench.restart()
    bench.advance(80)
    assert ann.last(ReofferReceived) is not None
    assert bob.last(ReofferReceived) is not None
    bench.advance(4000)
    assert bench.ends() == {}
    ann.hang_up()
    bench.check_forgotten()


def test_a_peer_that_vanished_is_noticed_by_the_refresh() -> None:
    bench = Bench()
    ann, bob = talking(bench, takes_update=True)
    leg = bench.leg_of("1002")
    bench.lose = lambda data: b"192.0.2.77" in data or b"sip:1002@" in data.split(b"\r\n")[0]
    bench.advance(1000)
    assert bench.ends()[leg].reason == "peer-vanished"
    assert ann.is_idle
    assert not bob.is_idle


def test_digits_by_info_are_digits() -> None:
    bench = Bench()
    ann, _ = talking(bench, takes_update=True)
    ann.user_agent.send_info(ann.live, "7", bench.clock.now(), duration_ms=90)
    ann._pump()
    (pressed,) = bench.of(DigitPressed)
    assert (pressed.leg, pressed.digit, pressed.duration_ms) == (bench.leg_of("1001"), "7", 90)
