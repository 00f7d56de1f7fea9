"""The queue of timers: order, stopping, and that stopped timers do not pile up."""

import time

from switch.sip.timer_queue import TimerQueue
from switch.sip.timers import Timer


class Owner:
    epoch = 0
    armed = 0


def test_timers_fire_in_order_and_stopped_ones_never() -> None:
    queue, first, second = TimerQueue(), Owner(), Owner()
    queue.start(first, Timer.B, 32.0)
    queue.start(second, Timer.E, 2.0)
    queue.start(first, Timer.A, 1.0)
    assert queue.next_due() == 1.0
    queue.stop_all(first)
    assert queue.next_due() == 2.0
    assert queue.pop_due(1.9) is None
    assert queue.pop_due(2.0) == (second, Timer.E)
    assert queue.pop_due(100.0) is None
    assert len(queue) == 0


def test_timers_of_one_moment_fire_in_the_order_in_which_they_were_started() -> None:
    queue = TimerQueue()
    owners = [Owner() for _ in range(5)]
    for owner in owners:
        queue.start(owner, Timer.K, 5.0)
    queue.stop_all(owners[0])
    queue.stop_all(owners[2])
    queue.start(owners[0], Timer.J, 6.0)
    assert len(queue) == 4
    fired = [queue.pop_due(10.0) for _ in range(5)]
    assert fired == [(o, Timer.K) for o in (owners[1], *owners[3:])] + [(owners[0], Timer.J), None]
    assert queue.next_due() is None
    assert (len(queue), queue._at, queue._moments) == (0, {}, [])


def test_a_timer_of_a_moment_of_very_many_costs_no_more_than_one_of_few() -> None:
    def cost_of_each(count: int) -> float:
        queue, owners = TimerQueue(), [Owner() for _ in range(count)]
        for owner in owners:
            queue.start(owner, Timer.J, 32.0)
        for owner in owners[: count // 2]:
            queue.stop_all(owner)
        began = time.process_time()
        fired = 0
        while queue.pop_due(40.0) is not None:
            fired += 1
        assert fired == count - count // 2
        return (time.process_time() - began) / count

    few = min(cost_of_each(2_000) for _ in range(5))
    assert cost_of_each(100_000) < 10 * few, "twenty times if all behind it move up"


def test_timers_can_be_started_again_after_a_stop() -> None:
    queue, owner = TimerQueue(), Owner()
    queue.start(owner, Timer.A, 1.0)
    queue.stop_all(owner)
    queue.start(owner, Timer.D, 5.0)
    assert queue.pop_due(10.0) == (owner, Timer.D)
    assert owner.armed == 0


def test_stopped_timers_are_swept_out() -> None:
    queue = TimerQueue()
    for _ in range(10_000):
        owner = Owner()
        queue.start(owner, Timer.B, 32.0)
        queue.stop_all(owner)
    assert len(queue) == 0
    assert queue._size == sum(map(len, queue._at.values())) < 3000
