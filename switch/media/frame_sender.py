"""The frames that a tick sends: one packet for every leg that is not relayed to.

listeners of one player       -- its frame as it is, or through the table to A-law
listeners of anything mixed   -- the mixer's frames
listeners of nothing, and those whose only source has gone quiet   -- silence
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
_STARVED_SAMPLES: Final = int(STARVED_S * 50) * FRAME_SAMPLES


class FrameSender:
    """Makes and sends what the plan asks for. Owns the buffer of what it sends."""

    def __init__(self, legs: LegTable, wire: RtpWire, traffic: Traffic, plan: Plan) -> None:
        self._legs = legs
        self._wire = wire
        self._traffic = traffic
        self._out = PacketBuffer(legs.capacity)
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Carry out this plan from the next frame on."""
        codec = self._legs.codec
        self._plan = plan
        self._mixer = Mixer(plan, codec)
        self._copy_alaw = np.flatnonzero(codec[plan.copy_listeners] == PCMA)
        self._listeners = np.concatenate(
            [plan.copy_listeners, plan.mix_listeners, plan.silent_listeners]
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
        copied = len(plan.copy_listeners)
        sounding = copied + len(plan.mix_listeners)
        if copied:
            payload[:copied] = self._copies(player_frames)
        if sounding > copied:
            payload[copied:sounding] = self._mixer.mix(leg_frames, player_frames)
        if count > sounding:
            payload[sounding:count] = SILENCE[self._legs.codec[rows[sounding:]]][:, None]
        self._send_rows(rows)

    def _copies(self, player_frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        frames: NDArray[np.uint8] = player_frames[self._plan.copy_players]
        if len(self._copy_alaw):
            frames[self._copy_alaw] = TRANSCODE[0][frames[self._copy_alaw]]
        return frames

    def _send_rows(self, rows: Rows) -> None:
        """Number and send what lies in the first rows of the buffer."""
        legs, out = self._legs, self._out
        first = legs.sent[rows] == 0
        dialling = legs.dialling[rows]
        if dialling.any():
            # The digits' packets take their place in the stream; see Digits.tick.
            kept = np.flatnonzero(~dialling)
            out.octets[: len(kept)] = out.octets[kept]
            rows, first = rows[kept], first[kept]
        kind = legs.payload_type[rows].astype(np.int64)
        kind[first] |= 0x80  # the marker: the stream begins
        sequence, timestamp = legs.number_frames(rows, FRAME_SAMPLES)
        write_headers(out.words, kind, sequence, timestamp, legs.ssrc[rows])
        dropped = self._wire.send(rows.tolist(), out.frame_views)
        self._traffic.count_sent(len(rows) - dropped, dropped)

    def _starved(self, now: float) -> Rows:
        """Bridged legs whose peer sends nothing."""
        plan, legs = self._plan, self._legs
        starved: Rows = plan.relay_listeners[now - legs.last_sound[plan.relay_sources] > STARVED_S]
        if len(starved):
            # Their time went on while they were waited for.
            waited = starved[~legs.resync[starved]]
            legs.next_timestamp[waited] += _STARVED_SAMPLES
        return starved
