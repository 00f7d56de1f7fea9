"""One scrape: all families of the node in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from cti.metrics import api, campaigns, centre, guard, journal, limits, signalling, sound
from cti.metrics.families import PREFIX, counter, gauge
from cti.metrics.sources import Sources

NO_PROCESS: Final = -1
"""A process that does not exist: its figures are left out."""
_OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0"
"""Asked for in our own words: the library's reader of this header raises for odd versions."""


class Exporter:
    """Call it with an `Accept` header; it gives the text and its content type.

    One scrape of a node with 4,000 agents takes a few milliseconds of the event loop, so a period
    of some seconds is right.
    """

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Node(sources))
        ProcessCollector(registry=self._registry)
        gateways = sources.switching.gateways
        for number, name in enumerate(gateways.local_names, 1):
            ProcessCollector(
                namespace=f"switchroom_gateway_{number}" if number > 1 else "switchroom_gateway",
                pid=lambda name=name: gateways.pids.get(name, NO_PROCESS),  # type: ignore[misc]
                registry=self._registry,
            )

    def __call__(self, accept: str) -> tuple[bytes, str]:
        """The figures of this moment."""
        known = _OPEN_METRICS if "application/openmetrics-text" in accept else ""
        encode, content_type = choose_encoder(known)
        return encode(self._registry), content_type


class _Node(Collector):
    """Asks every part."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._version = _version()

    def collect(self) -> Iterator[Metric]:
        """All families that are our own."""
        sources = self._sources
        yield InfoMetricFamily(PREFIX + "build", "Which Switchroom.", {"version": self._version})
        yield gauge("uptime_seconds", "Since the start of the call agent.", sources.board.uptime_s)
        yield from signalling.families(sources)
        yield from guard.families(sources)
        yield from centre.families(sources)
        yield from campaigns.families(sources)
        yield from sound.families(sources)
        yield from api.families(sources)
        yield from journal.families(sources)
        yield from limits.families(sources)
        lag = sources.lag
        yield gauge("event_loop_lag_seconds", "How late the loop was last.", lag.last_s)
        yield gauge("event_loop_lag_max_seconds", "The worst of the last minute.", lag.worst_s)
        yield counter("event_loop_late", "Measures, four a second, above 0.1 s.", lag.late)
        blocks = sys.getallocatedblocks()
        yield gauge("python_blocks", "Blocks of memory that small objects take.", blocks)
        yield gauge("asyncio_tasks", "Live tasks of the event loop.", sources.tasks())


def _version() -> str:
    try:
        return version("switchroom")
    except PackageNotFoundError:
        return "0"
