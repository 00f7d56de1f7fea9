"""Records that are held: withdrawn before they are dialled, and not dialled once the claim has lapsed."""

from __future__ import annotations

import pytest

from acd.dialer.model import Held, Mode
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(mode=Mode.MANUAL, records=0)
    return centre


def test_records_at_hand_are_withdrawn_and_given_back(centre: Outbound) -> None:
    first, second = centre.supply(2, claim=7)
    in_hand = centre.dialer.in_hand
    assert in_hand.not_dialled(SPRING) == [first, second]
    assert in_hand.withdraw({first.held}, "forbidden") == 1
    assert centre.released == [(first.record, "forbidden")]
    assert in_hand.not_dialled(SPRING) == [second]
    assert in_hand.withdraw({Held(second.record, 8)}, "forbidden") == 0  # by another claim


def test_a_record_before_an_agent_is_withdrawn_and_one_that_rings_is_not(centre: Outbound) -> None:
    first, second = centre.supply(2, claim=7)
    centre.dialer.take(ANN, SPRING)
    assert centre.dialer.in_hand.withdraw({first.held}, "forbidden") == 1
    assert [(each.outcome, each.reason) for each in centre.attempts] == [
        ("agent-gone", "forbidden")
    ]
    centre.settle()
    centre.dialer.take(ANN, SPRING)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.customer()
    assert centre.dialer.in_hand.withdraw({second.held}, "forbidden") == 0


@pytest.mark.parametrize("is_kept_up", [False, True])
def test_a_record_is_dialled_while_it_is_held_alone(centre: Outbound, is_kept_up: bool) -> None:
    lapses_at = centre.process.wall() + 600.0
    (record,) = centre.supply(1, claim=7, lapses_at=lapses_at)
    centre.dialer.take(ANN, SPRING)
    centre.advance(590.0)
    held = centre.dialer.in_hand.under_way(before=centre.process.now() - 60.0)
    assert [each.record for each in held] == [record.record]
    if is_kept_up:
        centre.dialer.in_hand.kept_up({record.record: lapses_at + 600.0})
    centre.advance(20.0)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert len(centre.customers()) == is_kept_up
    assert [each.reason for each in centre.attempts] == ([] if is_kept_up else ["claim-lapsed"])
