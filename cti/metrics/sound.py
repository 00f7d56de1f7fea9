"""The media gateway, by its own statistics of every second."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from cti.metrics.families import PREFIX, counter, gauge
from cti.metrics.sources import Sources
from switch.calls.qualities import STEPS

_GAUGES = {
    "uptime_s": ("uptime_seconds", "Since the start of the gateway."),
    "legs": ("legs", "Legs with sound."),
    "players": ("players", "Prompts, tones and music that play."),
    "recordings": ("recordings", "Recordings that run."),
    "ports_free": ("ports_free", "RTP ports that no leg has."),
}
_COUNTERS = {
    "packets_received": ("packets_received", "RTP packets received."),
    "packets_sent": ("packets_sent", "RTP packets sent."),
    "packets_dropped": ("packets_dropped", "Dropped by us: buffers full, receive rings overrun."),
    "packets_stray": ("packets_stray", "From another address than the peer's, or no RTP."),
    "ticks": ("ticks", "Frames of 20 ms that were due."),
    "ticks_late": ("ticks_late", "Begun later than half a frame after their time."),
    "ticks_dropped": ("ticks_dropped", "Left out because the engine was too far behind."),
}
_LATENESS = {
    "lateness_p50_ms": ("tick_lateness_p50_seconds", "Of the last ten seconds, median."),
    "lateness_p99_ms": ("tick_lateness_p99_seconds", "Of the last ten seconds, 99th percentile."),
    "lateness_max_ms": ("tick_lateness_max_seconds", "Of the last ten seconds, the worst."),
}
_CPU = {"cpu_user_s": "user", "cpu_system_s": "system"}


def families(sources: Sources) -> Iterator[Metric]:
    """What the gateway said last; without one, only that there is none.

    A figure that has no name here yet is reported under the name it has in the protocol.
    """
    up = sources.switching.calls.media.is_available  # also while calls are taken no more
    yield gauge("gateway_up", "1 while a media gateway is connected.", 1 if up else 0)
    yield _qualities(sources)
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
