"""Who was limited, dropped or banned, by the guard at the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from prometheus_client.core import Metric

from cti.metrics.families import counter, counters, few, gauge
from cti.metrics.sources import Sources

_NOW = {
    "sources": "Addresses remembered now.",
    "known": "Addresses that proved a password not long ago.",
    "banned": "Addresses banned now.",
}
_DROPPED = "dropped_"


def families(sources: Sources) -> Iterator[Metric]:
    """What the guard holds and what it counted; no address is in it."""
    counted = asdict(sources.switching.watch.counters(sources.clock.now()))
    offences = counted.pop("offences")
    yield counters("guard_offences", "Offences, by kind.", "kind", few(offences))
    for name, text in _NOW.items():
        yield gauge(f"guard_{name}", text, counted.pop(name))
    dropped = {
        name.removeprefix(_DROPPED): counted.pop(name)
        for name in list(counted)
        if name.startswith(_DROPPED)
    }
    yield counters("guard_dropped", "Messages dropped unread, by why.", "reason", dropped)
    for name, count in counted.items():
        yield counter(f"guard_{name}", "As the guard counts it.", count)
