"""Trunks that are called without an offer: the carrier's comes with its 2xx, our answer with the ACK."""

from __future__ import annotations

import dataclasses

import pytest

from switch.calls.causes import EndCause, Result
from switch.ids import LegId
from switch.sip.events import Confirmed, Invited
from tests.switch.calls.bench import TRUNKS, Bench
from tests.switch.calls.phone import Phone

LATE = ("127.0.0.1", 5095)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, Phone, LegId]:
    """A number behind such a trunk rings."""
    late = dataclasses.replace(
        TRUNKS["out"], name="late", proxy_port=LATE[1], late_offer=True, max_calls=4
    )
    monkeypatch.setitem(TRUNKS, "late", late)
    bench = Bench()
    carrier = bench.stranger("carrier", LATE)
    leg = bench.calls.call_trunk(
        "late",
        "+12025550100",
        call=bench.new_call(),
        caller_number="1001",
        caller_name="",
        ring_timeout_s=30,
    )
    bench.pump()
    return bench, carrier, leg


def offer_of(carrier: Phone) -> bytes:
    assert carrier.sound is not None
    return carrier.sound.make_offer()


def test_the_carrier_offers_and_we_answer(called: tuple[Bench, Phone, LegId]) -> None:
    bench, carrier, leg = called
    invited = carrier.last(Invited)
    assert invited is not None
    assert invited.offer is None
    assert "100rel" not in (invited.request.headers.get("Supported") or "")
    carrier.answer(body=offer_of(carrier))
    confirmed = carrier.last(Confirmed)
    assert confirmed is not None
    assert confirmed.body is not None
    assert carrier.sound is not None
    carrier.sound.accept_answer(confirmed.body)
    assert carrier.sound.current is not None
    assert carrier.sound.current.remote_port == bench.gateway.legs[leg]
    assert bench.gateway.configured[leg].remote_port == carrier.rtp_port
    carrier.hold()
    assert carrier.sound.current is not None, "later offers go either way"
    carrier.hang_up()
    assert bench.ends()[leg].result is Result.COMPLETED
    bench.check_forgotten()


def test_an_ack_that_is_lost_is_sent_again_with_the_answer(
    called: tuple[Bench, Phone, LegId],
) -> None:
    bench, carrier, _ = called
    lost: list[bytes] = []

    def lose(data: bytes) -> bool:
        if data.startswith(b"ACK ") and not lost:
            lost.append(data)
            return True
        return False

    bench.lose = lose
    carrier.answer(body=offer_of(carrier))
    assert carrier.last(Confirmed) is None
    bench.advance(2)
    confirmed = carrier.last(Confirmed)
    assert confirmed is not None
    assert confirmed.body
    carrier.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("body", [b"", b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\n"])
def test_an_offer_that_is_none_ends_the_call(
    called: tuple[Bench, Phone, LegId], body: bytes
) -> None:
    bench, carrier, leg = called
    carrier.answer(body=body)
    bench.advance(1)
    assert carrier.is_idle
    assert bench.ends()[leg].status == 488
    bench.check_forgotten()


def test_sound_before_the_answer_has_nowhere_to_come_from(
    called: tuple[Bench, Phone, LegId],
) -> None:
    bench, carrier, leg = called
    carrier.user_agent.ring(carrier.live, bench.clock.now(), 183, body=offer_of(carrier))
    bench.pump()
    assert leg not in bench.gateway.configured
    bench.calls.hang_up(leg, EndCause(Result.CANCELLED, "enough"))
    bench.pump()
    assert carrier.is_idle
    bench.check_forgotten()


def test_an_answer_that_crosses_the_cancel_is_taken_back(
    called: tuple[Bench, Phone, LegId],
) -> None:
    bench, carrier, leg = called
    carrier.ring()
    bench.is_stepped = True
    carrier.answer(body=offer_of(carrier))
    bench.calls.hang_up(leg, EndCause(Result.CANCELLED, "enough"))
    bench.is_stepped = False
    bench.pump()
    bench.advance(1)
    assert carrier.is_idle
    bench.check_forgotten()


def test_it_goes_on_over_a_restart(called: tuple[Bench, Phone, LegId]) -> None:
    bench, carrier, leg = called
    carrier.ring()
    bench.restart()
    carrier.answer(body=offer_of(carrier))
    assert leg in bench.gateway.configured
    carrier.hang_up()
    bench.check_forgotten()
