"""What a campaign may not be told, on whatever site."""

from __future__ import annotations

from typing import Any

import pytest

from acd.dialer.model import CampaignName, Outcome
from acd.dialer.settings import (
    AbandonCap,
    AnswerRules,
    CampaignSettings,
    Limits,
    Quota,
    RegionCap,
    Retry,
    Window,
)
from acd.dialer.settings_check import problems_of

NAN = float("nan")
AGAIN = {"x": Retry(after_s=1.0)}


def campaign(**changes: Any) -> CampaignSettings:
    return CampaignSettings(name=CampaignName("winter"), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"limits": Limits(attempts=0, per_day=0, per_24_h=0, calls=0, calls_per_s=0.0)},
        {"opt_out_digit": ""},
        {"windows": (Window(begin="00:00", end="24:00"),)},
        {"cap": AbandonCap(patience_s=2.0)},
    ],
)
def test_defaults_and_what_means_no_limit_are_right(changes: dict[str, Any]) -> None:
    assert problems_of(campaign(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"windows": ()}, "windows: without one nobody may ever be called"),
        (
            {"windows": (Window(begin="21:00", end="08:00"),)},
            "windows[0]: begin 21:00 is not before end 08:00; a window over midnight is two",
        ),
        ({"windows": (Window(begin="8", end="9"),)}, "windows[0]: '8' is not a time of day"),
        ({"windows": (Window(days=(7,)),)}, "windows[0].days: give days of the week"),
        ({"windows": (Window(days=()),)}, "windows[0].days: give days of the week"),
        ({"windows": (Window(region="us-fl"),)}, "windows[0].region: 'us-fl' must be as in ISO"),
        ({"begins": "2026-12-24", "ends": "2026-12-01"}, "ends: it would be over before it begins"),
        ({"ends": "tomorrow"}, "ends: 'tomorrow' is no date and time"),
        ({"limits": Limits(per_day=-1)}, "limits.per_day: from 0 to 100, not -1"),
        ({"limits": Limits(calls_per_s=-1.0)}, "limits.calls_per_s: from 0 to 1000, not -1"),
        ({"limits": Limits(by_region=(RegionCap(region="", per_24_h=1),))}, "limits.by_region[0]"),
        ({"retries": {Outcome.BUSY: Retry(after_s=-1.0)}}, "retries.busy.after_s: from 0 to 31622"),
        (
            {"retries": {Outcome.BUSY: Retry(after_s=1.0, factor=0.5)}},
            "retries.busy.factor: from 1 to 10, not 0.5",
        ),
        (
            {"retry_dispositions": {"x": Retry(after_s=1.0, times=101)}},
            "retry_dispositions.x.times: from 0 to 100, not 101",
        ),
        (
            {"retry_dispositions": AGAIN, "do_not_call_dispositions": ("x",)},
            "do_not_call_dispositions: x: who is never to be called again",
        ),
        (
            {"retry_dispositions": AGAIN, "final_dispositions": ("x",)},
            "final_dispositions: x: both final and to be tried again",
        ),
        ({"quotas": (Quota(column="", value="", goal=1),)}, "quotas[0]: needs a column"),
        ({"order": "loudest"}, "order: one of priority, list, oldest, newest, random, not 'loud"),
        ({"caller_ids": ("2025550100",)}, "caller_ids: '2025550100' is no international number"),
        ({"caller_ids": ("+12025550100",) * 201}, "caller_ids: at most 200, not 201"),
        ({"opt_out_digit": "12"}, "opt_out_digit: one of 0-9, * and #, or nothing, not '12'"),
        ({"script": "x" * 20_001}, "script: at most 20000 characters, not 20001"),
        ({"title": "x" * 201}, "title: at most 200 characters, not 201"),
        ({"ring_s": 5.0}, "ring_s: from 15 to 120, not 5"),
        ({"goal": -1}, "goal: from 0 to 1000000000, not -1"),
        ({"cap": AbandonCap(formulas=())}, "cap.formulas: choose one at least"),
        ({"cap": AbandonCap(percent=NAN)}, "cap.percent: from 0 to 100, not nan"),
        ({"cap": AbandonCap(lock_hours=-1.0)}, "cap.lock_hours: from 0 to 8784, not -1"),
        ({"cap": AbandonCap(patience_s=2.5)}, "cap.patience_s: at most 2 where the us formula"),
        ({"promise_hours": NAN}, "promise_hours: from 0 to 8784, not nan"),
        ({"answers": AnswerRules(silence_s=NAN)}, "answers.silence_s: from 0.2 to 6, not nan"),
        ({"answers": AnswerRules(listen_on_s=1e12)}, "answers.listen_on_s: from 0.2 to 6"),
        ({"answers": AnswerRules(listen_on_s=1.0)}, "answers.listen_on_s: not less than"),
    ],
)
def test_each_fault_is_named_with_its_key_and_what_may_be(
    changes: dict[str, Any], words: str
) -> None:
    (problem,) = problems_of(campaign(**changes))
    assert problem.startswith(words)


def test_a_rule_for_a_country_that_there_is_not_is_refused() -> None:
    settings = CampaignSettings(
        name=CampaignName("spring"),
        windows=(Window(), Window(region="UK")),
        limits=Limits(
            by_region=(
                RegionCap(region="ZZ-1", per_24_h=1),
                RegionCap(region="US-fl", per_24_h=1),
                RegionCap(region="US-FX", per_24_h=1),
            )
        ),
    )
    first, second, third, fourth = problems_of(settings)
    assert first.startswith("windows[1].region: 'UK' is in no country")
    assert second.startswith("limits.by_region[0].region: 'ZZ-1' is in no country")
    assert third.startswith("limits.by_region[1].region: 'US-fl' must be as in ISO 3166")
    assert fourth.startswith("limits.by_region[2].region: 'US-FX' is no state")
