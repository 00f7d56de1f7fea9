"""The frames that a tick sends: one packet for every leg that is not relayed to.

listeners of one player       -- its frame as it is, or through the table to A-law
listeners of anything mixed   -- the mixer's frames
listeners of nothing, and those whose only source has gone quiet   -- silence

Mixes leave at once. Of prompts, music and silence only some do; the rest follows over the next wakes,
so that a thousand listeners of one song neither hold up the bridges nor leave in one burst.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import (
    INTS,
    OCTET_BLOCKS,
    OCTET_LIST,
    OCTET_ROWS,
    OCTET_TABLE,
    REAL,
    entry,
    inner,
    table_of,
)
from switch.media.codecs import FRAME_SAMPLES, PCMU, SILENCE, TRANSCODE
from switch.media.gains import Plan
from switch.media.legs import LEG, LegTable, Rows, number_frame
from switch.media.mixer import Mixer
from switch.media.packets import FRAME_OCTETS, PacketBuffer
from switch.media.ports import RtpWire
from switch.media.relay import MARKER
from switch.media.traffic import Traffic
from switch.rtp.packet import HEADER_OCTETS, write_header

STARVED_S: Final = 0.2
"""A bridged leg whose peer has sent nothing for so long is sent silence until it does."""
AT_ONCE: Final = 200
"""Packets of players and silence that leave at the tick itself."""
_LATER_PARTS: Final = 4
"""The rest is spread over so many wakes; a frame has at least as many."""
_STARVED_SAMPLES: Final = int(STARVED_S * 50) * FRAME_SAMPLES


class FrameSender:
    """Makes and sends what the plan asks for. Owns the buffer of what it sends."""

    def __init__(self, legs: LegTable, wire: RtpWire, traffic: Traffic, plan: Plan) -> None:
        self._legs = legs
        self._wire = wire
        self._traffic = traffic
        self._out = PacketBuffer(legs.capacity)
        self._made = self._sent = 0
        """Packets that lie in the buffer, and how many of them have been sent."""
        self._part = 0
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Carry out this plan from the next frame on."""
        self._plan = plan
        self._mixer = Mixer(plan, self._legs.codec)
        self._listeners = np.concatenate(
            [plan.mix_listeners, plan.copy_listeners, plan.silent_listeners]
        )

    @property
    def mixed_legs(self) -> Rows:
        """The legs whose frames `send` will need."""
        return self._mixer.legs

    @property
    def has_more(self) -> bool:
        """Whether packets of this frame wait for a later wake."""
        return self._sent < self._made

    def skip(self, frames: int) -> None:
        """Nothing is sent for so many frames; timestamps go on with the time."""
        self._legs.next_timestamp[self._listeners] += frames * FRAME_SAMPLES

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
        self._made, mixed = make_packets(
            table, now,
            plan.mix_listeners, plan.mix_of_listener, mixer.heard,
            plan.copy_listeners, plan.copy_players, player_frames, TRANSCODE,
            plan.silent_listeners, plan.relay_listeners, plan.relay_sources, SILENCE,
            out.octets, out.legs, out.sizes,
        )  # fmt: skip
        self._sent = 0
        self._send_part(mixed + AT_ONCE)
        self._part = -(-(self._made - self._sent) // _LATER_PARTS)

    def send_later(self) -> None:
        """Send the next part of what the last tick left for later."""
        self._send_part(self._part)

    def finish(self) -> None:
        """Send all of it: legs may be released now, and the buffer is used anew."""
        self._send_part(self._made)

    def _send_part(self, most: int) -> None:
        count = min(most, self._made - self._sent)
        if not count:
            return
        dropped = self._wire.send(self._out, self._sent, count)
        self._sent += count
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


@entry(
    table_of(LEG), REAL, INTS, INTS, OCTET_BLOCKS, INTS, INTS, OCTET_ROWS, OCTET_TABLE,
    INTS, INTS, INTS, OCTET_LIST, OCTET_ROWS, INTS, INTS,
)  # fmt: skip
def make_packets(
    legs: NDArray[Any],
    now: float,
    mix_listeners: Rows,
    mix_of_listener: Rows,
    mixes: NDArray[np.uint8],
    copy_listeners: Rows,
    copy_players: Rows,
    player_frames: NDArray[np.uint8],
    transcode: NDArray[np.uint8],
    silent_listeners: Rows,
    relay_listeners: Rows,
    relay_sources: Rows,
    silence: NDArray[np.uint8],
    out: NDArray[np.uint8],
    out_legs: Rows,
    out_sizes: Rows,
) -> tuple[int, int]:
    """Write the packets of a frame; return how many there are, and how many of the first are mixes.

    Legs that are being sent digits are left out: those packets take their place in the stream.
    """
    made = 0
    for i, row in enumerate(mix_listeners):
        leg = legs[row]
        if not leg.dialling:
            out[made, HEADER_OCTETS:FRAME_OCTETS] = mixes[leg.codec, mix_of_listener[i]]
            made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    mixed = made
    for i, row in enumerate(copy_listeners):
        leg = legs[row]
        if leg.dialling:
            continue
        frame = player_frames[copy_players[i]]
        if leg.codec == PCMU:
            out[made, HEADER_OCTETS:FRAME_OCTETS] = frame
        else:
            for j in range(FRAME_SAMPLES):
                out[made, HEADER_OCTETS + j] = transcode[PCMU, frame[j]]
        made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    for row in silent_listeners:
        leg = legs[row]
        if not leg.dialling:
            out[made, HEADER_OCTETS:FRAME_OCTETS] = silence[leg.codec]
            made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    for i, row in enumerate(relay_listeners):
        leg = legs[row]
        if now - legs[relay_sources[i]].last_sound <= STARVED_S:
            continue
        if not leg.resync:
            # Its time went on while it was waited for.
            leg.next_timestamp += _STARVED_SAMPLES
        if not leg.dialling:
            out[made, HEADER_OCTETS:FRAME_OCTETS] = silence[leg.codec]
            made = _finish_packet(legs, row, out, out_legs, out_sizes, made)
    return made, mixed
