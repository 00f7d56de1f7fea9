"""Settings of campaigns as people send them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.dialer.model import CampaignName, Outcome
from acd.dialer.settings import CampaignSettings, Limits, Retry
from cti.campaigns.settings_body import BadSettingsError, as_data, changed, read, schema
from cti.cli.campaigns_values import coerced, put

SPRING = CampaignSettings(name=CampaignName("spring"), limits=Limits(calls=5, per_day=2))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=10,
)


def test_tables_are_changed_key_by_key_and_null_is_the_default() -> None:
    again = changed(SPRING, {"limits": {"calls": None, "per_24_h": 1}, "ring_s": 30})
    assert again.limits == Limits(per_day=2, per_24_h=1)
    assert again.ring_s == 30.0
    assert changed(again, {"limits": None}).limits == Limits()


def test_retries_are_tables_by_outcome() -> None:
    again = changed(SPRING, {"retries": {"busy": {"after_s": 60}}})
    assert again.retries == {Outcome.BUSY: Retry(after_s=60.0)}
    assert changed(again, {"retries": {"busy": None}}).retries == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"foo": 5}, "foo: there is no such setting; `switchroom campaigns settings` lists all"),
        ({"per_dya": 5}, "per_dya: there is no such setting; is limits.per_day meant?"),
        (
            {"windows": ["9-17"]},
            "windows[0]: expected object, got str; `switchroom campaigns settings windows` tells",
        ),
        ({"limits": {"callz": 5}}, "limits.callz: there is no such setting; is calls meant?"),
        ({"windows": [{"start": "08:00"}]}, "windows[0].start: there is no such setting"),
        ({"retries": {"busy": {"often": 2}}}, "retries.busy.often: there is no such setting"),
        ({"limits": {"calls": "five"}}, "limits.calls: expected int, got str"),
        ({"mode": "loud"}, "mode: invalid enum value 'loud'; one of manual, preview, progressive"),
        ({"cap": {"guard": "x"}}, "cap.guard: invalid enum value 'x'; one of none, statistical"),
        ({"cap": {"formulas": ["x"]}}, "invalid enum value 'x'; one of us, uk, own"),
        ({"retries": {"x": {"after_s": 1}}}, "invalid enum value 'x'; one of connected, abandoned"),
        ({"name": "summer"}, "name: a campaign keeps its name"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSettingsError) as refused:
        changed(SPRING, change)
    assert words in str(refused.value)


@given(st.dictionaries(st.sampled_from(sorted(as_data(SPRING))) | st.text(max_size=9), json_values))
def test_nothing_that_is_sent_makes_more_than_an_error(change: dict[str, Any]) -> None:
    try:
        found = changed(SPRING, change)
    except BadSettingsError:
        return
    assert found.name == "spring"
    assert read(as_data(found)) == found


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("limits.per_day=2", {"limits": {"per_day": 2}}),
        ("opt_out_digit=9", {"opt_out_digit": "9"}),
        ("caller_ids=+12025550100,+12025550101", {"caller_ids": ["+12025550100", "+12025550101"]}),
        ("human_initiated=true", {"human_initiated": True}),
        ("record=no", {"record": False}),
        ("mode=predictive", {"mode": "predictive"}),
        ("cap.percent=2.5", {"cap": {"percent": 2.5}}),
        ('windows=[{"begin":"09:00"}]', {"windows": [{"begin": "09:00"}]}),
        ("retries.busy.after_s=60", {"retries": {"busy": {"after_s": 60}}}),
        ("limits=null", {"limits": None}),
        ("nonsense=x", {"nonsense": "x"}),
    ],
)
def test_what_is_typed_becomes_what_the_schema_says(typed: str, expected: dict[str, Any]) -> None:
    settings: dict[str, Any] = {}
    key, _, text = typed.partition("=")
    put(settings, key, coerced(schema(), key, text))
    assert settings == expected


def test_all_settings_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(BadSettingsError) as refused:
        read({"name": "spring", "mode": "loud", "ring_s": "long", "goal": 5})
    assert [each.partition(":")[0] for each in refused.value.problems] == ["mode", "ring_s"]


def test_unknown_settings_hide_no_others_nor_does_one_of_a_table() -> None:
    cap = {"percent": "much", "lock_hours": "long", "own_days": 3}
    with pytest.raises(BadSettingsError) as refused:
        read({"name": "spring", "modes": 1, "cap": cap, "limits": {"callz": 1, "per_day": 2}})
    told = [each.partition(":")[0] for each in refused.value.problems]
    assert told == ["modes", "limits.callz", "cap.percent", "cap.lock_hours"]
    rest = refused.value.rest
    assert rest is not None
    assert (rest.cap.own_days, rest.limits.per_day) == (3, 2)
