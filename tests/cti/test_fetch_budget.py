"""Strangers make us fetch little, whatever they name."""

from __future__ import annotations

from cti.fetch_budget import AGAIN_S, MOST_AT_ONCE, MOST_FROM_A_HOST, MOST_IN_THAT_TIME, FetchBudget


def test_an_address_is_asked_once_a_minute() -> None:
    budget = FetchBudget()
    assert budget.begin("https://a.example.com/1", "a.example.com", 0.0)
    budget.end("a.example.com")
    assert not budget.begin("https://a.example.com/1", "a.example.com", AGAIN_S - 0.1)
    assert budget.begin("https://a.example.com/1", "a.example.com", AGAIN_S)


def test_few_are_under_way_and_one_from_a_host() -> None:
    budget = FetchBudget()
    assert budget.begin("https://a.example.com/1", "a.example.com", 0.0)
    assert not budget.begin("https://a.example.com/2", "a.example.com", 0.0)
    for host in range(1, MOST_AT_ONCE):
        assert budget.begin(f"https://{host}/", f"{host}", 0.0)
    assert not budget.begin("https://z.example.com/", "z.example.com", 0.0)
    budget.end("a.example.com")
    assert budget.begin("https://a.example.com/2", "a.example.com", 0.0), "it was not counted"


def test_one_host_leaves_the_others_their_share() -> None:
    budget = FetchBudget()
    begun = 0
    for path in range(30):
        if budget.begin(f"https://a.example.com/{path}", "a.example.com", 0.0):
            begun += 1
            budget.end("a.example.com")
    assert begun == MOST_FROM_A_HOST
    assert budget.begin("https://b.example.com/", "b.example.com", 0.0)
    assert not budget.begin("https://a.example.com/x", "a.example.com", AGAIN_S - 0.1)
    assert budget.begin("https://a.example.com/x", "a.example.com", AGAIN_S)
    assert set(budget._shares) == {"a.example.com"}, "what is over is forgotten"


def test_addresses_without_end_are_fetched_at_a_rate_and_not_remembered() -> None:
    budget = FetchBudget()
    begun = 0
    for attempt in range(
        3000
    ):  # five minutes of ten calls a second, each with an address of its own
        host = f"{attempt}.example.com"
        if budget.begin(f"https://{host}/", host, attempt / 10):
            begun += 1
            budget.end(host)
    assert begun == 5 * MOST_IN_THAT_TIME
    assert len(budget._begun) <= MOST_IN_THAT_TIME
