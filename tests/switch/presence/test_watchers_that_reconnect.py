"""A watcher over TLS whose connection is gone is told again once it is back, and not before."""

from __future__ import annotations

import pytest

from switch.presence.states import Direction
from switch.sip.flow import Flow, Transport
from tests.switch.presence.watching import FLOW, Site, Watcher

FIRST, SECOND = (Flow(Transport.TLS, FLOW.remote, FLOW.local, number) for number in (1, 2))


def lost() -> tuple[Site, Watcher]:
    """A watcher that was told, and its connection is gone."""
    site = Site()
    site.connections = {1}
    watcher = Watcher(site)
    watcher.subscribe(flow=FIRST)
    site.answer_all()
    site.connections = set()
    site.states.line_began("1002", "l1", Direction.RECIPIENT, "1003")
    site.now += 2
    site.notifier.handle_timer(site.now)
    return site, watcher


@pytest.mark.parametrize("is_back_before_it_failed", [True, False])
def test_it_is_told_by_the_connection_that_it_has_now(is_back_before_it_failed: bool) -> None:
    site, watcher = lost()
    transaction, request, flow = site.sent[-1]
    assert flow == FIRST
    told = len(watcher.notified)
    if not is_back_before_it_failed:
        site.answer(transaction, request, 408)
        site.now += 5
        site.notifier.handle_timer(site.now)
        assert len(watcher.notified) == told, "nobody is there"
    site.connections = {2}
    site.notifier.came_back("1001", SECOND, site.now, lambda flow, target: flow == FIRST)
    if is_back_before_it_failed:
        site.answer(transaction, request, 408)
    site.notifier.handle_timer(site.now)
    assert len(watcher.notified) == told + 1
    assert site.sent[-1][2] == SECOND
    assert "l1" in watcher.body


def test_who_refreshes_is_told_at_once_whether_it_registers_or_not() -> None:
    """As a phone does that has another Contact now, or subscribes before it registers."""
    site, watcher = lost()
    site.answer_all(408)
    told = len(watcher.notified)
    site.connections = {2}
    assert watcher.subscribe(flow=SECOND).status == 200
    assert len(watcher.notified) == told + 1
    assert site.sent[-1][2] == SECOND
    assert "l1" in watcher.body


def test_another_phone_of_the_number_is_told_nothing_of_it() -> None:
    site, watcher = lost()
    told = len(watcher.notified)
    site.connections = {2}
    site.answer_all(408)
    site.notifier.came_back("1001", SECOND, site.now, lambda flow, target: False)
    site.notifier.handle_timer(site.now)
    assert len(watcher.notified) == told


def test_who_never_comes_back_is_forgotten_when_the_subscription_expires() -> None:
    site, _ = lost()
    site.answer_all(408)
    site.now += 600
    site.notifier.handle_timer(site.now)
    assert len(site.notifier.subscriptions) == 0
    site.answer_all(408)
    site.notifier.handle_timer(site.now)
    assert site.notifier.get_timer() is None


def test_who_is_there_and_does_not_answer_is_given_up() -> None:
    site, _ = lost()
    site.connections = {1}
    site.answer_all(408)
    assert len(site.notifier.subscriptions) == 0
