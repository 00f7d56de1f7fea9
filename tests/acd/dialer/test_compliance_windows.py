from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from acd.dialer.compliance_places import Place, place_of
from acd.dialer.compliance_windows import Opening, hours_of, is_open, minutes, opening, windows_for
from acd.dialer.settings import Window

DAY = Window(begin="08:00", end="21:00")
FLORIDA = Window(begin="08:00", end="20:00", region="US-FL")
ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
END = datetime(2030, 1, 1, tzinfo=UTC).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def place(*zones: str, region: str = "") -> Place:
    return Place(regions=tuple(region.split()), zones=zones)


def state_of(windows: tuple[Window, ...], where: Place, at: float) -> Opening:
    return opening(hours_of(windows, where), at)


def open_at(windows: tuple[Window, ...], where: Place, at: float) -> bool:
    return is_open(hours_of(windows, where), at)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def windows(draw: st.DrawFn) -> Window:
    begin = draw(st.integers(0, 24 * 60 - 1))
    end = draw(st.integers(begin + 1, 24 * 60))
    days = draw(st.sets(st.integers(0, 6), min_size=1))
    return Window(begin=clock(begin), end=clock(end), days=tuple(sorted(days)))


moments = st.floats(BEGIN, END).map(round).map(float)
around_changes = st.sampled_from(
    [
        utc(day)
        for day in (
            "2026-03-08T07:00",  # New York forward
            "2026-11-01T06:00",  # and back
            "2026-03-29T01:00",  # Europe forward
            "2026-10-25T01:00",
            "2026-04-04T15:00",  # Lord Howe back by half an hour
            "2026-10-03T15:30",
            "2026-02-15T02:00",  # Morocco, before Ramadan
        )
    ]
).flatmap(lambda at: st.integers(-90_000, 90_000).map(lambda shift: at + shift))


