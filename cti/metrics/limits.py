"""Every limit of the node and how much of it is used: what the doctor warns of.

Of limits that each peer has for itself (each watcher, each stranger), the one that uses most is shown.
The name of a limit of which there are several ends with whose it is: `trunk out`, `gateway_ports rome`.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.core import Metric

from cti.api.counters import MOST_EXPECTED
from cti.api.throttle import MOST_WAITING as MOST_SIGN_ONS
from cti.metrics.families import gauges
from cti.metrics.sources import Sources
from cti.schema import GatewayStatus

_PORTS_A_LEG: Final = 2
"""RTP and the port beside it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`used` of at most `most`, in the unit that the name implies."""

    name: str
    used: float
    most: float


def limits(sources: Sources) -> Iterator[Limit]:
    """All of them; what has no limit of its own is left out."""
    yield from _calls(sources)
    yield from _sip(sources)
    yield from _presence(sources)
    yield from _rtp_ports(sources)
    for gateway in sources.board.gateways:
        yield from of_gateway(gateway)
    yield Limit("open_files", open_files("self"), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if most := sources.centre.parking.places.most:
        yield Limit("parking_places", len(sources.centre.parking.places), most)
    yield Limit("sign_ons", sources.api.verifying, MOST_SIGN_ONS)
    yield Limit("api_connections", sources.api.expected, MOST_EXPECTED)
    history = sources.history
    yield Limit("history_rows", history.waiting_in_memory, history.settings.memory_limit_rows)


def _calls(sources: Sources) -> Iterator[Limit]:
    calls, user_agent = sources.switching.calls, sources.switching.user_agent
    yield Limit("calls", calls.calls_alive, calls.overload.settings.max_calls)
    yield Limit("sip_sessions", user_agent.sessions_alive, user_agent.most_sessions)
    yield Limit(
        "event_loop_lag_seconds", sources.lag.worst_s, calls.overload.settings.max_loop_lag_s
    )
    now = sources.clock.now()
    for name in (*calls.limits.names, *calls.trunks.groups):
        if most := calls.limits.most(name):
            yield Limit(f"trunk {name}", calls.limits.live(name), most)
        if most := calls.limits.most_per_second(name):
            yield Limit(f"calls_per_second {name}", calls.limits.begun_lately(name, now), most)


def _sip(sources: Sources) -> Iterator[Limit]:
    switching = sources.switching
    endpoint = switching.endpoint
    # What gives way to others fills its table every day, and no limit is near by that.
    under_way, room = endpoint.transactions_under_way, endpoint.limits.max_transactions
    yield Limit("sip_transactions", under_way, room)
    strangers = endpoint.limits.max_strangers
    yield Limit("strangers_transactions", endpoint.strangers_alive, strangers)
    each = endpoint.limits.max_per_stranger
    yield Limit("stranger_transactions", endpoint.fullest_stranger, each)
    inflow, room_of = switching.pump.inflow, switching.pump.inflow.settings
    yield Limit("waiting_messages", inflow.going_on, room_of.most_going_on)
    yield Limit("waiting_requests", inflow.longest_line, room_of.most_new)
    yield Limit("waiting_octets", inflow.octets, room_of.most_octets)
    watched = switching.watch.counters(sources.clock.now())
    most = switching.guard.settings.max_sources
    yield Limit("guarded_addresses", watched.known + watched.banned, most)
    yield Limit("nonces", switching.challenger.nonces, switching.challenger.most_nonces)
    tcp = switching.pump.streams
    yield Limit("tcp_connections", len(tcp), tcp.limits.max_connections)
    yield Limit("strangers_connections", tcp.strangers, tcp.limits.max_strangers)
    yield Limit("unread_octets", tcp.stalls.octets, tcp.limits.max_write_buffers)


def _presence(sources: Sources) -> Iterator[Limit]:
    presence = sources.switching.presence
    notifier, most = presence.notifier, presence.notifier.settings
    table = notifier.subscriptions
    yield Limit("subscriptions", len(table), most.most)
    yield Limit("watcher_subscriptions", table.most_of_watcher, most.most_of_watcher)
    yield Limit("phone_subscriptions", table.most_of_phone, most.most_of_phone)
    yield Limit("notifications", notifier.on_their_way, most.most_on_their_way)
    yield Limit("texts", len(presence.texts), most.most_texts)


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


def of_gateway(gateway: GatewayStatus) -> Iterator[Limit]:
    """What each gateway has for itself, as far as it has spoken."""
    name, figures = gateway.name, gateway.figures
    is_local = gateway.pid is not None
    files = figures.get("open_files", 0) or (open_files(str(gateway.pid)) if is_local else 0)
    if files and (most := figures.get("open_files_most", 0)):
        yield Limit(f"gateway_files {name}", files, most)
    if not is_local and (ports := figures.get("ports", 0)):
        yield Limit(f"gateway_ports {name}", ports - figures.get("ports_free", 0), ports)
    if most := figures.get("handshakes_most", 0):
        yield Limit(f"gateway_handshakes {name}", figures.get("handshakes_waiting", 0), most)
    if most := figures.get("recorded_most", 0):
        yield Limit(f"gateway_recorded {name}", figures.get("recorded_waiting", 0), most)


def families(sources: Sources) -> Iterator[Metric]:
    """Two gauges with the limit's name as label."""
    found = list(limits(sources))
    yield gauges("limit", "What a part may take at most.", "limit", {x.name: x.most for x in found})
    yield gauges("limit_used", "How much of it is taken.", "limit", {x.name: x.used for x in found})


def open_files(process: str) -> int:
    """Of a process of this machine; Linux tells how many since 6.2, before it they are counted."""
    folder = f"/proc/{process}/fd"
    try:
        return os.stat(folder).st_size or len(os.listdir(folder))
    except OSError:
        return 0
