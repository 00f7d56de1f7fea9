"""A trunk or phone that takes digits in INFO: what others key goes out so, what it keys reaches them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from switch.calls.events import DigitPressed
from switch.calls.keyed import Keyed
from switch.gateway.protocol import DigitReceived, SendDigits
from switch.sip.events import DigitInfo
from switch.trunks.settings import DtmfMode
from tests.switch.calls.bench import CARRIER, PLAN, TRUNKS, Bench
from tests.switch.calls.phone import Phone


def talking() -> tuple[Bench, Phone, Phone]:
    """1001 talks through a trunk of INFO."""
    trunks = {**TRUNKS, "out": replace(TRUNKS["out"], dtmf=DtmfMode.INFO)}
    bench = Bench(plan=replace(PLAN, trunks=trunks))
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    carrier.answer()
    return bench, ann, carrier


def infos(phone: Phone) -> list[tuple[str, int]]:
    return [(e.digit, e.duration_ms) for e in phone.events if isinstance(e, DigitInfo)]


def of_gateway(bench: Bench) -> list[tuple[str, str]]:
    return [(s.leg, s.digits) for s in bench.gateway.sent if isinstance(s, SendDigits)]


def keys(bench: Bench, number: str, digit: str) -> None:
    """The gateway hears a digit on the leg of a number."""
    leg = bench.leg_of(number)
    bench.calls.gateway_event(DigitReceived(leg=leg, digit=digit, duration_ms=120))
    bench.pump()


def test_what_a_caller_keys_goes_out_in_info_and_in_no_other_way() -> None:
    bench, ann, carrier = talking()
    outside = next(each.id for each in bench.calls.legs if each.outbound)
    configured = bench.gateway.configured[outside]
    assert configured.digits_elsewhere
    assert configured.telephone_event_payload_type is None
    assert not bench.gateway.configured[bench.leg_of("1001")].digits_elsewhere
    for digit in "4#":
        keys(bench, "1001", digit)
    assert infos(carrier) == [("4", 120), ("#", 120)]
    assert of_gateway(bench) == []
    ann.hold()
    keys(bench, "1001", "7")
    assert len(infos(carrier)) == 2, "who holds is not heard"
    ann.hang_up()
    bench.check_forgotten()


def test_what_comes_in_info_is_passed_on_to_whom_it_talks_to() -> None:
    bench, ann, carrier = talking()
    carrier.user_agent.send_info(carrier.live, "5", bench.clock.now())
    bench.pump()
    assert of_gateway(bench) == [(bench.leg_of("1001"), "5")]
    assert [event.digit for event in bench.of(DigitPressed)] == ["5"]
    ann.hang_up()
    bench.check_forgotten()


def test_digits_of_ours_go_out_one_after_the_other() -> None:
    bench, ann, carrier = talking()
    leg = next(each.id for each in bench.calls.legs if each.outbound)
    bench.calls.send_digits(leg, "1x2D")
    bench.pump()
    assert [digit for digit, _ in infos(carrier)] == ["1"]
    bench.advance(1.0)
    assert [digit for digit, _ in infos(carrier)] == ["1", "2", "D"]
    assert of_gateway(bench) == []
    bench.calls.send_digits(leg, "90")
    ann.hang_up()
    bench.advance(1.0)
    bench.check_forgotten()


def test_digits_of_two_commands_keep_their_order() -> None:
    """So does what somebody keys meanwhile: INFOs that go at once overtake those that wait."""
    bench, ann, carrier = talking()
    leg = next(each.id for each in bench.calls.legs if each.outbound)
    bench.calls.send_digits(leg, "12")
    bench.calls.send_digits(leg, "34")
    keys(bench, "1001", "5")
    bench.advance(0.6)
    assert [digit for digit, _ in infos(carrier)] == ["1", "2", "3"]
    bench.advance(1.0)
    assert infos(carrier)[3:] == [("4", 160), ("5", 120)]
    bench.calls.send_digits(leg, "6")
    bench.pump()
    assert infos(carrier)[-1] == ("6", 160)
    for _ in range(20):
        bench.calls.send_digits(leg, "123456789")
    bench.advance(30)
    assert len(infos(carrier)) <= 6 + 64
    assert bench.calls.digits_dropped == 6 + 20 * 9 - len(infos(carrier))
    assert set(bench.calls._digits._free_from) == {leg}
    ann.hang_up()
    assert not bench.calls._digits._free_from
    bench.check_forgotten()


def test_phones_of_info_are_told_digits_so_whoever_calls_whom() -> None:
    bench = Bench(dtmf_of_phone=lambda phone: "info" if phone == "1002" else "rfc4733")
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.answer()
    keys(bench, "1001", "5")
    assert infos(bob) == [("5", 120)]
    ann.hang_up()
    bob.call("1003")
    eve.answer()
    keys(bench, "1003", "6")
    assert infos(bob) == [("5", 120), ("6", 120)]
    assert infos(eve) == []
    assert of_gateway(bench) == []
    bob.hang_up()
    bench.check_forgotten()


def pressed(bench: Bench, leg: str) -> str:
    return "".join(e.digit for e in bench.events if isinstance(e, DigitPressed) and e.leg == leg)


@pytest.mark.parametrize("first", ["INFO", "sound"])
def test_a_key_that_comes_in_info_and_with_the_sound_is_one_digit(first: str) -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    leg = bench.leg_of("1001")

    def by_info(digit: str) -> None:
        ann.user_agent.send_info(ann.live, digit, bench.clock.now())
        bench.pump()

    for digit in "5573":
        ways = [partial(by_info, digit), partial(keys, bench, "1001", digit)]
        for way in ways if first == "INFO" else reversed(ways):
            way()
            bench.advance(0.1)
    assert pressed(bench, leg) == "5573"
    by_info("8")
    assert pressed(bench, leg) == "5573", "its twin comes with the sound"
    ann.hang_up()
    bench.check_forgotten()


def test_what_is_keyed_in_one_way_alone_counts_each_time_it_comes() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    for _ in range(3):
        ann.user_agent.send_info(ann.live, "5", bench.clock.now())
        bench.pump()
        keys(bench, "1002", "5")
    bench.advance(5.0)
    keys(bench, "1001", "5")  # long after: another key
    assert pressed(bench, bench.leg_of("1001")) == "5555"
    assert pressed(bench, bench.leg_of("1002")) == "555"
    ann.hang_up()
    bench.check_forgotten()


def test_digits_that_wait_for_their_twins_meet_them_in_order() -> None:
    keyed = Keyed()
    assert [keyed.counts(digit, 100, 0.0, by_info=True) for digit in "12"] == [True, True]
    assert [keyed.counts(digit, 100, 0.5, by_info=False) for digit in "123"] == [False, False, True]
    held = Keyed()
    assert held.counts("1", 160, 0.0, by_info=True)
    assert not held.counts("1", 4000, 4.2, by_info=False), "a key held for four seconds"
    for n in range(100):
        held.counts("7", 100, 10.0 + n, by_info=False)
    assert len(held.latest) <= 16