def on_the_wall(window: Window, zone: str, at: float) -> bool:
    """What the rule says, as simply as it can be said."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return window.begin <= f"{local:%H:%M}" < window.end and local.weekday() in window.days


@settings(max_examples=120, deadline=None)
@given(windows(), st.sampled_from(ZONES), moments | around_changes)
def test_a_window_is_what_the_clock_on_the_wall_says(window: Window, zone: str, at: float) -> None:
    assert open_at((window,), place(zone), at) is on_the_wall(window, zone, at)


@settings(max_examples=80, deadline=None)
@given(windows(), st.sets(st.sampled_from(ZONES), min_size=1, max_size=3), moments | around_changes)
def test_nothing_changes_before_it_is_said_to(window: Window, zones: set[str], at: float) -> None:
    where = place(*sorted(zones))
    state = state_of((window,), where, at)
    assert state.is_open is all(on_the_wall(window, zone, at) for zone in zones)
    ends = state.changes_at if state.changes_at is not None else at + 8 * 86_400.0
    # Every quarter of an hour, so also on both sides of each change of the clocks, until just before.
    probes = [at + step * 900.0 for step in range(int((ends - at) / 900.0) + 1)]
    for probe in (*probes, ends - 0.001):
        if at <= probe < ends:
            assert open_at((window,), where, probe) is state.is_open
    if state.changes_at is not None:
        assert open_at((window,), where, ends) is not state.is_open


@pytest.mark.parametrize(
    ("at", "is_now_open", "changes"),
    [
        # Clocks go forward in New York on 8 March 2026 at 02:00, back on 1 November.
        ("2026-03-07T12:59", False, "2026-03-07T13:00"),  # 07:59 standard time
        ("2026-03-08T11:59", False, "2026-03-08T12:00"),  # 07:59 daylight time
        ("2026-03-08T12:00", True, "2026-03-09T01:00"),
        ("2026-11-01T12:30", False, "2026-11-01T13:00"),
        ("2026-11-01T13:00", True, "2026-11-02T02:00"),
    ],
)
def test_daylight_saving_moves_the_window(at: str, is_now_open: bool, changes: str) -> None:
    state = state_of((DAY,), place("America/New_York"), utc(at))
    assert (state.is_open, state.changes_at) == (is_now_open, utc(changes))


def test_all_zones_of_a_number_must_be_inside() -> None:
    both = place("America/New_York", "America/Los_Angeles")
    assert not state_of((DAY,), both, utc("2026-11-24T15:59")).is_open  # 07:59 in Los Angeles
    state = state_of((DAY,), both, utc("2026-11-24T16:00"))
    assert state.is_open
    assert state.changes_at == utc("2026-11-25T02:00")  # 21:00 in New York
    assert state.words == "08:00-21:00 local, 08:00 to 11:00 there (2 zones, all must be inside)"


def test_the_narrowest_region_counts() -> None:
    rules = (DAY, FLORIDA, Window(begin="10:00", end="12:00", region="US"))
    assert windows_for(rules, "US-FL") == (FLORIDA,)
    assert [window.begin for window in windows_for(rules, "US-GA")] == ["10:00"]
    assert windows_for(rules, "GB") == (DAY,)
    at = utc("2026-11-25T01:30")  # 20:30 in Miami and Atlanta
    assert open_at((DAY, FLORIDA), place_of("+14045550100"), at)
    assert not open_at((DAY, FLORIDA), place_of("+13055550100"), at)


TEXAN_SUNDAY = Window(begin="12:00", end="21:00", days=(6,), region="US-TX")
TEXAN_WEEK = Window(begin="09:00", end="21:00", days=(0, 1, 2, 3, 4, 5), region="US-TX")


def test_a_place_of_two_regions_must_be_open_in_each() -> None:
    rules = (DAY, FLORIDA, TEXAN_SUNDAY, TEXAN_WEEK)
    texan_of_florida = place_of("+13055550100", region="US-TX")
    floridian_of_texas = place_of("+12145550100", region="US-FL", zone="America/New_York")
    for where in (texan_of_florida, floridian_of_texas):
        assert not open_at(rules, where, utc("2026-11-24T13:30")), "08:30 is too early in Texas"
        assert open_at(rules, where, utc("2026-11-24T15:30"))
        assert not open_at(rules, where, utc("2026-11-29T16:30")), "no Sunday morning in Texas"
        assert not open_at(rules, where, utc("2026-11-25T01:30")), "20:30 is too late in Florida"
    state = state_of(rules, texan_of_florida, utc("2026-11-24T15:30"))
    assert state.changes_at == utc("2026-11-25T01:00"), "20:00 in Miami"
    assert "08:00-20:00 in US-FL and Sun 12:00-21:00 in US-TX, " in state.words
    assert state.words.endswith("local, 10:30 there (America/New_York)")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(windows(), min_size=1, max_size=2),
    st.lists(windows(), min_size=1, max_size=2),
    st.sampled_from(ZONES),
    moments | around_changes,
)
def test_two_regions_are_open_when_both_are(
    one: list[Window], other: list[Window], zone: str, at: float
) -> None:
    rules = (
        *(replace(window, region="US") for window in one),
        *(replace(window, region="GB") for window in other),
    )
    regions = [open_at(rules, place(zone, region=region), at) for region in ("US", "GB")]
    both = place(zone, region="US GB")
    assert open_at(rules, both, at) is all(regions)
    state = state_of(rules, both, at)
    ends = state.changes_at if state.changes_at is not None else at + 8 * 86_400.0
    for probe in (at, (at + ends) / 2, ends - 0.001):
        if at <= probe < ends:
            assert open_at(rules, both, probe) is state.is_open


def test_regions_with_the_same_windows_have_the_same_hours() -> None:
    rules = (DAY, FLORIDA)
    ohio, ohio_from_texas = place(ZONES[0], region="US-OH"), place(ZONES[0], region="US-TX US-OH")
    assert hours_of(rules, ohio) == hours_of(rules, ohio_from_texas)
    assert hours_of(rules, ohio) != hours_of(rules, place(ZONES[0], region="US-OH US-FL"))


@pytest.mark.parametrize(
    ("rules", "where", "words"),
    [
        (
            (FLORIDA,),
            place("Europe/London", region="US-FL GB"),
            "no window of the campaign is for GB",
        ),
        ((DAY,), place(), "its time zone is not known"),
        ((FLORIDA,), place("Europe/London", region="GB"), "no window of the campaign is for GB"),
        ((Window(begin="12:00", end="12:30"),), place("Asia/Shanghai", "Europe/London"), "12:00"),
    ],
)
def test_where_no_hour_suits_it_is_never_open(
    rules: tuple[Window, ...], where: Place, words: str
) -> None:
    state = state_of(rules, where, utc("2026-11-24T12:00"))
    assert (state.is_open, state.is_never, state.changes_at) == (False, True, None)
    assert words in state.words


def test_a_window_of_all_hours_never_closes() -> None:
    state = state_of((Window(begin="00:00", end="24:00"),), place("Europe/London"), BEGIN)
    assert (state.is_open, state.changes_at) == (True, None)
    assert state.holds_at(END)
    assert isinstance(state, Opening)


@pytest.mark.parametrize(
    "text", ["8:00", "08.00", "24:01", "08:60", "", "ab:cd", "-1:00", "０８:00"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time of day|later than"):
        minutes(text)
