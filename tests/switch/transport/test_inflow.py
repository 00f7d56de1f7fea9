"""Who waits, who is served, who is refused: virtual time, and a server of known speed."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from switch.transport.inflow import Inflow, InflowSettings
from switch.transport.lanes import Lane

SETTINGS = InflowSettings(going_on_a_turn=3, new_a_turn=2)
GOING_ON, KNOWN, TRUSTED, STRANGERS = Lane


def lined_up(
    settings: InflowSettings, *messages: tuple[Lane, str], now: float = 0.0
) -> Inflow[str]:
    inflow: Inflow[str] = Inflow(settings)
    for lane, name in messages:
        inflow.put(lane, name, now, now)
    return inflow


def turns(inflow: Inflow[str], now: float = 0.0) -> list[str]:
    """What is served turn by turn, each as one word."""
    found: list[str] = []
    while len(inflow):
        found.append("".join(inflow.take(now).batch))
    return found


def test_what_goes_on_comes_first_and_new_calls_get_what_is_left_of_each_turn_or_one_place() -> (
    None
):
    inflow = lined_up(
        SETTINGS,
        *((TRUSTED, name) for name in "xyz"),
        *((GOING_ON, name) for name in "abcd"),
    )
    assert turns(inflow) == ["abcx", "dyz"]


def test_known_before_trusted_before_strangers_but_one_place_is_left() -> None:
    inflow = lined_up(
        SETTINGS,
        *((STRANGERS, name) for name in "xyz"),
        *((TRUSTED, name) for name in "tu"),
        *((KNOWN, name) for name in "abc"),
    )
    assert turns(inflow) == ["at", "bu", "cx", "yz"]


def test_the_known_use_every_place_that_nobody_else_wants() -> None:
    assert turns(lined_up(SETTINGS, *((KNOWN, name) for name in "abc"))) == ["ab", "c"]


def test_a_burst_is_no_overload() -> None:
    inflow = lined_up(SETTINGS, *((TRUSTED, "x") for _ in range(60)))
    now = 0.0
    while len(inflow):
        now += 0.006
        assert inflow.take(now).refused == []
    assert now > SETTINGS.patience_s
    assert inflow.take_worst_s() == pytest.approx(now)
    assert inflow.take_worst_s() == 0.0


def test_what_would_have_to_wait_too_long_is_refused_the_oldest_first() -> None:
    inflow: Inflow[int] = Inflow(SETTINGS)
    for number in range(10):
        inflow.put(TRUSTED, number, number * 0.2, number * 0.2)
    served = inflow.take(1.9)
    assert served.refused == [0, 1, 2, 3, 4]
    assert served.batch == [5, 6]
    assert (inflow.refused, inflow.dropped, len(inflow)) == (5, 0, 3)


def test_after_a_while_of_waiting_patience_is_shorter() -> None:
    inflow: Inflow[int] = Inflow(SETTINGS)
    now = 0.0
    refused: list[float] = []
    while now < 5.0:
        for _ in range(3):
            inflow.put(TRUSTED, 0, now, now)
        refused += [now] * len(inflow.take(now).refused)
        now += 0.01
    assert refused[0] == pytest.approx(2.0, abs=0.05), "somebody had been waiting for two seconds"
    by_second = [sum(begin <= at < begin + 1 for at in refused) for begin in range(5)]
    assert by_second[2] > 250, "the patience is shorter from now on"
    assert by_second[3:] == pytest.approx([100, 100], abs=3), "as many as come too much"
    assert len(inflow) == pytest.approx(300 * SETTINGS.patience_s, abs=3)


def test_what_goes_on_is_never_refused_and_dropped_only_to_bound_memory() -> None:
    settings = InflowSettings(most_going_on=5)
    inflow = lined_up(settings, *((GOING_ON, "x") for _ in range(7)))
    assert (len(inflow), inflow.dropped) == (5, 2)
    served = inflow.take(1000.0)
    assert (len(served.batch), served.refused) == (5, [])


def test_on_a_slow_machine_turns_are_smaller() -> None:
    settings = InflowSettings(turn_s=0.03, new_a_turn=16, patience_s=100.0, burst_s=100.0)
    inflow = lined_up(settings, *((TRUSTED, "x") for _ in range(1000)))
    now, sizes = 0.0, []
    for _ in range(20):
        count = len(inflow.take(now).batch)
        now += count * 0.01
        inflow.done(now)
        sizes.append(count)
    assert sizes[0] == 16
    assert sizes[-1] == 3, "what takes 0.03 s"
    inflow = lined_up(settings, *((GOING_ON, "x") for _ in range(100)))
    for _ in range(20):
        inflow.take(now)
        inflow.done(now + 1000.0)
    assert len(inflow) < 100 - 20, "one at least"


def test_lanes_of_new_requests_are_bounded() -> None:
    inflow: Inflow[int] = Inflow(InflowSettings(most_new=5, new_a_turn=2))
    for number in range(7):
        inflow.put(STRANGERS, number, 0.0, 0.0)
    served = inflow.take(0.0)
    assert (served.refused, served.batch) == ([0, 1], [2, 3])


def test_beyond_a_rate_surplus_goes_unanswered() -> None:
    inflow: Inflow[int] = Inflow(InflowSettings(refusals_a_second=100.0, new_a_turn=1))
    answered = 0
    for step in range(100):
        now = 10.0 + step / 100
        for _ in range(50):
            inflow.put(TRUSTED, 0, now - 2.0, now)
        answered += len(inflow.take(now).refused)
    assert answered == pytest.approx(180, abs=2), "a second's worth and the burst"
    assert inflow.refused == answered
    assert inflow.dropped == 50 * 100 - answered


# --- a server of known speed --------------------------------------------------------------------


@dataclass
class Speed:
    """What things cost, in seconds of the one core."""

    new: float = 1.2e-3
    going_on: float = 0.35e-3
    """Each of four further messages of a call."""
    refusal: float = 0.06e-3
    turn: float = 0.2e-3
    read: float = 8e-6

    @property
    def calls_a_second(self) -> float:
        return 1.0 / (self.new + 4 * self.going_on)


@dataclass
class Figures:
    good: float = 0.0
    """Calls a second that came to their end."""
    refused: int = 0
    dropped: int = 0
    waits: list[float] = field(default_factory=list)
    """Of calls let in, from their coming to their being served; the first four seconds left out."""

    @property
    def p95_s(self) -> float:
        return sorted(self.waits)[int(0.95 * len(self.waits))]


_NEXT = {"invite": ("answer", 0.001), "answer": ("ack", 0.001), "ack": ("bye", 1.0)}
_NEXT["bye"] = ("gone", 0.001)


def simulate(
    rate: float, seconds: float, speed: Speed, pauses: Sequence[tuple[float, float]] = ()
) -> Figures:
    """Calls at random times to a server that does one thing at a time; talks last a second.

    `pauses`: when the machine does something else, and how long. What goes on once calls come no more
    is not counted.
    """
    random_ = random.Random(3)
    inflow: Inflow[tuple[str, int]] = Inflow()
    coming: list[tuple[float, int, str]] = []
    at = 0.0
    while at < seconds:
        at += random_.expovariate(rate)
        coming.append((at, len(coming), "invite"))
    began = {call: at for at, call, _ in coming}
    figures, done, now, emptied = Figures(), 0, 0.0, 0.0
    waiting_pauses = list(pauses)
    while now < seconds:
        if not len(inflow) and coming[0][0] > now:
            now = emptied = coming[0][0]
        if waiting_pauses and now >= waiting_pauses[0][0]:
            now += waiting_pauses.pop(0)[1]
        since, emptied = emptied, now
        came: list[tuple[str, int]] = []
        while coming[0][0] <= emptied:
            _, call, what = heapq.heappop(coming)
            came.append((what, call))
        for number, message in enumerate(came, 1):
            lane = TRUSTED if message[0] == "invite" else GOING_ON
            inflow.put(lane, message, since + (emptied - since) * number / len(came), emptied)
        now += speed.read * len(came)
        served = inflow.take(now)
        now += speed.turn
        for what, call in served.batch:
            now += speed.new if what == "invite" else speed.going_on
            if what == "invite" and now > 4.0:
                figures.waits.append(now - began[call])
        for what, call in served.batch:
            done += what == "gone"
            if what in _NEXT:
                after, pause = _NEXT[what]
                heapq.heappush(coming, (now + pause, call, after))
        inflow.done(now)
        now += speed.refusal * len(served.refused)
    figures.good = done / seconds
    figures.refused, figures.dropped = inflow.refused, inflow.dropped
    return figures


@pytest.mark.parametrize("speed", [Speed(), Speed(9e-3, 3e-3, 0.5e-3, 1e-3)], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("times", "bearable_s"), [(1.0, 0.5), (1.5, 0.3), (2.0, 0.3), (3.0, 0.3)], ids=str
)
def test_a_server_goes_on_with_nine_tenths_of_what_it_can(
    speed: Speed, times: float, bearable_s: float
) -> None:
    peak = simulate(0.95 * speed.calls_a_second, 12.0, speed).good
    figures = simulate(times * speed.calls_a_second, 12.0, speed)
    assert figures.good >= 0.9 * peak
    assert figures.p95_s < bearable_s
    assert figures.dropped == 0


def test_a_flood_of_ten_times_as_many_leaves_most_of_it() -> None:
    speed = Speed()
    figures = simulate(10 * speed.calls_a_second, 8.0, speed)
    assert figures.good >= 0.75 * speed.calls_a_second
    assert figures.p95_s < 0.3
    assert figures.dropped > figures.refused > 0


def test_below_its_limit_nobody_is_refused_and_nobody_waits_long() -> None:
    speed = Speed()
    figures = simulate(0.8 * speed.calls_a_second, 12.0, speed)
    assert figures.refused == 0
    assert figures.p95_s < 0.03


def test_a_pause_of_the_machine_costs_no_calls() -> None:
    speed = Speed()
    figures = simulate(0.6 * speed.calls_a_second, 10.0, speed, [(3.0, 0.5), (7.0, 0.5)])
    assert figures.refused == 0


def test_what_waits_is_bounded_in_octets_and_makes_room_when_it_is_served_or_refused() -> None:
    settings = InflowSettings(most_octets=100, new_a_turn=1, most_new=1)
    inflow: Inflow[bytes] = Inflow(settings, size_of=len)
    for lane in (Lane.GOING_ON, Lane.TRUSTED, Lane.STRANGERS, Lane.TRUSTED):
        inflow.put(lane, bytes(30), 0.0, 0.0)
    assert (len(inflow), inflow.dropped) == (3, 1)
    while len(inflow):
        inflow.take(0.0)
    for lane in (Lane.TRUSTED, Lane.TRUSTED, Lane.TRUSTED):
        inflow.put(lane, bytes(33), 0.0, 0.0)
    assert inflow.dropped == 1
    served = inflow.take(0.0)
    assert len(served.refused) == 2  # more than `most_new`
    for _ in range(3):
        inflow.put(Lane.GOING_ON, bytes(33), 0.0, 0.0)
    assert inflow.dropped == 1


def test_however_much_goes_on_one_new_request_gets_its_turn() -> None:
    inflow: Inflow[str] = Inflow(InflowSettings(going_on_a_turn=2))
    for _ in range(1000):
        inflow.put(Lane.GOING_ON, "forged", 0.0, 0.0)
    inflow.put(Lane.STRANGERS, "new", 0.0, 0.0)
    assert inflow.take(0.0).batch == ["forged", "forged", "new"]
