"""Every limit of the node and how much of it is used: what the doctor warns of."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import Metric

from cti.api.throttle import MOST_WAITING
from cti.metrics.families import gauges
from cti.metrics.sources import Sources

_PORTS_A_LEG: Final = 2
"""RTP and the port beside it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`used` of at most `most`, in the unit that the name implies."""

    name: str
    used: float
    most: float


def limits(sources: Sources) -> Iterator[Limit]:
    """All of them; trunks without a limit of their own are left out."""
    calls, endpoint = sources.switching.calls, sources.switching.endpoint
    yield Limit("calls", calls.calls_alive, calls.overload.settings.max_calls)
    for name in (*calls.limits.names, *calls.trunks.groups):
        if most := calls.limits.most(name):
            yield Limit(f"trunk {name}", calls.limits.live(name), most)
    # What gives way to others fills its table every day, and no limit is near by that.
    under_way, room = endpoint.transactions_under_way, endpoint.limits.max_transactions
    yield Limit("sip_transactions", under_way, room)
    strangers = endpoint.limits.max_strangers
    yield Limit("strangers_transactions", endpoint.strangers_alive, strangers)
    watched = sources.switching.watch.counters(sources.clock.now())
    most = sources.switching.guard.settings.max_sources
    yield Limit("guarded_addresses", watched.known + watched.banned, most)
    tcp = sources.switching.pump.streams
    yield Limit("tcp_connections", len(tcp), tcp.limits.max_connections)
    yield Limit("strangers_connections", tcp.strangers, tcp.limits.max_strangers)
    yield Limit(
        "event_loop_lag_seconds", sources.lag.worst_s, calls.overload.settings.max_loop_lag_s
    )
    yield from _rtp_ports(sources)
    yield Limit("open_files", _open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield Limit("sign_ons", sources.api.verifying, MOST_WAITING)
    history = sources.history
    yield Limit("history_rows", history.waiting_in_memory, history.settings.memory_limit_rows)


def _rtp_ports(sources: Sources) -> Iterator[Limit]:
    """Those of all gateways on this machine that have spoken."""
    gateways = sources.switching.gateways
    figures = {view.name: view.figures for view in sources.board.gateways}
    ports = used = 0.0
    for name, (low, high) in gateways.local_ports.items():
        if found := figures.get(name):
            own = (high - low + 1) // _PORTS_A_LEG
            ports += own
            used += max(0.0, own - found.get("ports_free", 0.0))
    if ports:
        yield Limit("rtp_ports", used, ports)


def families(sources: Sources) -> Iterator[Metric]:
    """Two gauges with the limit's name as label."""
    found = list(limits(sources))
    yield gauges("limit", "What a part may take at most.", "limit", {x.name: x.most for x in found})
    yield gauges("limit_used", "How much of it is taken.", "limit", {x.name: x.used for x in found})


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0
