"""What is wrong with a campaign's settings wherever it runs, in words, before anything is dialled by them.

What they need of a site (queues, trunks, flows, prompts, outcomes) is checked by `cti.campaigns.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from acd.dialer.compliance_moves import LONGEST_PAUSE_S
from acd.dialer.compliance_windows import minutes
from acd.dialer.settings import LEAST_RING_S, CampaignSettings, Formula, Retry, moment
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE

ORDERS: Final = ("priority", "list", "oldest", "newest", "random")
"""What `CampaignSettings.order` may be."""
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS: Final = frozenset("0123456789*#")
_MOST_CALLER_IDS: Final = 200
_LONGEST_SCRIPT: Final = 20_000
_LONGEST_TITLE: Final = 200
_STATES: Final = frozenset(STATE_OF_AREA_CODE.values())
_YEAR_H: Final = LONGEST_PAUSE_S / 3600.0
_US_PATIENCE_S: Final = 2.0

_Bounds = tuple[str, float, float, float]
"""A key, its value, the least and the most that it may be."""


def problems_of(settings: CampaignSettings) -> list[str]:
    """Everything that is wrong, a sentence each, which begins with the key."""
    return [
        *_people(settings),
        *_windows(settings),
        *_times(settings),
        *_dispositions(settings),
        *_rest(settings),
        *_out_of_bounds(settings),
    ]


def _people(settings: CampaignSettings) -> Iterator[str]:
    """What those who are called see and hear."""
    for number in settings.caller_ids:
        if not _E164.fullmatch(number):
            yield f"caller_ids: {number[:40]!r} is no international number, as +12025550100"
    if len(settings.caller_ids) > _MOST_CALLER_IDS:
        yield f"caller_ids: at most {_MOST_CALLER_IDS}, not {len(settings.caller_ids)}"
    digit = settings.opt_out_digit
    if digit and digit not in _DIGITS:
        yield f"opt_out_digit: one of 0-9, * and #, or nothing, not {digit[:40]!r}"
    cap = settings.cap
    if Formula.US in cap.formulas and cap.patience_s > _US_PATIENCE_S:
        words = f"at most {_US_PATIENCE_S:g} where the us formula is chosen (47 CFR 64.1200(a)(7))"
        yield f"cap.patience_s: {words}, not {cap.patience_s:g}"


def _windows(settings: CampaignSettings) -> Iterator[str]:
    if not settings.windows:
        yield "windows: without one nobody may ever be called; give at least one"
    for number, window in enumerate(settings.windows):
        key = f"windows[{number}]"
        try:
            if minutes(window.begin) >= minutes(window.end):
                yield (
                    f"{key}: begin {window.begin} is not before end {window.end}; "
                    "a window over midnight is two windows"
                )
        except ValueError as error:
            yield f"{key}: {error}"
        if not window.days or not set(window.days) <= set(range(7)):
            yield f"{key}.days: give days of the week, from 0 (Monday) to 6 (Sunday)"
        if window.region and (fault := _fault_of(window.region)):
            yield f"{key}.region: {fault}"


def _times(settings: CampaignSettings) -> Iterator[str]:
    moments = {}
    for key, text in (("begins", settings.begins), ("ends", settings.ends)):
        try:
            moments[key] = moment(text)
        except ValueError:
            yield f"{key}: {text[:40]!r} is no date and time, as 2026-12-24T18:00"
    begins, ends = moments.get("begins"), moments.get("ends")
    if begins is not None and ends is not None and ends <= begins:
        yield "ends: it would be over before it begins"


def _dispositions(settings: CampaignSettings) -> Iterator[str]:
    again = settings.retry_dispositions.keys()
    if both := again & set(settings.final_dispositions):
        words = f"{', '.join(sorted(both))}: both final and to be tried again"
        yield f"final_dispositions: {words}"
    if both := again & set(settings.do_not_call_dispositions):
        words = f"{', '.join(sorted(both))}: who is never to be called again cannot be tried again"
        yield f"do_not_call_dispositions: {words}"


def _rest(settings: CampaignSettings) -> Iterator[str]:
    if settings.order not in ORDERS:
        yield f"order: one of {', '.join(ORDERS)}, not {settings.order[:40]!r}"
    if len(settings.title) > _LONGEST_TITLE:
        yield f"title: at most {_LONGEST_TITLE} characters, not {len(settings.title)}"
    if len(settings.script) > _LONGEST_SCRIPT:
        yield f"script: at most {_LONGEST_SCRIPT} characters, not {len(settings.script)}"
    if not settings.cap.formulas:
        yield "cap.formulas: choose one at least: us, uk, own"
    if settings.answers.listen_on_s < settings.answers.decide_within_s:
        yield "answers.listen_on_s: not less than answers.decide_within_s"
    for number, region in enumerate(settings.limits.by_region):
        if region.per_24_h < 1 or not region.region:
            yield f"limits.by_region[{number}]: needs a region and a number of at least 1"
        elif fault := _fault_of(region.region):
            yield f"limits.by_region[{number}].region: {fault}"
    for number, quota in enumerate(settings.quotas):
        if quota.goal < 1 or not quota.column:
            yield f"quotas[{number}]: needs a column and a goal of at least 1"


def _fault_of(region: str) -> str:
    """Why no number may be there: a rule for `UK` would never count, and nobody would know."""
    country, _, part = region.partition("-")
    if region != region.strip().upper():
        return f"{region[:40]!r} must be as in ISO 3166: 'US', 'US-FL'"
    if country not in phonenumbers.SUPPORTED_REGIONS:
        return f"{region[:40]!r} is in no country of ISO 3166, as 'US', 'US-FL' or 'GB'"
    if country == "US" and region != country and part not in _STATES:
        return f"{region[:40]!r} is no state, as 'US-FL'; Puerto Rico is 'PR', and islands as well"
    return ""


def _out_of_bounds(settings: CampaignSettings) -> Iterator[str]:
    for key, value, least, most in bounds(settings):
        if not least <= value <= most:  # nor is a NaN between them
            yield f"{key}: from {least:.12g} to {most:.12g}, not {value:.12g}"


def bounds(settings: CampaignSettings) -> tuple[_Bounds, ...]:
    """Every number that has bounds: its key, the number, the least and the most that it may be."""
    return (*_bounds(settings), *_bounds_of_retries(settings))


def _bounds(settings: CampaignSettings) -> tuple[_Bounds, ...]:
    cap, limits, answers = settings.cap, settings.limits, settings.answers
    return (
        ("ring_s", settings.ring_s, LEAST_RING_S, 120.0),
        ("cap.percent", cap.percent, 0.0, 100.0),
        ("cap.own_days", cap.own_days, 1, 30),
        ("cap.patience_s", cap.patience_s, 0.5, 30.0),
        ("cap.lock_hours", cap.lock_hours, 0.0, _YEAR_H),
        ("limits.attempts", limits.attempts, 0, 1000),
        ("limits.per_day", limits.per_day, 0, 100),
        ("limits.per_24_h", limits.per_24_h, 0, 100),
        ("limits.calls", limits.calls, 0, 100_000),
        ("limits.calls_per_s", limits.calls_per_s, 0.0, 1000.0),
        ("answers.decide_within_s", answers.decide_within_s, 0.2, 6.0),
        ("answers.listen_on_s", answers.listen_on_s, 0.2, 6.0),
        ("answers.silence_s", answers.silence_s, 0.2, 6.0),
        ("answers.patience_s", answers.patience_s, 0.2, 6.0),
        ("answers.uncertain_after_s", answers.uncertain_after_s, 0.2, 6.0),
        ("answers.human_certainty", answers.human_certainty, 0.5, 1.0),
        ("answers.late_human_certainty", answers.late_human_certainty, 0.0, 1.0),
        ("answers.machine_certainty", answers.machine_certainty, 0.5, 1.0),
        ("answers.last_machine_certainty", answers.last_machine_certainty, 0.5, 1.0),
        ("answers.congestion_below_ms", answers.congestion_below_ms, 0, 2000),
        ("answers.after_beep_s", answers.after_beep_s, 0.0, 10.0),
        ("answers.beep_silence_s", answers.beep_silence_s, 0.5, 30.0),
        ("answers.beep_within_s", answers.beep_within_s, 1.0, 300.0),
        ("preview_s", settings.preview_s, 0.0, 3600.0),
        ("promise_hours", settings.promise_hours, 0.0, _YEAR_H),
        ("inbound_reserve", settings.inbound_reserve, 0, 10_000),
        ("weight", settings.weight, 1, 1000),
        ("goal", settings.goal, 0, 1_000_000_000),
    )


def _bounds_of_retries(settings: CampaignSettings) -> Iterator[_Bounds]:
    rules: list[tuple[str, Retry]] = [
        *((f"retries.{outcome}", rule) for outcome, rule in settings.retries.items()),
        *((f"retry_dispositions.{name}", r) for name, r in settings.retry_dispositions.items()),
    ]
    for key, rule in rules:
        yield f"{key}.after_s", rule.after_s, 0.0, LONGEST_PAUSE_S
        yield f"{key}.times", rule.times, 0, 100
        yield f"{key}.factor", rule.factor, 1.0, 10.0
