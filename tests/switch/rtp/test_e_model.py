"""The E-model against the values that G.107 and G.113 publish."""

from __future__ import annotations

import pytest

from switch.rtp.e_model import (
    BASE,
    IMPAIRMENTS,
    PLAIN_G711,
    delay_impairment,
    loss_impairment,
    mos,
    mos_of_rating,
)


@pytest.mark.parametrize(
    ("rating", "score"), [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)]
)
def test_scores_are_those_of_table_b1(rating: float, score: float) -> None:
    assert mos_of_rating(rating) == pytest.approx(score, abs=0.008)


@pytest.mark.parametrize(
    ("rating", "score"), [(-20, 1.0), (0, 1.0), (3, 1.0), (100, 4.5), (120, 4.5)]
)
def test_scores_have_a_floor_and_a_ceiling(rating: float, score: float) -> None:
    assert mos_of_rating(rating) == score


def test_scores_rise_with_the_rating() -> None:
    scores = [mos_of_rating(r / 10) for r in range(-50, 1100)]
    assert scores == sorted(scores)


@pytest.mark.parametrize(
    # G.107 equation 7-28, which is figure I.1 of its appendix without echo.
    ("delay_ms", "cost"),
    [(0, 0.0), (100, 0.0), (150, 0.03), (200, 3.0), (250, 9.0), (300, 14.7), (400, 23.5)],
)
def test_delay_costs_nothing_until_100_ms(delay_ms: float, cost: float) -> None:
    assert delay_impairment(delay_ms) == pytest.approx(cost, abs=1.0)


def test_loss_costs_what_the_codec_lets_it_cost() -> None:
    """G.113 appendix I: without concealment 1 % of loss costs what 5 % and more cost with it."""
    factor, robustness = PLAIN_G711
    assert loss_impairment(factor, robustness, 0.0) == 0.0
    assert loss_impairment(factor, robustness, 1.0) == pytest.approx(95 / 5.3, abs=0.01)
    assert loss_impairment(*IMPAIRMENTS["PCMU"], 1.0) == pytest.approx(95 / 26.1, abs=0.01)


def test_a_call_without_a_fault_is_as_good_as_narrowband_gets() -> None:
    assert BASE == 93.2
    for name, impairment in IMPAIRMENTS.items():
        assert mos(*impairment, 0.0, 50.0) == pytest.approx(4.41, abs=0.01), name


def test_all_lost_is_as_bad_as_it_gets() -> None:
    assert mos(*PLAIN_G711, 100.0, 50.0) < 1.1
    assert mos(*PLAIN_G711, 1e9, 1e9) == 1.0
    assert mos(*IMPAIRMENTS["PCMU"], -5.0, 0.0) == pytest.approx(4.41, abs=0.01)
