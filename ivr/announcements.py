"""What a waiting caller is told: its place in line and the wait to expect, rounded honestly."""

from __future__ import annotations

import math
from typing import Final

from ivr.speaking import digit_words, number_words, prompts
from switch.gateway.protocol import PlayItem, Silence

LONGEST_S: Final = 30 * 60
"""Beyond this only `more than thirty minutes` is said: no forecast is better than that."""


def announce(position: int, wait_s: float | None, language: str) -> list[PlayItem]:
    """Return place and expected wait: "You are number three in line. The expected wait is ...".

    `position` is from 1; `wait_s` None: nothing is known, nothing is said of it.
    """
    names = ["you-are-next"] if position <= 1 else [
        "you-are-number",
        *number_words(position, language, counting=False),
        "in-line",
    ]  # fmt: skip
    if wait_s is not None and math.isfinite(wait_s):
        names += ["expected-wait", *_wait(wait_s, language)]
    return prompts(names, language)


def spoken_minutes(wait_s: float) -> int | None:
    """Return the minutes that are said: 0 is less than one, None more than thirty.

    Rounded up, so that the caller is never promised less than what is expected; above ten minutes
    to the next five, since a forecast that long is not exact to the minute.
    """
    if wait_s < 60:
        return 0
    if wait_s > LONGEST_S:
        return None
    minutes = math.ceil(wait_s / 60)
    return minutes if minutes <= 10 else math.ceil(minutes / 5) * 5


def _wait(wait_s: float, language: str) -> list[str]:
    minutes = spoken_minutes(wait_s)
    if minutes is None:
        return ["more-than-thirty-minutes"]
    if minutes == 0:
        return ["less-than-a-minute"]
    unit = "minute" if minutes == 1 else "minutes"
    return ["about", *number_words(minutes, language), unit]


def please_hold(language: str) -> list[PlayItem]:
    """Return the request to wait for the next agent."""
    return prompts(["hold-next-agent"], language)


def connecting(language: str) -> list[PlayItem]:
    """Return what is said while the agent is called."""
    return prompts(["connecting"], language)


def all_agents_busy(language: str) -> list[PlayItem]:
    """Return what is said when nobody is free and waiting begins."""
    return prompts(["all-agents-busy", "please-hold"], language)


def recorded_notice(language: str) -> list[PlayItem]:
    """Return the notice that the call may be recorded."""
    return prompts(["recorded-notice"], language)


def nobody_came(language: str) -> list[PlayItem]:
    """Return what is said before a caller is let go who waited in vain."""
    return prompts(["no-agent", "goodbye"], language)


def went_wrong(language: str) -> list[PlayItem]:
    """Return what is said before a call ends through our fault."""
    return prompts(["error"], language)


def server_stopping(language: str) -> list[PlayItem]:
    """Return what is said before a call ends because the server is stopping."""
    return prompts(["server-stopping"], language)


def call_back(language: str) -> list[PlayItem]:
    """Return what those hear first whom we call back because our side cut them off."""
    return prompts(["call-back"], language)


def place(number: str, language: str) -> list[PlayItem]:
    """Return the number of a parking place, digit by digit; said twice."""
    return [*prompts(digit_words(number), language), Silence(duration_ms=400)] * 2


def goodbye(language: str) -> list[PlayItem]:
    """Return the farewell."""
    return prompts(["goodbye"], language)
