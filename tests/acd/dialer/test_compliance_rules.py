"""Caps, verdicts and moves: what one number and one record may still do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from acd.dialer.compliance import Hold, Knowledge, judge
from acd.dialer.compliance_caps import counts_for_caps, judge_caps, most_in_24_h
from acd.dialer.compliance_moves import (
    STATE_OF_STAGE,
    Move,
    RecordFacts,
    Stage,
    after_attempt,
    after_disposition,
)
from acd.dialer.compliance_places import Place
from acd.dialer.compliance_windows import hours_of, opening, windows_for
from acd.dialer.model import Attempt, AttemptId, CampaignName, Mode, Outcome, RecordId
from acd.dialer.settings import (
    AbandonCap,
    CampaignSettings,
    Limits,
    RegionCap,
    Retry,
    Window,
)
from acd.model import AgentId

AT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC).timestamp()
"""Noon in New York."""
HOUR = 3600.0
NEW_YORK = Place(regions=("US-NY",), zones=("America/New_York",))
DEFAULTS = CampaignSettings(name=CampaignName("as-shipped"))
MIAMI = Place(regions=("US-FL",), zones=("America/New_York",))


def campaign(**changes: Any) -> CampaignSettings:
    return CampaignSettings(name=CampaignName("winter"), **changes)


def attempt(outcome: Outcome, **more: Any) -> Attempt:
    values: dict[str, Any] = {
        "id": AttemptId("a1"),
        "campaign": CampaignName("winter"),
        "record": RecordId("1"),
        "number": "+12125550100",
        "caller_id": "",
        "mode": Mode.PREDICTIVE,
        "dialled_at": AT,
        "why": "",
        "outcome": outcome,
        "ended_at": AT,
    }
    return Attempt(**{**values, **more})


def record(**changes: Any) -> RecordFacts:
    return RecordFacts(**{"position": 0, "usable": (0,), **changes})


def moved(outcome: Outcome, facts: RecordFacts, **more: Any) -> Move:
    return after_attempt(campaign(), facts, attempt(outcome, **more))


# --- caps ---------------------------------------------------------------------------------------


def test_a_day_ends_where_the_number_is() -> None:
    limits = Limits(per_day=2, per_24_h=0)
    # 23:10 and 23:50 of the day before, and 00:10 today, in New York.
    dialled = [AT - 12 * HOUR - 3000.0, AT - 12 * HOUR - 600.0, AT - 12 * HOUR + 600.0]
    assert judge_caps(limits, NEW_YORK, 0, dialled, AT).allowed
    full = judge_caps(limits, NEW_YORK, 0, [*dialled, AT - HOUR], AT)
    assert (full.allowed, full.words) == (False, "2 of 2 today")
    assert full.free_at == AT + 12 * HOUR  # midnight there
    tokyo = Place(regions=(), zones=("America/New_York", "Asia/Tokyo"))
    assert not judge_caps(limits, tokyo, 0, [AT - HOUR, AT - 1.0], AT).allowed


def test_a_region_may_be_stricter() -> None:
    limits = Limits(per_day=0, per_24_h=5, by_region=(RegionCap(region="US-FL", per_24_h=3),))
    dialled = [AT - 23 * HOUR, AT - 2 * HOUR, AT - HOUR]
    assert judge_caps(limits, NEW_YORK, 0, dialled, AT).allowed
    held = judge_caps(limits, MIAMI, 0, dialled, AT)
    assert (held.words, held.free_at) == ("3 of 3 in 24 h", AT + HOUR)


def test_the_lowest_cap_of_all_regions_counts() -> None:
    limits = Limits(
        per_day=0,
        per_24_h=5,
        by_region=(RegionCap(region="US-FL", per_24_h=3), RegionCap(region="US", per_24_h=4)),
    )
    moved_away = Place(regions=("US-FL", "GB"), zones=("America/New_York", "Europe/London"))
    moved_in = Place(regions=("GB", "US-FL"), zones=("America/New_York", "Europe/London"))
    abroad = Place(regions=("GB",), zones=("Europe/London",))
    assert [most_in_24_h(limits, each) for each in (moved_away, moved_in, NEW_YORK, abroad)] == [
        3,
        3,
        4,
        5,
    ]


@examples(max_examples=200, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.integers(0, 2 * 86_400).map(float), max_size=8),
)
def test_a_cap_lets_go_when_it_says_and_not_before(
    per_day: int, per_24_h: int, ages: list[float]
) -> None:
    limits = Limits(attempts=0, per_day=per_day, per_24_h=per_24_h)
    dialled = [AT - age for age in ages]
    verdict = judge_caps(limits, NEW_YORK, 0, dialled, AT)
    today = sum(age <= 43_200.0 for age in ages)  # it is noon there
    lately = sum(age < 86_400.0 for age in ages)
    assert verdict.allowed is (today < per_day and lately < per_24_h)
    if verdict.allowed:
        return
    assert verdict.free_at is not None
    assert verdict.free_at > AT
    assert judge_caps(limits, NEW_YORK, 0, dialled, verdict.free_at).allowed
    assert not judge_caps(limits, NEW_YORK, 0, dialled, verdict.free_at - 0.01).allowed


def test_what_rang_counts_even_if_we_hung_up() -> None:
    assert counts_for_caps(Outcome.NO_ANSWER, None)
    assert not counts_for_caps(Outcome.CONGESTED, None)
    assert not counts_for_caps(Outcome.CANCELLED, None)
    assert counts_for_caps(Outcome.CANCELLED, AT)


# --- the verdict --------------------------------------------------------------------------------


def known(at: float = AT, **changes: Any) -> Knowledge:
    place = changes.pop("place", NEW_YORK)
    return Knowledge(place=place, opening=opening(hours_of((Window(),), place), at), **changes)


@pytest.mark.parametrize(
    ("changes", "at", "hold", "words"),
    [
        ({}, AT, Hold.NONE, "08:00-21:00 local, 12:00 there (America/New_York); attempt 1 of 6;"),
        ({"forbidden": "on the do-not-call list: asked"}, AT, Hold.FORBIDDEN, "asked; rules 1"),
        ({"attempts": 6}, AT, Hold.EXHAUSTED, "all 6 attempts of it are used up"),
        ({"full_quota": "enough"}, AT, Hold.QUOTA, "enough"),
        ({"dialled": [AT - 1.0] * 3}, AT, Hold.CAP, "3 of 3 in 24 h"),
        ({"in_hand": True}, AT, Hold.IN_HAND, "another record"),
        ({}, AT + 10 * HOUR, Hold.WINDOW, "22:00 there"),
        ({"attempts": 6, "is_promised": True}, AT, Hold.NONE, "call-back that was asked for"),
        ({"attempts": 1, "is_promised": True}, AT, Hold.NONE, "; attempt 2; 0 of"),
    ],
)
def test_the_verdict_names_the_reason_that_matters(
    changes: dict[str, Any], at: float, hold: Hold, words: str
) -> None:
    verdict = judge(campaign(), known(at, **changes), at)
    assert verdict.hold is hold
    assert words in verdict.why
    assert verdict.why.endswith("; rules 1")


def test_an_abandoned_number_needs_an_agent_for_72_hours() -> None:
    assert judge(campaign(), known(abandoned_at=AT - 71 * HOUR), AT).needs_agent
    assert not judge(campaign(), known(abandoned_at=AT - 72 * HOUR), AT).needs_agent
    shorter = campaign(cap=AbandonCap(lock_hours=1.0))
    assert not judge(shorter, known(abandoned_at=AT - 2 * HOUR), AT).needs_agent
    alone = judge(campaign(mode=Mode.ANNOUNCEMENT), known(abandoned_at=AT - HOUR), AT)
    assert (alone.hold, alone.free_at) == (Hold.CAP, AT + 71 * HOUR)


# --- moves --------------------------------------------------------------------------------------


def test_pauses_grow_with_each_retry_until_there_are_none() -> None:
    facts = record()
    pauses: list[float] = []
    for _ in range(5):
        move = moved(Outcome.BUSY, facts)
        pauses.append(-1.0 if move.due_at is None else move.due_at - AT)
        facts = record(attempts=move.attempts, counts=move.counts)
    assert pauses == [600.0, 900.0, 1350.0, 2025.0, -1.0]
    assert (move.stage, move.attempts) == (Stage.EXHAUSTED, 5)


def test_pauses_do_not_grow_beyond_a_year() -> None:
    often = Retry(after_s=600.0, times=9_999, factor=10.0)
    rules = campaign(retries={Outcome.BUSY: often})
    move = after_attempt(rules, record(counts={"busy": 400}), attempt(Outcome.BUSY))
    assert move.due_at == AT + 366 * 24 * HOUR


def test_the_next_number_comes_round() -> None:
    two = record(usable=(0, 1))
    assert moved(Outcome.NO_ANSWER, two).position == 1
    assert moved(Outcome.NO_ANSWER, record(position=1, usable=(0, 1))).position == 0
    assert moved(Outcome.BUSY, two).position == 0


def test_a_number_that_does_not_exist_makes_way_for_the_next() -> None:
    move = moved(Outcome.INVALID_NUMBER, record(usable=(0, 2)))
    assert (move.stage, move.position, move.number_is_dead) == (Stage.RETRY, 2, True)
    assert move.due_at == AT + 1.0
    last = moved(Outcome.INVALID_NUMBER, record())
    assert (last.stage, last.number_is_dead) == (Stage.NO_NUMBER, True)
    assert moved(Outcome.FAX, record()).stage is Stage.ENDED


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_leads_somewhere(outcome: Outcome) -> None:
    move = moved(outcome, record())
    assert move.stage in STATE_OF_STAGE
    assert (move.due_at is not None) is (move.stage is Stage.RETRY)
    free = outcome in (Outcome.CONGESTED, Outcome.AGENT_GONE, Outcome.CANCELLED)
    assert move.attempts == (0 if free else 1)


def test_the_last_attempt_ends_the_record_but_trouble_of_ours_does_not() -> None:
    used = record(attempts=5)
    assert moved(Outcome.NO_ANSWER, used).stage is Stage.EXHAUSTED
    assert moved(Outcome.CONGESTED, used).stage is Stage.RETRY


def test_what_the_agent_chose_decides() -> None:
    rules = campaign(
        retry_dispositions={"later": Retry(after_s=HOUR, times=1)}, final_dispositions=("sold",)
    )
    first = after_attempt(rules, record(), attempt(Outcome.CONNECTED))
    assert first.stage is Stage.REACHED
    facts = record(attempts=first.attempts, counts=first.counts)
    late = after_disposition(rules, facts, attempt(Outcome.CONNECTED, disposition="later"))
    assert (late.stage, late.due_at, late.attempts) == (Stage.RETRY, AT + HOUR, 1)
    again = after_attempt(
        rules, record(counts=late.counts), attempt(Outcome.CONNECTED, disposition="later")
    )
    assert again.stage is Stage.EXHAUSTED
    sold = after_disposition(rules, facts, attempt(Outcome.CONNECTED, disposition="sold"))
    assert sold.stage is Stage.FINAL


def test_a_call_back_waits_for_its_time_and_its_agent() -> None:
    ask = {"call_back_at": AT + HOUR, "agent": AgentId("1001")}
    mine = moved(Outcome.CONNECTED, record(attempts=5), call_back_mine=True, **ask)
    assert (mine.stage, mine.due_at, mine.agent) == (Stage.CALL_BACK, AT + HOUR, "1001")
    assert moved(Outcome.CONNECTED, record(), **ask).agent is None


def test_who_opted_out_is_blocked_whatever_else_is_said() -> None:
    move = moved(Outcome.OPTED_OUT, record(), call_back_at=AT + HOUR)
    assert move.stage is Stage.OPTED_OUT


@pytest.mark.parametrize(
    ("state", "until", "in_24_h"),
    [
        ("US-FL", "20:00", 3),
        ("US-MA", "20:00", 9),
        ("US-MD", "20:00", 3),
        ("US-OK", "20:00", 3),
        ("US-WA", "20:00", 9),
        ("US-NY", "21:00", 9),
    ],
)
def test_rules_of_states_come_with_the_program(state: str, until: str, in_24_h: int) -> None:
    assert [each.end for each in windows_for(DEFAULTS.windows, state)] == [until]
    place = Place(regions=(state,), zones=("America/New_York",))
    assert most_in_24_h(Limits(per_24_h=9), place) == in_24_h


def test_the_attempt_of_a_call_back_has_its_own_number() -> None:
    verdict = judge(campaign(), known(attempts=6, is_promised=True), AT)
    assert "attempt 7;" in verdict.why
