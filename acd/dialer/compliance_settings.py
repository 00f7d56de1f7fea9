"""What is wrong with the rules of a campaign, in words, before anything is dialled by them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from acd.dialer.compliance_moves import LONGEST_PAUSE_S
from acd.dialer.compliance_windows import minutes
from acd.dialer.settings import CampaignSettings, Retry

_MOST_TIMES: Final = 100
ORDERS = ("priority", "list", "oldest", "newest", "random")
"""What `CampaignSettings.order` may be."""


def faults(settings: CampaignSettings) -> tuple[str, ...]:
    """Every fault that the types cannot show; none: the rules can be followed."""
    return (*_windows(settings), *_limits(settings), *_retries(settings), *_rest(settings))


def _windows(settings: CampaignSettings) -> Iterator[str]:
    for number, window in enumerate(settings.windows):
        where = f"windows[{number}]"
        try:
            if minutes(window.begin) >= minutes(window.end):
                yield (
                    f"{where}: begin {window.begin} is not before end {window.end}; "
                    "a window over midnight is two windows"
                )
        except ValueError as error:
            yield f"{where}: {error}"
        if not window.days or any(day not in range(7) for day in window.days):
            yield f"{where}.days: give days from 0 (Monday) to 6 (Sunday)"
        if window.region != window.region.strip().upper():
            yield f"{where}.region: {window.region!r} must be as in ISO 3166: 'US', 'US-FL'"
    if not settings.windows:
        yield "windows: without any nothing may ever be dialled; give at least one"


def _limits(settings: CampaignSettings) -> Iterator[str]:
    limits = settings.limits
    for name in ("attempts", "per_day", "per_24_h", "calls"):
        if getattr(limits, name) < 0:
            yield f"limits.{name}: below 0; 0 means no limit"
    if not 0.0 < limits.calls_per_s <= 1000.0:
        yield "limits.calls_per_s: give a rate above 0, at most 1000"
    for number, cap in enumerate(limits.by_region):
        if cap.per_24_h < 1 or not cap.region:
            yield f"limits.by_region[{number}]: needs a region and a number of at least 1"


def _retries(settings: CampaignSettings) -> Iterator[str]:
    rules: list[tuple[str, Retry]] = [
        *((f"retries.{outcome}", rule) for outcome, rule in settings.retries.items()),
        *((f"retry_dispositions.{name}", r) for name, r in settings.retry_dispositions.items()),
    ]
    for where, rule in rules:
        if not 0.0 <= rule.after_s <= LONGEST_PAUSE_S:
            yield f"{where}.after_s: give 0 s to a year"
        if not 0 <= rule.times <= _MOST_TIMES or not 1.0 <= rule.factor <= 10.0:
            yield f"{where}: times must be 0 to {_MOST_TIMES}, factor 1 to 10"
    both = settings.retry_dispositions.keys() & set(settings.final_dispositions)
    if both:
        yield f"{', '.join(sorted(both))}: both a final disposition and one that is tried again"
    both = settings.retry_dispositions.keys() & set(settings.do_not_call_dispositions)
    if both:
        yield f"{', '.join(sorted(both))}: who is never to be called again cannot be tried again"


def _rest(settings: CampaignSettings) -> Iterator[str]:
    if settings.order not in ORDERS:
        yield f"order: {settings.order!r} is none of {', '.join(ORDERS)}"
    for number, quota in enumerate(settings.quotas):
        if quota.goal < 1 or not quota.column:
            yield f"quotas[{number}]: needs a column and a goal of at least 1"
    for name in ("begins", "ends"):
        text = getattr(settings, name)
        if text:
            try:
                datetime.fromisoformat(text)
            except ValueError:
                yield f"{name}: {text!r} is not a date such as 2026-12-24T18:00"
    if not 0.0 <= settings.promise_hours <= 24 * 366:
        yield "promise_hours: give 0 h to a year"
    if not 0.0 <= settings.cap.lock_hours <= 24 * 366:
        yield "cap.lock_hours: give 0 h to a year"
