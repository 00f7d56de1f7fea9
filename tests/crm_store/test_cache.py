from __future__ import annotations

from crm_store.cache import CardCache
from crm_store.facts import CustomerFacts, PastInteractionFacts

OFFICE, MOBILE = "+12025550101", "+12025550102"


def past(number: int) -> PastInteractionFacts:
    return PastInteractionFacts(
        interaction_id=f"i-{number}",
        at=float(number),
        channel="voice",
        direction="in",
        queue=None,
        agent_id=None,
        agent_name=None,
        disposition=None,
        result=None,
        reason=None,
        note="",
        waited_s=0.0,
        talked_s=0.0,
        recorded=False,
    )


def card(newest: int) -> CustomerFacts:
    """A customer whose last ten interactions end with this one."""
    return CustomerFacts(
        customer_id="c-1",
        kind="person",
        name="Grace Mbeki",
        company="",
        tier="",
        language="",
        remarks="",
        reference=None,
        recent=tuple(past(number) for number in range(newest, newest - 10, -1)),
    )


def test_a_customer_who_calls_from_two_numbers_by_turns_does_not_fill_the_memory() -> None:
    cache = CardCache()
    for turn in range(200):
        cache.put((OFFICE, MOBILE)[turn % 2], [card(newest=100 + turn)], float(turn), 0)
    assert len(cache._customer_of) <= 20
    cache.put(OFFICE, [], 200.0, 0)
    cache.put(MOBILE, [], 200.0, 0)
    assert not cache._customer_of
    assert not cache._numbers_of


def test_an_interaction_on_one_of_two_cards_still_leads_to_both() -> None:
    cache = CardCache()
    cache.put(OFFICE, [card(newest=20)], 0.0, 0)
    cache.put(MOBILE, [card(newest=25)], 1.0, 0)
    cache.put(OFFICE, [card(newest=26)], 2.0, 0)  # the 16th is on the mobile's card only
    cache.forget_interactions(["i-16"])
    assert cache.get(OFFICE, 3.0) is None
    assert cache.get(MOBILE, 3.0) is None
