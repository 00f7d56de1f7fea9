"""The counters of a day begin anew at local midnight, also on days of 23 and 25 hours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cti.midnight import Midnight, seconds_to_midnight
from tests.kit.virtual_clock import VirtualClock


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def wall(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall).astimezone():%Y-%m-%d %H:%M}"


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("local_midnight_utc", "hours"),
    [("2026-10-24 22:00", 25.0), ("2026-03-28 23:00", 23.0), ("2026-06-30 22:00", 24.0)],
)
def test_a_day_ends_when_its_last_hour_is_over(local_midnight_utc: str, hours: float) -> None:
    assert seconds_to_midnight(wall(local_midnight_utc)) == 3600.0 * hours


@pytest.mark.usefixtures("in_berlin")
def test_the_day_turns_once_a_day_when_the_clocks_change() -> None:
    clock = VirtualClock(wall=wall("2026-10-24 12:00"))
    turns: list[str] = []
    Midnight(clock, lambda: turns.append(local(clock.wall()))).watch()
    clock.advance(3 * 86_400.0)
    assert turns == ["2026-10-25 00:00", "2026-10-26 00:00", "2026-10-27 00:00"]


@pytest.mark.usefixtures("in_berlin")
def test_a_machine_that_slept_over_midnight_turns_within_the_hour() -> None:
    clock = VirtualClock(wall=wall("2026-06-30 12:00"))
    turns: list[float] = []
    Midnight(clock, lambda: turns.append(clock.now())).watch()
    clock._wall_offset += 86_400.0  # the wall clock went on while the timers stood still
    clock.advance(3600.0)
    assert len(turns) == 1
