from __future__ import annotations

import pytest

from switch.media.schedule import FRAME_S, MAX_BEHIND, TickSchedule


def test_ticks_are_due_on_an_absolute_schedule_however_late_they_were() -> None:
    schedule = TickSchedule()
    schedule.start(100.0)
    for n in range(50):
        assert not schedule.is_due(100.0 + n * FRAME_S - 0.001)
        assert schedule.is_due(100.0 + n * FRAME_S + 0.005)
        assert schedule.take(100.0 + n * FRAME_S + 0.005) == 0
    assert (schedule.on_time, schedule.late, schedule.caught_up) == (50, 0, 0)
    assert schedule.lateness().p50_ms == pytest.approx(5.0, abs=0.01)


def test_late_and_caught_up_ticks_are_counted_apart() -> None:
    schedule = TickSchedule()
    schedule.start(0.0)
    schedule.take(0.015)
    schedule.take(0.07)  # due at 0.02: the next two follow at once
    schedule.take(0.07)
    schedule.take(0.071)
    assert (schedule.on_time, schedule.late, schedule.caught_up) == (0, 2, 2)
    assert schedule.ticks == 4


def test_what_is_too_far_behind_is_left_out_and_counted() -> None:
    schedule = TickSchedule()
    schedule.start(0.0)
    assert schedule.take(1.0) == 49
    assert schedule.dropped == 49
    assert schedule.next_at == pytest.approx(1.0)
    assert schedule.take(1.0 + (MAX_BEHIND - 0.5) * FRAME_S) == 0


def test_a_pause_is_not_lateness() -> None:
    schedule = TickSchedule()
    schedule.start(0.0)
    schedule.take(0.0)
    schedule.stop()
    assert not schedule.is_due(100.0)
    schedule.start(200.0)
    assert schedule.take(200.001) == 0
    assert schedule.lateness().max_ms == pytest.approx(1.0, abs=0.01)


def test_lateness_covers_ten_seconds() -> None:
    schedule = TickSchedule()
    assert schedule.lateness().max_ms == 0.0
    schedule.start(0.0)
    for n in range(1000):
        schedule.take(n * FRAME_S + (0.009 if n < 500 else 0.001))
    assert schedule.lateness().max_ms == pytest.approx(1.0, abs=0.01)
