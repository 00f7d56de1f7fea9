"""The frames that a tick sends: one packet for every leg that is not relayed to.

listeners of one player       -- its frame as it is, or through the table to A-law
listeners of anything mixed   -- the mixer's frames
listeners of nothing, and those whose only source has gone quiet   -- silence

Mixes leave at once. Of prompts, music and silence only some do; the rest follows over the next wakes,
so that a thousand listeners of one song neither hold up the bridges nor leave in one burst. So do all
packets of legs with a coder, which are encoded when they leave.

    buffer   | G.711 and ready ones, from the first row | free | to be encoded, from the last row |
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import (
    INTS,
    OCTET_BLOCKS,
    OCTET_LIST,
    OCTET_ROWS,
    OCTET_TABLE,
    REAL,
    SAMPLE_TABLE,
    entry,
    inner,
    table_of,
)
from switch.libc import copy_octets
from switch.media import opus
from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, OPUS, PCMA, PCMU, SILENCE, TRANSCODE
from switch.media.coders import Coders, encode_frames
from switch.media.concealment import next_random, noise_amplitude, noise_sample
from switch.media.gains import Plan
from switch.media.legs import LEG, LegTable, Rows, number_frame
from switch.media.mixer import Mixer
from switch.media.packets import FRAME_OCTETS, FRAME_ROW_OCTETS, PacketBuffer
from switch.media.portions import PORTION, READY, UNCODED, LaterTables
from switch.media.ports import RtpWire
from switch.media.relay import MARKER
from switch.media.traffic import Traffic
from switch.rtp.packet import HEADER_OCTETS, write_header

STARVED_S: Final = 0.2
"""A bridged leg whose peer has sent nothing for so long is sent silence until it does."""
AT_ONCE: Final = 200
"""Packets of players and silence that leave at the tick itself."""
ENCODED_AT_ONCE: Final = (0, 0, 96, 8)
"""Packets that are encoded at the tick itself and at a wake: half a millisecond's worth, by dearest codec."""
_LATER_PARTS: Final = 4
"""The rest is spread over so many wakes; a frame has at least as many."""
_SAMPLE_ROWS: Final = types.int16[:, ::1]
_STARVED_SAMPLES: Final = int(STARVED_S * 50) * FRAME_SAMPLES


