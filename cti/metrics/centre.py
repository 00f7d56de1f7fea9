"""Queues, agents, contacts, screen pops, history, and those who listen to events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from acd.events import QueueChanged
from cti.metrics.families import PREFIX, counter, counters, few, gauge, gauges
from cti.metrics.sources import Sources

_QUEUE_GAUGES: tuple[tuple[str, str, Callable[[QueueChanged], float]], ...] = (
    ("waiting", "Contacts that wait.", lambda q: q.waiting),
    ("longest_wait_seconds", "Since when the first in line waits.", lambda q: q.longest_wait_s),
    ("offered", "Contacts that ring at an agent.", lambda q: q.offered),
    ("talking", "Contacts in conversation.", lambda q: q.talking),
    ("agents_signed_on", "Agents of the queue, signed on.", lambda q: q.agents_signed_on),
    ("agents_available", "Agents of the queue, free now.", lambda q: q.agents_available),
    ("service_level_target_seconds", "Answered within this counts.", lambda q: q.service_level_s),
)
_QUEUE_COUNTERS: tuple[tuple[str, str, Callable[[QueueChanged], float]], ...] = (
    ("entered", "Contacts that entered, since midnight.", lambda q: q.entered),
    ("answered", "Answered, since midnight.", lambda q: q.answered),
    (
        "answered_in_time",
        "Answered within the target, since midnight.",
        lambda q: q.answered_within,
    ),
    ("abandoned", "Gave up waiting, since midnight.", lambda q: q.abandoned),
)


def families(sources: Sources) -> Iterator[Metric]:
    """Everything above the calls."""
    centre = sources.centre
    yield gauge("contacts", "Live contacts.", len(centre.contacts))
    finished = {str(result): count for result, count in centre.contacts.finished.items()}
    yield counters("contacts_ended", "Contacts that are over, by outcome.", "result", finished)
    yield gauge(
        "call_backs", "Customers cut off by us who are to be called.", len(centre.call_backs)
    )
    places = centre.parking.places
    yield gauge("parked_calls", "Parking places that are taken.", len(places))
    yield counters("park_events", "What happened to parked calls.", "event", dict(places.counted))
    yield counters(
        "pick_ups",
        "Asked to pick up what rings at others, by what was found.",
        "found",
        dict(centre.pick_ups.counted),
    )
    states = centre.agents.by_state()
    yield gauges("agents", "Agents, static ones included, by state.", "state", states)
    yield from _queues(sources)
    outcomes = {"confirmed": centre.pops.confirmed, "late": centre.pops.late}
    yield counters(
        "screen_pops",
        "Offers with a desk, by whether the card was confirmed in time.",
        "outcome",
        outcomes,
    )
    yield from _history(sources)
    yield gauge("streams", "Clients connected to the event stream.", sources.bus.subscriptions)
    yield counter("streams_cut", "Clients cut off because they did not read.", sources.bus.slow)


def _queues(sources: Sources) -> Iterator[Metric]:
    distribution = sources.centre.distribution
    queues = distribution.queues()
    for name, text, value in _QUEUE_GAUGES:
        yield _by_queue(GaugeMetricFamily, name, text, queues, value)
    for name, text, value in _QUEUE_COUNTERS:
        yield _by_queue(CounterMetricFamily, name, text, queues, value)
    level = GaugeMetricFamily(
        PREFIX + "queue_service_level_ratio",
        "Answered in time of answered and abandoned late, since midnight; absent before the first.",
        labels=("queue",),
    )
    for queue in queues:
        if queue.service_level is not None:
            level.add_metric((queue.queue,), queue.service_level)
    yield level
    left = CounterMetricFamily(
        PREFIX + "queue_left",
        "Left without a conversation, since midnight.",
        labels=("queue", "reason"),
    )
    failed = CounterMetricFamily(
        PREFIX + "queue_offers_failed", "Offers that came to nothing.", labels=("queue", "cause")
    )
    waits = CounterMetricFamily(
        PREFIX + "queue_wait_seconds",
        "Waited by those answered or abandoned.",
        labels=("queue", "outcome"),
    )
    for queue in queues:
        day = distribution.day(queue.queue)
        for reason, count in few(day.left).items():
            left.add_metric((queue.queue, reason), count)
        for cause, count in day.failures.items():
            failed.add_metric((queue.queue, str(cause)), count)
        waits.add_metric((queue.queue, "answered"), day.answered_wait_s)
        waits.add_metric((queue.queue, "abandoned"), day.abandoned_wait_s)
    yield from (left, failed, waits)


def _by_queue(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    text: str,
    queues: Sequence[QueueChanged],
    value: Callable[[QueueChanged], float],
) -> Metric:
    family = kind(f"{PREFIX}queue_{name}", text, labels=("queue",))
    for queue in queues:
        family.add_metric((queue.queue,), value(queue))
    return family


def _history(sources: Sources) -> Iterator[Metric]:
    history = sources.history
    counted = asdict(history.counters)
    failed = counted.pop("failed")
    yield gauge("store_up", "1 while the database takes history.", 0 if history.trouble else 1)
    yield gauge("history_pending_rows", "Rows of history not yet in the database.", history.pending)
    yield counters("history_rows", "Rows of history, by what became of them.", "outcome", counted)
    yield counter("history_failed_writes", "Attempts that failed because of the database.", failed)
    yield counter(
        "call_records_left_out",
        "Refused calls without a record, beyond so many a second.",
        sources.records.left_out,
    )
