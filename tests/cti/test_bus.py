from __future__ import annotations

import asyncio
import json
import timeit

import msgspec
import pytest

from cti.bus import Audience, Bus, Subscription
from cti.schema import (
    AgentFiguresView,
    AgentView,
    Event,
    EventType,
    GatewayView,
    NoteAdded,
    QueueView,
    ScreenPop,
)

EVERYTHING = Audience(sees_all=True)


def agent_view(agent: str) -> AgentView:
    return AgentView(
        agent_id=agent, name=agent, state="available", reason="", since=1.0, queues=("sales",)
    )


def pop(agent: str) -> ScreenPop:
    return ScreenPop(
        interaction_id="i1",
        channel="voice",
        queue="sales",
        queue_title="Sales",
        caller_number="+12025550100",
        caller_name="",
        called="4000",
        waited_s=1.0,
        why=f"longest idle: {agent}",
    )


def make_bus(at: float = 1000.0, **options: int) -> Bus:
    return Bus(wall=lambda: at, **options)


def drain(subscription: Subscription) -> list[Event]:
    events = []
    while subscription.waiting:
        entry = subscription._queue.popleft()
        events.append(entry.event)
    return events


def opened(bus: Bus, audience: Audience = EVERYTHING, **options: int) -> Subscription:
    subscription = bus.subscribe(audience, **options)
    assert subscription is not None
    return subscription


def test_events_are_numbered_without_gaps_and_carry_their_ids() -> None:
    bus = make_bus()
    first = bus.publish(EventType.NOTE_ADDED, NoteAdded(text="a", author="x"), interaction_id="i1")
    second = bus.publish(EventType.NOTE_ADDED, NoteAdded(text="b", author="x"), agent_id="1001")
    assert second.seq == first.seq + 1 == bus.last_seq
    assert (first.interaction_id, first.at, second.agent_id) == ("i1", 1000.0, "1001")
    assert first.id != second.id


def test_numbers_go_on_above_the_earlier_ones_after_a_restart() -> None:
    before = make_bus(1000.0)
    for _ in range(50):
        last = before.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    after = make_bus(1000.5)
    assert after.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True)).seq > last.seq
    assert make_bus(4_000_000_000.0).last_seq < 2**53


def test_an_event_becomes_json_once_and_only_when_it_is_taken() -> None:
    bus = make_bus()
    one, two = opened(bus), opened(bus)
    bus.publish(EventType.AGENT_STATE_CHANGED, agent_view("1001"), agent_id="1001")
    entry = one._queue[0]
    assert entry._message is None
    assert entry.message() is two._queue[0].message()
    message = json.loads(entry.message())
    assert message["kind"] == "event"
    assert message["event"]["data"]["state"] == "available"
    assert message["event"]["type"] == "AgentStateChanged"


def test_an_agent_sees_its_own_and_the_figures_of_its_queues() -> None:
    bus = make_bus()
    subscription = opened(bus, Audience(agent_id="1001", queues=frozenset({"sales"})))
    bus.publish(EventType.AGENT_STATE_CHANGED, agent_view("1001"), agent_id="1001")
    bus.publish(EventType.AGENT_STATE_CHANGED, agent_view("1002"), agent_id="1002")
    bus.publish(EventType.AGENT_FIGURES, AgentFiguresView(agent_id="1002"), agent_id="1002")
    bus.publish(EventType.QUEUE_CHANGED, QueueView(queue="sales", title="Sales"), queue="sales")
    bus.publish(EventType.QUEUE_CHANGED, QueueView(queue="load", title="Load"), queue="load")
    bus.publish(EventType.NOTE_ADDED, NoteAdded(text="n", author="x"), interaction_id="i2")
    bus.publish(EventType.NOTE_ADDED, NoteAdded(text="n", author="x"), queue="sales")
    bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=False))
    bus.publish(EventType.SCREEN_POP, pop("1001"), agent_id="1001")
    bus.publish(EventType.SCREEN_POP, pop("1002"), agent_id="1002", queue="sales")
    seen = [(event.type.value, event.agent_id or event.queue) for event in drain(subscription)]
    assert seen == [
        ("AgentStateChanged", "1001"),
        ("QueueChanged", "sales"),
        ("GatewayChanged", None),
        ("ScreenPop", "1001"),
    ]


