"""The figures of a queue under load: not every change is reported, the last one always is."""

from __future__ import annotations

from acd.events import QueueChanged
from acd.settings import AcdSettings
from tests.acd.scene import ANN, SALES, SUPPORT, Scene, agent, of_kind


def scene() -> Scene:
    return Scene([agent(ANN)], settings=AcdSettings(queue_news_s=0.125))


def reported(scene: Scene) -> list[tuple[float, int]]:
    return [
        (round(event.at, 3), event.waiting)
        for event in of_kind(scene.events, QueueChanged)
        if event.queue == SALES
    ]


def test_a_change_after_a_quiet_time_is_reported_at_once() -> None:
    busy = scene()
    busy.advance(1.0)
    busy.call()
    assert reported(busy) == [(1.0, 1)]


def test_many_changes_are_reported_as_what_became_of_them() -> None:
    busy = scene()
    busy.advance(1.0)
    for _ in range(15):
        busy.call()
        busy.advance(1 / 64)
    busy.advance(5.0)
    assert reported(busy) == [(1.0, 1), (1.125, 8), (1.25, 15)]
    due = busy.acd.get_timer()
    assert due is None or due > busy.now


def test_what_changed_back_meanwhile_is_no_news() -> None:
    busy = scene()
    busy.advance(1.0)
    busy.phone(ANN)
    before = reported(busy)
    busy.phone_gone(ANN)
    busy.phone(ANN)
    busy.advance(5.0)
    assert reported(busy) == before


def test_one_queue_does_not_keep_the_news_of_another_back() -> None:
    busy = scene()
    busy.advance(1.0)
    busy.call()
    busy.call(SUPPORT)
    assert {event.queue for event in of_kind(busy.events, QueueChanged)} == {SALES, SUPPORT}
