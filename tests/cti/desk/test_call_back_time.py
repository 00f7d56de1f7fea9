"""Times of call-backs, as agents type them, in the zone of the customer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cti.desk.agent.call_back_time import Wrong, read_day, read_moment, there, zone_clock, zone_of

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 6, 15, 0, tzinfo=NEW_YORK).timestamp()


def utc(moment: float | Wrong) -> str:
    assert not isinstance(moment, Wrong), moment
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        ("", "16:30", "2026-03-06 21:30"),
        ("+1", "9", "2026-03-07 14:00"),
        ("3-10", "9.15", "2026-03-10 13:15"),  # summer time has begun
        ("2026-11-01", "1:30", "2026-11-01 05:30"),  # twice there: the first
        ("1-4", "12:00", "2027-01-04 17:00"),  # the next one
    ],
)
def test_a_day_and_a_time_there(day: str, clock: str, expected: str) -> None:
    assert utc(read_moment(day, clock, NEW_YORK, NOW)) == expected


@pytest.mark.parametrize(
    ("day", "clock", "wrong"),
    [
        ("", "14:59", Wrong("later.past", "time")),
        ("yesterday", "9", Wrong("later.wrong_day", "day")),
        ("2-30", "9", Wrong("later.wrong_day", "day")),
        ("+999", "9", Wrong("later.too_far", "day")),
        ("9999-12-31", "23:59", Wrong("later.too_far", "day")),
        ("", "25:00", Wrong("later.wrong_time", "time")),
        ("", "", Wrong("later.wrong_time", "time")),
        ("3-8", "2:30", Wrong("later.no_such_time", "time")),
    ],
)
def test_what_is_no_time_to_call(day: str, clock: str, wrong: Wrong) -> None:
    assert read_moment(day, clock, NEW_YORK, NOW) == wrong


def test_a_leap_day_is_only_in_leap_years() -> None:
    assert read_day("2-29", date(2028, 1, 1)) == date(2028, 2, 29)
    assert read_day("2-29", date(2028, 3, 1)) is None


def test_zones_that_are_not_known_here_are_utc() -> None:
    assert zone_of("Nowhere/Else").key == "UTC"
    assert zone_of("").key == "UTC"
    assert zone_of("../../etc/passwd").key == "UTC"
    assert there(NOW, NEW_YORK) == "03-06 15:00"
    assert zone_clock(NOW, "Europe/London") == "20:00"