def test_a_supervisor_sees_everything_but_other_peoples_pops() -> None:
    bus = make_bus()
    plain = opened(bus)
    with_phone = opened(bus, Audience(agent_id="1002", sees_all=True))
    bus.publish(EventType.AGENT_STATE_CHANGED, agent_view("1002"), agent_id="1002")
    bus.publish(EventType.SCREEN_POP, pop("1001"), agent_id="1001")
    bus.publish(EventType.SCREEN_POP, pop("1002"), agent_id="1002")
    bus.publish(
        EventType.QUEUE_CHANGED, QueueView(queue="s", title="S"), queue="s", agent_id="1002"
    )
    assert [e.type.value for e in drain(plain)] == ["AgentStateChanged", "QueueChanged"]
    assert [e.type.value for e in drain(with_phone)] == [
        "AgentStateChanged",
        "ScreenPop",
        "QueueChanged",
    ]


@pytest.mark.parametrize(
    "audience",
    [
        EVERYTHING,
        Audience(agent_id="1001", queues=frozenset({"sales"})),
        Audience(agent_id="1001", sees_all=True),
        Audience(),
    ],
)
def test_resuming_gives_exactly_what_a_live_listener_got(audience: Audience) -> None:
    bus = make_bus()
    start = bus.last_seq
    live = opened(bus, audience)
    for agent in ("1001", "1002"):
        bus.publish(EventType.AGENT_STATE_CHANGED, agent_view(agent), agent_id=agent)
        bus.publish(EventType.SCREEN_POP, pop(agent), agent_id=agent)
    bus.publish(EventType.QUEUE_CHANGED, QueueView(queue="sales", title="S"), queue="sales")
    bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    resumed = opened(bus, audience, after=start)
    assert drain(resumed) == drain(live)


def test_what_is_no_longer_kept_or_not_yet_there_cannot_be_resumed() -> None:
    bus = make_bus(keep=3)
    first = bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    for _ in range(3):
        bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    assert bus.subscribe(EVERYTHING, after=first.seq - 1) is None
    assert bus.subscribe(EVERYTHING, after=bus.last_seq + 1) is None
    assert [e.seq for e in drain(opened(bus, after=first.seq))] == [
        first.seq + 1,
        first.seq + 2,
        first.seq + 3,
    ]


async def test_a_reader_that_does_not_read_is_cut_off_and_forgotten() -> None:
    bus = make_bus()
    slow = opened(bus, limit=3)
    for _ in range(4):
        bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    assert slow.reason == "slow"
    assert await slow.next() is None
    assert (bus.subscriptions, bus.slow) == (0, 1)


async def test_waiting_readers_wake_for_an_event_and_for_the_end() -> None:
    bus = make_bus()
    subscription = opened(bus)
    reader = asyncio.create_task(subscription.next())
    await asyncio.sleep(0)
    published = bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    entry = await reader
    assert entry is not None
    assert entry.event is published
    reader = asyncio.create_task(subscription.next())
    await asyncio.sleep(0)
    bus.close("shutdown")
    assert await reader is None
    assert subscription.reason == "shutdown"
    subscription.close("late")
    assert subscription.reason == "shutdown"


async def test_what_waits_is_delivered_before_a_friendly_end() -> None:
    bus = make_bus()
    subscription = opened(bus)
    bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    subscription.close("signed-off")
    assert await subscription.next() is not None
    assert await subscription.next() is None


def test_a_subscription_that_nobody_reads_any_more_holds_no_events() -> None:
    bus = make_bus()
    subscription = opened(bus)
    told: list[str] = []
    subscription.on_end = lambda: told.append("end")
    bus.publish(EventType.GATEWAY_CHANGED, GatewayView(available=True))
    subscription.drop()
    assert subscription.on_end is None
    assert (subscription.waiting, bus.subscriptions) == (0, 0)
    assert told == ["end"]


def test_listeners_hear_everything_until_they_stop() -> None:
    bus = make_bus()
    heard: list[Event] = []
    stop = bus.listen(heard.append)
    bus.publish(EventType.SCREEN_POP, pop("1001"), agent_id="1001")
    stop()
    bus.publish(EventType.SCREEN_POP, pop("1001"), agent_id="1001")
    assert [event.type for event in heard] == [EventType.SCREEN_POP]


def test_a_message_decodes_back_to_its_view() -> None:
    bus = make_bus()
    subscription = opened(bus, Audience(agent_id="1001"))
    view = pop("1001")
    bus.publish(EventType.SCREEN_POP, view, agent_id="1001")
    message = msgspec.json.decode(subscription._queue[0].message())
    assert msgspec.convert(message["event"]["data"], ScreenPop) == view


def test_publishing_to_nobody_costs_microseconds() -> None:
    bus = make_bus()
    view = GatewayView(available=True)
    best = min(
        timeit.repeat(
            lambda: bus.publish(EventType.GATEWAY_CHANGED, view, interaction_id="i"),
            number=2000,
            repeat=7,
        )
    )
    assert best / 2000 < 20e-6, "the target is 5 us on a quiet core"
