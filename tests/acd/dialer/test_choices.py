"""What agents choose for talks, in one step or two, before a restart or after it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from acd.dialer.course import RECENT_S
from acd.dialer.legal import Counts
from acd.dialer.model import AttemptId
from acd.dialer.settings import CampaignSettings
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN, SALES


@pytest.fixture
def centre() -> Outbound:
    return Outbound()


def talk(centre: Outbound, **campaign: Any) -> AttemptId:
    """It goes on."""
    centre.phones(ANN)
    centre.campaign(**campaign)
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    return AttemptId(centre.contact(customer).id)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_call_back_stays_promised_when_the_outcome_is_chosen(
    centre: Outbound, restarts: bool
) -> None:
    attempt = talk(centre)
    assert centre.dialer.dispose(attempt, "", call_back_at=9000.0, mine=True)
    if restarts:
        centre.restart()
    assert centre.dialer.dispose(attempt, "sale")
    centre.switch.end(centre.customer())
    assert centre.dialer.dispose(attempt, "no-sale")
    last = centre.attempts[-1]
    assert (last.disposition, last.call_back_at, last.call_back_mine) == ("no-sale", 9000.0, True)


def test_what_is_chosen_for_a_talk_of_an_earlier_process_is_told_and_counted(
    centre: Outbound,
) -> None:
    attempt = talk(centre)
    centre.switch.end(centre.customer())
    kept = centre.attempts[-1]
    centre.restart()
    settings = CampaignSettings(name=SPRING, queue=SALES, machine_dispositions=("machine",))
    counted = Counts(live=2.0, connected=2.0)
    centre.dialer.load(settings, history=[(centre.process.wall(), counted)])
    assert not centre.dialer.dispose(attempt, "machine")
    centre.dialer.recall(kept)
    assert centre.dialer.dispose(attempt, "machine")
    assert centre.attempts[-1] == msgspec.structs.replace(kept, disposition="machine")
    assert centre.dialer.view(SPRING).rates[0].live == 1.0


def test_a_talk_is_known_for_an_hour_and_without_what_was_heard(centre: Outbound) -> None:
    attempt = talk(centre, records=2)
    live = centre.dialer._course.live[attempt]
    live.judged = "what was heard"
    centre.switch.end(centre.customer())
    assert centre.attempts[-1].judged == "what was heard"
    kept = centre.dialer._course.recent(attempt)
    assert kept == msgspec.structs.replace(centre.attempts[-1], judged="")
    centre.advance(RECENT_S)
    assert centre.dialer.dispose(attempt, "sale")
    centre.advance(RECENT_S + 1.0)
    centre.supply(1)
    centre.advance(2.0)
    centre.switch.confirm(centre.customer())
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(centre.customer())
    assert not centre.dialer.dispose(attempt, "no-sale"), "the store is asked for it"
    assert len(centre.dialer._course._recent) == 1
