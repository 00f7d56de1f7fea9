"""Rates under every formula, and what is enforced."""

from __future__ import annotations

import json

import pytest

from acd.dialer.legal import Ledger, uk_parts
from acd.dialer.model import Outcome
from acd.dialer.settings import AbandonCap, Formula, Guard

HOUR = 3600.0
DAY = 24 * HOUR
NOW = 1_770_000_000.0
BARE = AbandonCap(guard=Guard.NONE)


def counted(ledger: Ledger, at: float, outcome: Outcome, times: int) -> None:
    for _ in range(times):
        ledger.count(at, outcome)


def test_the_uk_formula_s_worked_example() -> None:
    abandoned, answered = uk_parts(drops=29, live=9, machines=7)
    assert 100 * abandoned / answered == pytest.approx(64.44, abs=0.005)
    ledger = Ledger()
    counted(ledger, NOW, Outcome.ABANDONED, 29)
    counted(ledger, NOW, Outcome.CONNECTED, 16)
    for _ in range(7):
        ledger.reported(NOW)
    rates = {rate.formula: rate for rate in ledger.rates(NOW, BARE)}
    assert 100 * rates[Formula.UK].rate == pytest.approx(64.44, abs=0.005)
    assert rates[Formula.US].rate == pytest.approx(29 / (29 + 9))


def test_the_uk_formula_where_nobody_was_reached() -> None:
    assert uk_parts(drops=3, live=0, machines=0) == (3, 3)
    assert uk_parts(drops=0, live=0, machines=4) == (0, 0)


def test_live_answers_of_thirty_days_count() -> None:
    ledger = Ledger()
    counted(ledger, NOW, Outcome.ABANDONED, 3)
    for outcome in (Outcome.CONNECTED, Outcome.HUNG_UP, Outcome.OPTED_OUT, Outcome.ANNOUNCED):
        counted(ledger, NOW + DAY, outcome, 10)
    for outcome in (Outcome.MACHINE, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAX):
        counted(ledger, NOW + DAY, outcome, 10)
    us, _uk, own = ledger.rates(NOW + DAY, BARE)
    assert (us.abandoned, us.answered, own.abandoned, own.answered) == (3, 43, 0, 40)
    assert ledger.rates(NOW + 29.5 * DAY, BARE)[0].abandoned == 3
    assert ledger.rates(NOW + 30 * DAY, BARE)[0].abandoned == 0


def test_hours_older_than_thirty_days_are_not_kept() -> None:
    ledger = Ledger()
    for hour in range(2000):
        ledger.count(NOW + hour * HOUR, Outcome.CONNECTED)
    assert len(ledger.record()) == 720
    assert ledger.rates(NOW + 1999 * HOUR, BARE)[0].answered == 720


def test_people_taken_for_machines_count_as_abandoned() -> None:
    ledger = Ledger()
    counted(ledger, NOW, Outcome.CONNECTED, 97)
    ledger.misjudged(NOW)
    for _ in range(20):
        ledger.doubt(NOW, 0.1)
    rate = ledger.rates(NOW, BARE)[0]
    assert rate.abandoned == pytest.approx(3.0)
    assert rate.answered == pytest.approx(100.0)


def test_the_worst_of_the_selected_formulas_is_enforced() -> None:
    ledger = Ledger()
    counted(ledger, NOW - 3 * DAY, Outcome.CONNECTED, 1000)
    counted(ledger, NOW, Outcome.CONNECTED, 95)
    counted(ledger, NOW, Outcome.ABANDONED, 5)
    both = AbandonCap(guard=Guard.NONE, formulas=(Formula.US, Formula.OWN), own_days=1)
    us = ledger.enforced(NOW, BARE)
    assert (us.formula, us.is_kept) == (Formula.US, True)
    assert us.allowance == pytest.approx(0.03 * 1100 - 5)
    own = ledger.enforced(NOW, both)
    assert (own.formula, own.is_kept) == (Formula.OWN, False)
    assert own.allowance == pytest.approx(0.03 * 100 - 5)


def test_the_guard_holds_the_upper_bound() -> None:
    ledger = Ledger()
    counted(ledger, NOW, Outcome.CONNECTED, 975)
    counted(ledger, NOW, Outcome.ABANDONED, 25)
    assert ledger.enforced(NOW, BARE).is_kept
    guarded = ledger.enforced(NOW, AbandonCap())
    assert not guarded.is_kept
    assert 100 * guarded.value == pytest.approx(3.45, abs=0.01)
    assert guarded.allowance < 0 < ledger.enforced(NOW, BARE).allowance


def test_nothing_counted_breaks_nothing() -> None:
    enforced = Ledger().enforced(NOW, AbandonCap(formulas=()))
    assert (enforced.formula, enforced.is_kept, enforced.allowance) == (Formula.US, True, 0.0)


def test_counts_survive_a_restart() -> None:
    ledger = Ledger()
    counted(ledger, NOW - DAY, Outcome.CONNECTED, 40)
    counted(ledger, NOW, Outcome.ABANDONED, 2)
    after = Ledger()
    after.count(NOW, Outcome.ABANDONED)
    after.restore(json.loads(json.dumps(ledger.record())))
    assert after.total(NOW, 720).live == 43
    assert after.total(NOW, 24).abandoned == 3


def test_totals_follow_what_is_counted_and_the_hours_that_pass() -> None:
    ledger = Ledger()
    at = NOW
    for step in range(400):
        at += 1700.0
        ledger.count(at, Outcome.ABANDONED if step % 7 == 0 else Outcome.CONNECTED)
        if step % 5 == 0:
            ledger.count(at - 3 * HOUR, Outcome.CONNECTED)
        anew = Ledger()
        anew.restore(ledger.record())
        for hours in (24, 720):
            assert ledger.total(at, hours) == anew.total(at, hours)
    both = AbandonCap(formulas=(Formula.UK, Formula.US))
    assert ledger.enforced(at, both) == anew.enforced(at, both)


def test_a_clock_that_is_wrong_for_a_moment_takes_nothing_away() -> None:
    ledger = Ledger()
    counted(ledger, NOW, Outcome.ABANDONED, 3)
    counted(ledger, NOW + 40 * DAY, Outcome.CONNECTED, 1)
    counted(ledger, NOW + HOUR, Outcome.CONNECTED, 5)
    us = ledger.rates(NOW + HOUR, BARE)[0]
    assert (us.abandoned, us.answered) == (3, 8)
