"""What is refused so that the rest stays whole, and what is kept for our own phones."""

from __future__ import annotations

from switch.calls.events import CallRefused
from switch.calls.overload import Overload
from switch.calls.settings import CallSettings
from tests.switch.calls.bench import Bench


def test_one_call_in_twenty_is_kept_for_phones() -> None:
    overload = Overload(CallSettings(max_calls=100))
    assert overload.refuses(94) is None
    assert not overload.keeps_back(94)
    assert overload.keeps_back(95)
    assert overload.refuses(99) is None
    assert overload.refuses(100) == "too-many-calls"
    assert overload.shed == 2


def test_small_sites_keep_nothing_back() -> None:
    overload = Overload(CallSettings(max_calls=19))
    assert not overload.keeps_back(18)


def test_callers_of_a_trunk_cannot_take_the_last_room() -> None:
    bench = Bench(CallSettings(max_calls=20))
    for number in range(1001, 1020):
        bench.phone(str(number)).call("4000")
    assert bench.calls.calls_alive == 19
    bench.stranger("+12025550101").call("4000")
    (refused,) = bench.of(CallRefused)
    assert (refused.status, refused.reason) == (503, "kept-for-phones")
    bench.phone("1020").call("4000")
    assert bench.calls.calls_alive == 20
    assert len(bench.of(CallRefused)) == 1