class FrameSender:
    """Makes and sends what the plan asks for. Owns the buffer of what it sends."""

    def __init__(
        self, legs: LegTable, wire: RtpWire, coders: Coders, traffic: Traffic, plan: Plan
    ) -> None:
        self._legs = legs
        self._wire = wire
        self._coders = coders
        self._traffic = traffic
        self._out = PacketBuffer(legs.capacity, FRAME_ROW_OCTETS)
        self._linear = np.zeros((0, FRAME_SAMPLES), dtype=np.int16)
        """What is to be encoded, by the row of its packet; empty while no leg has a coder."""
        self._portions = np.zeros(2, dtype=PORTION)
        self._left = self._portions["left"]
        self._is_begun = False
        """Whether the last tick left anything."""
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Carry out this plan from the next frame on."""
        self._plan = plan
        self._mixer = Mixer(plan, self._legs.codec)
        self._listeners = np.concatenate(
            [plan.mix_listeners, plan.copy_listeners, plan.silent_listeners]
        )
        codec = self._legs.codec
        dearest = max(
            codec[self._listeners].max(initial=PCMU), codec[plan.relay_listeners].max(initial=PCMU)
        )
        self._encoded_at_once = ENCODED_AT_ONCE[dearest]
        """None: no leg has a coder."""

    @property
    def mixed_legs(self) -> Rows:
        """The legs whose frames `send` will need."""
        return self._mixer.legs

    @property
    def encoded_for(self) -> Rows:
        """The legs for which `send` may have to encode."""
        return np.concatenate([self._plan.mix_listeners, self._plan.copy_listeners])

    @property
    def has_more(self) -> bool:
        """Whether packets of this frame wait for a later wake."""
        return self._is_begun and bool(self._left.any())

    @property
    def later(self) -> LaterTables:
        """The same, for sockets that send it by themselves."""
        out = self._out
        return LaterTables(self._portions, self._linear, out.octets, out.legs, out.sizes)

    def skip(self, frames: int) -> None:
        """Nothing is sent for so many frames; timestamps go on with the time."""
        legs, rows = self._legs, self._listeners
        legs.next_timestamp[rows] += frames * FRAME_SAMPLES * legs.scale[rows]

    def send(
        self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8], now: float
    ) -> None:
        """Send one frame to each. The arguments are (rows, 160), encoded, of all legs and players."""
        plan, mixer = self._plan, self._mixer
        table = self._legs.table
        if len(plan.mix_listeners):
            mixer.mix(leg_frames, player_frames, table)
        # A leg is in the plan once at most.
        out = self._out = self._out.with_room(self._legs.capacity)
        if self._encoded_at_once and len(self._linear) < len(out):
            self._linear = np.zeros((len(out), FRAME_SAMPLES), dtype=np.int16)
        made, mixed, uncoded = make_packets(
            table, now,
            plan.mix_listeners, plan.mix_of_listener, mixer.heard, mixer.uncoded,
            plan.copy_listeners, plan.copy_players, player_frames, TRANSCODE, DECODE,
            plan.silent_listeners, plan.relay_listeners, plan.relay_sources, SILENCE,
            out.octets, out.legs, out.sizes, self._linear, ENCODE,
        )  # fmt: skip
        self._is_begun = bool(made or uncoded)
        if not self._is_begun:
            return
        self._portions["first"] = 0, len(out) - uncoded
        self._left[:] = made, uncoded
        self._send_part(mixed + AT_ONCE, self._encoded_at_once)
        part = self._portions["part"]
        part[:] = -(-self._left // _LATER_PARTS)
        part[UNCODED] = max(part[UNCODED], min(self._encoded_at_once, self._left[UNCODED]))

    def send_later(self) -> None:
        """Send the next part of what the last tick left for later."""
        if self.has_more:
            self._send_part(*self._portions["part"].tolist())

    def finish(self) -> None:
        """Send all of it: legs may be released now, and the buffer is used anew."""
        if self.has_more:
            self._send_part(*self._left.tolist())
        self._is_begun = False

    def _send_part(self, ready: int, uncoded: int) -> None:
        if self._left[READY]:
            self._send(*self._take(READY, ready))
        if self._left[UNCODED]:
            first, count = self._take(UNCODED, uncoded)
            out = self._out
            encode_frames(
                self._coders.tables, self._legs.table, self._linear, out.octets, out.legs,
                out.sizes, first, count,
            )  # fmt: skip
            self._send(first, count)

    def _take(self, kind: int, most: int) -> tuple[int, int]:
        """The first of the next packets, `most` at most, and how many they are; see `take_portion`."""
        portion = self._portions[kind]
        first, count = int(portion["first"]), min(most, int(portion["left"]))
        portion["first"] += count
        portion["left"] -= count
        return first, count

    def _send(self, first: int, count: int) -> None:
        dropped = self._wire.send(self._out, first, count)
        self._traffic.count_sent(count - dropped, dropped)


@inner
def _finish_packet(
    legs: NDArray[Any],
    row: int,
    out: NDArray[np.uint8],
    out_legs: Rows,
    out_sizes: Rows,
    at: int,
) -> int:
    """Number the packet of a leg in row `at`; return the next row."""
    leg = legs[row]
    marker = MARKER if leg.sent == 0 else 0  # the stream begins
    sequence, timestamp = number_frame(legs, row, FRAME_SAMPLES)
    write_header(out[at], marker | leg.payload_type, sequence, timestamp, leg.ssrc)
    out_legs[at] = row
    out_sizes[at] = FRAME_OCTETS
    leg.sent_octets += FRAME_SAMPLES
    return at + 1


@inner
def _silence(
    legs: NDArray[Any], row: int, silence: NDArray[np.uint8], out: NDArray[np.uint8],
    out_legs: Rows, out_sizes: Rows, linear: NDArray[np.int16], made: int, top: int,
) -> tuple[int, int]:  # fmt: skip
    """Write a packet of silence; return the next free row from the beginning, the last used from the end."""
    codec = legs[row].codec
    if codec == OPUS:
        for j in range(len(opus.SILENCE)):
            out[made, HEADER_OCTETS + j] = opus.SILENCE[j]
        _finish_packet(legs, row, out, out_legs, out_sizes, made)
        out_sizes[made] = HEADER_OCTETS + len(opus.SILENCE)
        return made + 1, top
    if codec > PCMA:
        linear[top - 1] = 0
        _finish_packet(legs, row, out, out_legs, out_sizes, top - 1)
        return made, top - 1
    out[made, HEADER_OCTETS:FRAME_OCTETS] = silence[codec]
    return _finish_packet(legs, row, out, out_legs, out_sizes, made), top


@inner
def _add_noise(
    leg: Any, noise: int, encode: NDArray[np.uint8], packet: NDArray[np.uint8],
    linear: NDArray[np.int16], at: int, is_ready: bool,
) -> None:  # fmt: skip
    """Put comfort noise into a packet of silence that is ready, or into the samples that wait for a coder."""
    amplitude = noise_amplitude(noise)
    seed = leg.next_timestamp
    for j in range(FRAME_SAMPLES):
        seed = next_random(seed)
        sample = noise_sample(seed, amplitude)
        if is_ready:
            packet[HEADER_OCTETS + j] = encode[leg.codec, np.uint16(sample)]
        else:
            linear[at, j] = sample


@entry(
    table_of(LEG), REAL, INTS, INTS, OCTET_BLOCKS, _SAMPLE_ROWS, INTS, INTS, OCTET_ROWS,
    OCTET_TABLE, SAMPLE_TABLE, INTS, INTS, INTS, OCTET_LIST, OCTET_ROWS, INTS, INTS, _SAMPLE_ROWS,
    OCTET_TABLE,
)  # fmt: skip
def make_packets(
    legs: NDArray[Any],
    now: float,
    mix_listeners: Rows,
    mix_of_listener: Rows,
    mixes: NDArray[np.uint8],
    uncoded_mixes: NDArray[np.int16],
    copy_listeners: Rows,
    copy_players: Rows,
    player_frames: NDArray[np.uint8],
    transcode: NDArray[np.uint8],
    decode: NDArray[np.int16],
    silent_listeners: Rows,
    relay_listeners: Rows,
    relay_sources: Rows,
    silence: NDArray[np.uint8],
    out: NDArray[np.uint8],
    out_legs: Rows,
    out_sizes: Rows,
    linear: NDArray[np.int16],
    encode: NDArray[np.uint8],
) -> tuple[int, int, int]:
    """Write the packets of a frame.

    Returns how many are ready, how many of these are mixes, and how many wait at the end of `out` to be
    encoded: packet i as `linear[i]`. Legs that are being sent digits are left out: those packets take
    their place in the stream.
    """
    made = 0
    top = len(out)
    for i, row in enumerate(mix_listeners):
        leg = legs[row]
        if leg.dialling:
            continue
        if leg.codec > PCMA:
            top -= 1
            linear[top] = uncoded_mixes[mix_of_listener[i]]
            _finish_packet(legs, row, out, out_legs, out_sizes, top)
        else:
            frame = mixes[leg.codec, mix_of_listener[i]]
            copy_octets(frame, 0, out[made], HEADER_OCTETS, FRAME_SAMPLES)
            made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    mixed = made
    for i, row in enumerate(copy_listeners):
        leg = legs[row]
        if leg.dialling:
            continue
        frame = player_frames[copy_players[i]]
        if leg.codec > PCMA:
            top -= 1
            for j in range(FRAME_SAMPLES):
                linear[top, j] = decode[PCMU, frame[j]]
            _finish_packet(legs, row, out, out_legs, out_sizes, top)
            continue
        if leg.codec == PCMU:
            copy_octets(frame, 0, out[made], HEADER_OCTETS, FRAME_SAMPLES)
        else:
            for j in range(FRAME_SAMPLES):
                out[made, HEADER_OCTETS + j] = transcode[PCMU, frame[j]]
        made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    for row in silent_listeners:
        if not legs[row].dialling:
            made, top = _silence(legs, row, silence, out, out_legs, out_sizes, linear, made, top)
    for i, row in enumerate(relay_listeners):
        leg = legs[row]
        source = legs[relay_sources[i]]
        if now - source.last_sound <= STARVED_S:
            continue
        if not leg.resync:
            # Its time went on while it was waited for.
            leg.next_timestamp += _STARVED_SAMPLES * leg.scale
        if not leg.dialling:
            before, first = made, top
            made, top = _silence(legs, row, silence, out, out_legs, out_sizes, linear, made, top)
            if source.noise and leg.codec != OPUS:
                _add_noise(leg, source.noise, encode, out[before], linear, first - 1, made > before)
    return made, mixed, len(out) - top
