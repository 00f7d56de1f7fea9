"""Several campaigns with the same agents: each agent is dialled for once."""

from __future__ import annotations

from collections import Counter

from acd.dialer.model import CampaignName, Mode
from acd.dialer.sharing import Claim, split
from acd.model import AgentId
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN, BOB

AUTUMN = CampaignName("autumn")
EIGHT = [AgentId(str(1001 + n)) for n in range(8)]


def _claim(name: str, *, weight: int = 1, committed: float = 0.0, first: int = 8) -> Claim:
    return Claim(
        name=CampaignName(name),
        members=frozenset(EIGHT[:first]),
        weight=weight,
        committed=committed,
    )


def test_agents_are_split_by_weight() -> None:
    given = split(EIGHT, [_claim("a", weight=3), _claim("b", weight=1)])
    assert Counter(given.values()) == {"a": 6, "b": 2}


def test_who_is_committed_keeps_its_agents() -> None:
    given = split(EIGHT[:3], [_claim("a", weight=9), _claim("b", committed=3.0)])
    assert Counter(given.values()) == {"b": 3}


def test_agents_that_only_one_may_have_are_its_own() -> None:
    given = split(EIGHT, [_claim("a", first=2), _claim("b", weight=1)])
    assert {given[agent] for agent in EIGHT[2:]} == {"b"}


def test_nobody_gets_an_agent_whom_nobody_claims() -> None:
    assert split([AgentId("2001")], [_claim("a")]) == {}


def test_who_cannot_dial_has_agents_for_what_it_has_begun_alone() -> None:
    stuck = _claim("a", weight=9, committed=1.0)
    stuck.is_able = False
    assert Counter(split(EIGHT[:4], [stuck, _claim("b")]).values()) == {"a": 1, "b": 3}


def test_in_the_long_run_weights_hold_with_one_agent() -> None:
    claims = [_claim("a", weight=3), _claim("b", weight=1)]
    given = Counter(split(EIGHT[:1], claims)[EIGHT[0]] for _ in range(400))
    assert given == {"a": 300, "b": 100}


def test_two_campaigns_never_dial_for_the_same_agent() -> None:
    centre = Outbound()
    centre.phones(ANN, BOB)
    centre.campaign(SPRING)
    centre.campaign(AUTUMN)
    for _ in range(20):
        centre.advance(1.0)
        assert len(centre.customers()) <= 2
    legs = {view.campaign for name in (SPRING, AUTUMN) for view in centre.dialer.attempts(name)}
    assert legs == {SPRING, AUTUMN}


def test_what_one_cannot_use_goes_to_the_other() -> None:
    centre = Outbound()
    centre.phones(ANN, BOB)
    centre.campaign(SPRING, records=0)
    centre.campaign(AUTUMN)
    centre.advance(0.5)
    assert len(centre.customers()) == 2
    assert "list-empty" in centre.why(SPRING)


def test_preview_and_progressive_share_too() -> None:
    centre = Outbound()
    centre.phones(ANN, BOB)
    centre.desk(ANN)
    centre.desk(BOB)
    centre.campaign(SPRING, mode=Mode.PREVIEW)
    centre.campaign(AUTUMN)
    centre.advance(3.0)
    previews = [agent for agent in (ANN, BOB) if centre.dialer.preview(agent) is not None]
    assert (len(previews), len(centre.customers())) == (1, 1)


def test_an_agent_without_a_desk_is_left_to_who_can_use_it() -> None:
    centre = Outbound()
    centre.phones(ANN, BOB)
    centre.campaign(SPRING, mode=Mode.PREVIEW)
    centre.campaign(AUTUMN)
    centre.advance(3.0)
    assert len(centre.customers()) == 2
    assert centre.why(SPRING) == ["no-desk"]
