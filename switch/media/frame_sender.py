"""The frames that a tick sends: one packet for every leg that is not relayed to.

listeners of one player       -- its frame as it is, or through the table to A-law
listeners of anything mixed   -- the mixer's frames
listeners of nothing, and those whose only source has gone quiet   -- silence

Mixes leave at once. Of prompts, music and silence only some do; the rest follows over the next wakes,
so that a thousand listeners of one song neither hold up the bridges nor leave in one burst.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import FRAME_SAMPLES, PCMA, SILENCE, TRANSCODE
from switch.media.gains import Plan
from switch.media.legs import LegTable, Rows
from switch.media.mixer import Mixer
from switch.media.packets import FRAME_OCTETS, PacketBuffer
from switch.media.ports import RtpWire
from switch.media.traffic import Traffic
from switch.rtp.packet import HEADER_OCTETS, write_headers

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
        self._later: list[int] = []
        """Rows whose packets are made and wait for a later wake, in the order of the buffer."""
        self._later_from = 0
        self._part = 0
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Carry out this plan from the next frame on."""
        codec = self._legs.codec
        self._plan = plan
        self._mixer = Mixer(plan, codec)
        self._copy_alaw = np.flatnonzero(codec[plan.copy_listeners] == PCMA)
        self._listeners = np.concatenate(
            [plan.mix_listeners, plan.copy_listeners, plan.silent_listeners]
        )

    @property
    def mixed_legs(self) -> Rows:
        """The legs whose frames `send` will need."""
        return self._mixer.legs

    def skip(self, frames: int) -> None:
        """Nothing is sent for so many frames; timestamps go on with the time."""
        self._legs.next_timestamp[self._listeners] += frames * FRAME_SAMPLES

    def send(
        self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8], now: float
    ) -> None:
        """Send one frame to each. The arguments are (rows, 160), encoded, of all legs and players."""
        plan = self._plan
        rows = self._listeners
        starved = self._starved(now)
        if len(starved):
            rows = np.concatenate([rows, starved])
        count = len(rows)
        if not count:
            return
        out = self._out = self._out.with_room(count)
        payload = out.octets[:, HEADER_OCTETS:FRAME_OCTETS]
        mixed = len(plan.mix_listeners)
        sounding = mixed + len(plan.copy_listeners)
        if mixed:
            payload[:mixed] = self._mixer.mix(leg_frames, player_frames)
        if sounding > mixed:
            payload[mixed:sounding] = self._copies(player_frames)
        if count > sounding:
            payload[sounding:count] = SILENCE[self._legs.codec[rows[sounding:]]][:, None]
        self._send_rows(rows, mixed)

    def send_later(self) -> None:
        """Send the next part of what the last tick left for later."""
        self._send_part(self._part)

    def finish(self) -> None:
        """Send all of it: legs may be released now, and the buffer is used anew."""
        self._send_part(len(self._later))

    def _copies(self, player_frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        frames: NDArray[np.uint8] = player_frames[self._plan.copy_players]
        if len(self._copy_alaw):
            frames[self._copy_alaw] = TRANSCODE[0][frames[self._copy_alaw]]
        return frames

    def _send_rows(self, rows: Rows, mixed: int) -> None:
        """Number what lies in the first rows of the buffer, and send it or leave it for later."""
        legs, out = self._legs, self._out
        first = legs.sent[rows] == 0
        dialling = legs.dialling[rows]
        if dialling.any():
            # The digits' packets take their place in the stream; see Digits.tick.
            kept = np.flatnonzero(~dialling)
            out.octets[: len(kept)] = out.octets[kept]
            rows, first = rows[kept], first[kept]
            mixed = int(np.count_nonzero(kept < mixed))
        kind = legs.payload_type[rows].astype(np.int64)
        kind[first] |= 0x80  # the marker: the stream begins
        sequence, timestamp = legs.number_frames(rows, FRAME_SAMPLES)
        write_headers(out.words, kind, sequence, timestamp, legs.ssrc[rows])
        self._later, self._later_from = rows.tolist(), 0
        self._send_part(mixed + AT_ONCE)
        self._part = -(-len(self._later) // _LATER_PARTS)

    def _send_part(self, count: int) -> None:
        part, self._later = self._later[:count], self._later[count:]
        if not part:
            return
        first = self._later_from
        self._later_from += len(part)
        dropped = self._wire.send(part, self._out.frame_views[first : self._later_from])
        self._traffic.count_sent(len(part) - dropped, dropped)

    def _starved(self, now: float) -> Rows:
        """Bridged legs whose peer sends nothing."""
        plan, legs = self._plan, self._legs
        starved: Rows = plan.relay_listeners[now - legs.last_sound[plan.relay_sources] > STARVED_S]
        if len(starved):
            # Their time went on while they were waited for.
            waited = starved[~legs.resync[starved]]
            legs.next_timestamp[waited] += _STARVED_SAMPLES
        return starved
