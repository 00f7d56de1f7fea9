"""The rows about sound: relayed, recorded, mixed, rooms, delay, codecs, encryption, several gateways."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Final

from cti.bench.codecs import measure_codec
from cti.bench.floor import prompt_floor
from cti.bench.gateways import measure_gateways
from cti.bench.media import MediaFigures, measure
from cti.bench.rows import Options, Outcome, Say
from cti.bench.sound import (
    SoundFigures,
    measure_conference,
    measure_delay,
    measure_mixing,
    measure_prompt,
)
from cti.bench.srtp import measure_srtp

_DELAY_CALLS: Final = 200
_PROMPTED_LEGS: Final = 2000
_SRTP_LEGS: Final = 400
_SUITES: Final = ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM")
_CODEC_LEGS: Final = 100
_SHARED_CALLS: Final = 200
_GATEWAYS: Final = 2
_LATENESS_MS: Final = 8.0
_FULL: Final = 0.97
"""Less of the load than this was not handled as it came: the machine was too busy for the figure."""


async def media(options: Options, say: Say) -> Outcome:
    """Bridged calls that are relayed, and the same recorded."""
    outcome = Outcome()
    for recorded, like, reach_ms in ((False, "bridged", 0.45), (True, "recorded", 0.80)):
        say(f"{options.calls} calls, {like} ...")
        figures = await measure(options.calls, options.seconds, recorded=recorded)
        outcome.raw[f"media {like}"] = asdict(figures)
        _add_media(outcome, like, figures, reach_ms)
    return outcome


def _add_media(outcome: Outcome, like: str, figures: MediaFigures, reach_ms: float) -> None:
    what = f"{figures.calls} calls, {like}"
    outcome.add(
        f"{what}: CPU a call and second",
        f"{figures.cpu_ms_per_call_second:.2f} ms; {figures.cpu_percent:.0f} % of a core at "
        f"{figures.load_reached:.0%} of the load, {figures.kernel_share:.0%} in the kernel",
        f"at most {reach_ms:.2f} ms",
        figures.cpu_ms_per_call_second <= reach_ms and figures.load_reached >= _FULL,
        like,
    )
    outcome.add(
        f"{what}: CPU as a multiple of the kernel's own for the packets",
        f"{figures.times_floor:.2f}",
        "" if figures.recorded else "under 2.2",
        figures.recorded or figures.times_floor < 2.2,
    )
    _add_lateness(outcome, what, figures.lateness_p50_ms, figures.lateness_p99_ms)
    outcome.add(
        f"{what}: packets lost by us",
        f"{figures.packets_dropped} of {figures.packets_sent}",
        "none",
        figures.packets_dropped == 0,
    )
    outcome.add(
        f"{what}: send to receipt",
        f"p50 {figures.delay_p50_ms:.2f}, p99 {figures.delay_p99_ms:.2f} ms",
    )
    if figures.recorded:
        outcome.add(
            f"{what}: whole files",
            f"{figures.recordings_whole} of {figures.calls}, "
            f"{figures.recorded_packets_lacking} packets lacking",
            "all",
            figures.recordings_whole == figures.calls,
        )


async def mixed(options: Options, say: Say) -> Outcome:
    """Bridged calls of which every frame is decoded, mixed and encoded."""
    say(f"{options.calls} calls, mixed ...")
    figures = await measure_mixing(options.calls, options.seconds)
    outcome = Outcome(raw={"mixed": asdict(figures)})
    what = f"{options.calls} calls, every frame mixed"
    per_call = 10 * figures.cpu_percent / options.calls
    outcome.add(
        f"{what}: CPU a call and second",
        f"{per_call:.2f} ms; {_cpu(figures)}",
        "at most 0.60 ms",
        per_call <= 0.60 and figures.load_reached >= _FULL,
        "mixed",
    )
    _add_lateness(outcome, what, figures.lateness_p50_ms, figures.lateness_p99_ms)
    return outcome


async def rooms(options: Options, say: Say) -> Outcome:
    """A conference, and a prompt to many."""
    say("conference ...")
    conference = await measure_conference(500, 5, options.seconds)
    say(f"prompt to {_PROMPTED_LEGS} legs ...")
    floor_us = await asyncio.to_thread(prompt_floor, _PROMPTED_LEGS)
    prompt = await measure_prompt(_PROMPTED_LEGS, options.seconds)
    outcome = Outcome(
        raw={
            "conference": asdict(conference),
            "prompt": asdict(prompt) | {"floor_us": floor_us},
        }
    )
    outcome.add(
        "conference of 500 listeners and 5 speakers: CPU",
        _cpu(conference),
        "under 10 % of a core",
        conference.cpu_percent < 10.0 and conference.load_reached >= _FULL,
    )
    outcome.add(
        "a prompt to 2,000 legs, each from its own beginning: CPU",
        _cpu(prompt),
        "under 25 % of a core",
        prompt.cpu_percent < 25.0 and prompt.load_reached >= _FULL,
    )
    outcome.add(
        "a prompt to 2,000 legs: CPU as a multiple of the kernel's own for the packets",
        f"{prompt.sent_us / floor_us:.2f}; {prompt.sent_us:.2f} against {floor_us:.2f} µs a packet",
    )
    return outcome


async def codecs(options: Options, say: Say) -> Outcome:
    """What legs with a codec cost above legs of G.711, beside the codec alone."""
    outcome = Outcome()
    for codec, name in (("OPUS", "Opus"), ("G722", "G.722")):
        say(f"{_CODEC_LEGS} legs with {name} ...")
        figures = await measure_codec(codec, _CODEC_LEGS, options.seconds)
        outcome.raw[f"codec {name}"] = asdict(figures) | {"ratio": figures.ratio}
        outcome.add(
            f"a leg with {name}, a frame each way: CPU above G.711 as a multiple of the library's",
            f"{figures.ratio:.2f}; {figures.leg_us:.1f} against {figures.library_us:.1f} µs "
            f"(a leg of G.711: {figures.plain_us:.1f} µs), {figures.load_reached:.0%} of the load",
            "at most 1.20",
            figures.ratio <= 1.20 and figures.load_reached >= _FULL,
        )
    return outcome


async def srtp(options: Options, say: Say) -> Outcome:
    """What encrypted legs cost, beside libsrtp alone."""
    outcome = Outcome()
    for suite in _SUITES:
        say(f"{_SRTP_LEGS} legs with {suite} ...")
        figures = await measure_srtp(suite, _SRTP_LEGS, options.seconds)
        outcome.raw[f"srtp {suite}"] = asdict(figures)
        least, most = figures.interval
        outcome.add(
            f"a leg with {suite}, a packet each way: its encryption as a multiple of libsrtp's",
            f"{figures.ratio:.2f} ({least:.2f} to {most:.2f}); {figures.leg_us:.2f} against "
            f"{figures.library_us:.2f} µs in a bare loop, {figures.hot_us:.2f} in one go, "
            f"{figures.load_reached:.0%} of the load",
            "at most 1.20",
            figures.ratio <= 1.20 and figures.load_reached >= _FULL,
        )
        least, most = figures.more_interval
        outcome.add(
            "the same by the difference of CPU to plain RTP, the kernel's swings with it",
            f"{figures.more_ratio:.2f} ({least:.2f} to {most:.2f}); {figures.more_leg_us:.1f} against "
            f"{figures.more_library_us:.1f} µs (plain: {figures.plain_us:.1f} and {figures.bare_us:.1f})",
        )
    return outcome


async def gateways(options: Options, say: Say) -> Outcome:
    """The same calls on one gateway and on two."""
    say(f"{_SHARED_CALLS} calls on one gateway and on {_GATEWAYS} ...")
    figures = await measure_gateways(_SHARED_CALLS, _GATEWAYS, options.seconds)
    outcome = Outcome(raw={"gateways": asdict(figures) | {"ratio": figures.ratio}})
    what = f"{_SHARED_CALLS} calls, bridged, on {_GATEWAYS} gateways"
    outcome.add(
        f"{what}: CPU of all a call and second as a multiple of one gateway's",
        f"{figures.ratio:.2f}; {figures.shared_ms:.2f} against {figures.alone_ms:.2f} ms, "
        f"{figures.load_reached:.0%} of the load",
    )
    outcome.add(
        f"{what}: lateness of ticks, the later one",
        f"p99 {figures.shared_p99_ms:.2f} ms (one gateway: {figures.alone_p99_ms:.2f})",
        f"p99 under {_LATENESS_MS:.0f} ms",
        figures.shared_p99_ms < _LATENESS_MS,
    )
    return outcome


async def delay(options: Options, say: Say) -> Outcome:
    """What one pass through the gateway adds to a packet."""
    say(f"delay at {_DELAY_CALLS} calls ...")
    figures = await measure_delay(_DELAY_CALLS, options.seconds)
    outcome = Outcome(
        raw={
            "delay": asdict(figures)
            | {"added_p50_ms": figures.added_p50_ms, "added_p99_ms": figures.added_p99_ms}
        }
    )
    outcome.add(
        f"delay added to a relayed packet, one pass, {figures.calls} calls",
        f"p50 {figures.added_p50_ms:.2f}, p99 {figures.added_p99_ms:.2f} ms "
        f"(direct p50 {figures.direct_p50_ms:.2f}, p99 {figures.direct_p99_ms:.2f})",
        "p50 at most 2, p99 at most 5 ms",
        figures.added_p50_ms <= 2.0 and figures.added_p99_ms <= 5.0,
        "delay",
    )
    return outcome


def _add_lateness(outcome: Outcome, what: str, p50_ms: float, p99_ms: float) -> None:
    outcome.add(
        f"{what}: lateness of ticks",
        f"p50 {p50_ms:.2f}, p99 {p99_ms:.2f} ms",
        f"p99 under {_LATENESS_MS:.0f} ms",
        p99_ms < _LATENESS_MS,
    )


def _cpu(figures: SoundFigures) -> str:
    return (
        f"{figures.cpu_percent:.1f} % of a core at {figures.load_reached:.0%} of the load, "
        f"{figures.kernel_share:.0%} in the kernel"
    )
