"""The media gateways, by their own statistics of every second: together, and each by its name."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from cti.metrics.families import PREFIX, counter, counters, gauge, gauges
from cti.metrics.sources import Sources
from switch.calls.qualities import STEPS

_GAUGES = {
    "uptime_s": ("uptime_seconds", "Since the start of the gateway."),
    "legs": ("legs", "Legs with sound."),
    "players": ("players", "Prompts, tones and music that play."),
    "recordings": ("recordings", "Recordings that run."),
    "ports_free": ("ports_free", "RTP ports that no leg has."),
    "ports": ("ports", "RTP ports in all."),
    "open_files": ("open_files", "Files and sockets; 0: their kernel does not tell."),
    "open_files_most": ("open_files_most", "So many they may open."),
    "handshakes_waiting": ("handshakes_waiting", "Datagrams of DTLS that wait for a turn."),
    "handshakes_most": ("handshakes_most", "So many may wait."),
    "recorded_waiting": ("recorded_waiting_octets", "Recorded sound that waits for the disk."),
    "recorded_most": ("recorded_most_octets", "So much may wait."),
}
_COUNTERS = {
    "packets_received": ("packets_received", "RTP packets received."),
    "packets_sent": ("packets_sent", "RTP packets sent."),
    "packets_dropped": ("packets_dropped", "Dropped by us: buffers full, receive rings overrun."),
    "packets_stray": ("packets_stray", "From another address than the peer's, or no RTP."),
    "crypt_s": ("srtp_seconds", "Time in which packets were encrypted and decrypted."),
    "ticks": ("ticks", "Frames of 20 ms that were due."),
    "ticks_late": ("ticks_late", "Begun later than half a frame after their time."),
    "ticks_dropped": ("ticks_dropped", "Left out because the engine was too far behind."),
    "handshakes_dropped": (
        "handshakes_dropped",
        "Datagrams of DTLS beyond what may wait, or beyond what one peer may send.",
    ),
    "handshakes_refused": (
        "handshakes_refused",
        "Datagrams to legs with ICE or DTLS of those who are not their peers.",
    ),
    "digits_dropped": ("digits_dropped", "Not passed on, because too many waited at their leg."),
    "events_lost": (
        "events_lost",
        "What happened while no call agent was there, beyond what is kept for the next one.",
    ),
}
_LATENESS = {
    "lateness_p50_ms": ("tick_lateness_p50_seconds", "Of the last ten seconds, median."),
    "lateness_p99_ms": ("tick_lateness_p99_seconds", "Of the last ten seconds, 99th percentile."),
    "lateness_max_ms": ("tick_lateness_max_seconds", "Of the last ten seconds, the worst."),
}
_OF_EACH = {
    field: (_GAUGES | _COUNTERS | _LATENESS)[field]
    for field in (
        "ports_free",
        "recordings",
        "packets_received",
        "packets_dropped",
        "ticks",
        "ticks_late",
        "ticks_dropped",
        "lateness_p99_ms",
    )
}
_CONNECTED = frozenset({"up", "draining", "unfit"})
_CPU = {"cpu_user_s": "user", "cpu_system_s": "system"}


def families(sources: Sources) -> Iterator[Metric]:
    """What the gateway said last; without one, only that there is none.

    A figure that has no name here yet is reported under the name it has in the protocol.
    """
    up = sources.switching.calls.media.is_available  # also while calls are taken no more
    yield gauge("gateway_up", "1 while a media gateway takes new calls.", 1 if up else 0)
    yield counter(
        "gateway_losses", "Gateways that died or were given up.", sources.board.gateways_lost
    )
    yield _qualities(sources)
    yield from _each(sources)
    said = dict(sources.board.gateway)
    if not said:
        return
    for field, (name, text) in _GAUGES.items():
        yield gauge(f"gateway_{name}", text, said.pop(field, 0.0))
    for field, (name, text) in _COUNTERS.items():
        yield counter(f"gateway_{name}", text, said.pop(field, 0.0))
    for field, (name, text) in _LATENESS.items():
        yield gauge(f"gateway_{name}", text, said.pop(field, 0.0) / 1000)
    cpu = CounterMetricFamily(PREFIX + "gateway_cpu_seconds", "CPU time.", labels=("mode",))
    for field, mode in _CPU.items():
        cpu.add_metric((mode,), said.pop(field, 0.0))
    yield cpu
    for field, value in said.items():
        yield gauge(f"gateway_{field}", "As the gateway reports it.", value)


def _each(sources: Sources) -> Iterator[Metric]:
    """What tells gateways apart: labelled with their names, which are those of the configuration."""
    views = sources.board.gateways
    up = {view.name: float(view.state in _CONNECTED) for view in views}
    yield gauges("gateways_up", "1 while this gateway is connected.", "gateway", up)
    takes = {view.name: float(view.state == "up") for view in views}
    yield gauges("gateways_taking", "1 while it is given new calls.", "gateway", takes)
    legs = {view.name: float(view.legs) for view in views}
    yield gauges("gateways_legs", "Legs that it has by our orders.", "gateway", legs)
    for field, (name, text) in _OF_EACH.items():
        values = {view.name: view.figures[field] for view in views if field in view.figures}
        if name.endswith("_seconds"):
            values = {key: value / 1000 for key, value in values.items()}
        make = counters if field in _COUNTERS else gauges
        yield make(f"gateways_{name}", text, "gateway", values)
    cpu = {view.name: sum(view.figures.get(mode, 0.0) for mode in _CPU) for view in views}
    yield counters("gateways_cpu_seconds", "CPU time, user and system.", "gateway", cpu)


def _qualities(sources: Sources) -> Metric:
    """The legs that ended, by their estimated mean opinion score."""
    qualities = sources.switching.calls.qualities
    family = HistogramMetricFamily(
        PREFIX + "leg_mos",
        "Mean opinion score of legs that ended, estimated by the E-model (G.107).",
    )
    legs = 0
    buckets: list[tuple[str, float]] = []
    for step, count in zip(STEPS, qualities.by_step, strict=True):
        legs += count
        buckets.append((str(step), legs))
    family.add_metric((), [*buckets, ("+Inf", legs)], sum_value=qualities.total)
    return family
