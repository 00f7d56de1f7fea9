"""A trunk that is full, down or failing is said, and the list is not burnt against it."""

from __future__ import annotations

import pytest

from acd.dialer.trunk_watch import ENOUGH, FIRST_PAUSE_S, LONGEST_PAUSE_S, TrunkWatch
from tests.acd.dialer.outbound import BUSY, OUT, SPRING, UNAVAILABLE, Outbound
from tests.acd.scene import ANN, BOB


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN, BOB)
    return centre


@pytest.mark.parametrize(
    ("trouble", "code"),
    [("down", "trunk-down"), ("max-calls", "trunk-full"), ("unknown", "trunk-unknown")],
)
def test_nothing_is_dialled_into_a_trunk_in_trouble(
    centre: Outbound, trouble: str, code: str
) -> None:
    centre.ways.trouble = trouble
    centre.campaign()
    centre.advance(3.0)
    assert centre.customers() == []
    assert centre.attempts == []
    assert centre.why() == [code]
    (blocker,) = centre.dialer.blockers(SPRING)
    assert f" {OUT}" in blocker.words, "it is named"
    centre.ways.trouble = ""
    centre.advance(1.5)
    assert len(centre.customers()) == 2


def test_a_way_that_campaigns_may_not_use_is_said(centre: Outbound) -> None:
    centre.ways.refused = "not-allowed"
    centre.campaign()
    centre.advance(3.0)
    assert centre.attempts == []
    assert centre.why() == ["trunk-not-allowed"]


def test_a_failing_trunk_is_tried_less_and_less_often(centre: Outbound) -> None:
    centre.campaign(records=100)
    tried = 0
    for _ in range(300):
        centre.advance(1.0)
        if not centre.dialer.view(SPRING).ahead:
            centre.supply(5)  # the others lay too long and went back
        for leg in centre.customers():
            tried += 1
            centre.switch.end(leg, UNAVAILABLE)
    assert tried <= 14
    assert set(centre.outcomes()) == {"congested"}
    assert centre.why() == ["trunk-failing"]
    (blocker,) = centre.dialer.blockers(SPRING)
    assert blocker.until is not None
    assert centre.dialer.view(SPRING).today.get("busy") is None  # type: ignore[call-overload]
    assert len(centre.dialer.attempts(SPRING)) == 0, "nothing leaks"


def test_a_trunk_that_works_again_is_used_again(centre: Outbound) -> None:
    centre.campaign(records=100)
    while len(centre.attempts) < ENOUGH:
        centre.advance(0.5)
        for leg in centre.customers():
            centre.switch.end(leg, UNAVAILABLE)
    assert centre.why() == ["trunk-failing"]
    centre.advance(FIRST_PAUSE_S + 1.0)
    probe = centre.customer()
    centre.switch.ringing(probe)
    centre.advance(1.5)
    assert len(centre.customers()) == 2


def test_a_number_that_is_busy_is_no_failure(centre: Outbound) -> None:
    centre.campaign(records=20)
    for _ in range(8):
        centre.advance(1.0)
        for leg in centre.customers():
            centre.switch.end(leg, BUSY)
    assert set(centre.outcomes()) == {"busy"}
    assert len(centre.attempts) >= 12


def test_pauses_double_up_to_a_minute() -> None:
    watch, now, pauses = TrunkWatch(), 0.0, []
    for _ in range(ENOUGH - 1):
        watch.failed(OUT, now)
    assert watch.until(OUT, now) is None
    for _ in range(8):
        watch.failed(OUT, now)
        until = watch.until(OUT, now)
        assert until is not None
        pauses.append(until - now)
        now = until
    assert pauses[0] == FIRST_PAUSE_S
    assert pauses[-1] == LONGEST_PAUSE_S
    watch.worked(OUT)
    assert watch.until(OUT, now) is None
    assert not watch.is_trying(OUT)
