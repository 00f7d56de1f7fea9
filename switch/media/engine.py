"""The media engine: the whole switch's sound, two verbs.

    wake(now)   every few milliseconds          tick(now)   every 20 ms
    ---------------------------------           ----------------------------------------------
    ready sockets -> buffer, one packet a leg   changed gains -> plan
    headers as columns                          players -> a frame each
    loss, jitter, last time heard               rings -> a frame of each leg that is mixed
    digits -> events                                     or recorded
    plain bridges: packets passed on            copies, mixes, silence, digits -> packets
    mixed or recorded legs: into the rings      recordings -> blocks for the sink

Commands are methods; they take effect at the next tick. Time is passed in (monotonic seconds), the
sockets are a port, randomness is injected: nothing here reads a clock or opens anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from switch.ids import LegId, PlayerId, RecordingId
from switch.media.codecs import CODEC_BY_NAME, FRAME_SAMPLES, PCMA, SILENCE, TRANSCODE
from switch.media.digits import Digits
from switch.media.errors import MediaCommandError
from switch.media.events import LegTotals, MediaEvent, PlayerEnded, RtpSilent
from switch.media.gains import GainMatrix, Plan, player_source
from switch.media.legs import NO_PAYLOAD_TYPE, LegTable, Rows
from switch.media.mixer import Mixer
from switch.media.model import PlayerItem
from switch.media.packets import FRAME_OCTETS, ROW_OCTETS, PacketBuffer
from switch.media.players import PlayerTable
from switch.media.ports import RecordingSink, RtpWire, Stray
from switch.media.prompts import PromptStore
from switch.media.receive_ring import ReceiveRings
from switch.media.relay import Relay
from switch.media.taps import RecordingTaps
from switch.rtp.packet import HEADER_OCTETS, HeaderColumns, parse_headers, write_headers

STARVED_S: Final = 0.2
"""A bridged leg whose peer has sent nothing for so long is sent silence until it does."""
MAX_MADE_UP: Final = 250
"""Frames written to recordings after a standstill: five seconds, more than sockets can hold."""
_CHECK_TICKS: Final = 25
"""Time-outs are looked for twice a second."""


class MediaEngine:
    """Legs, players, recordings and gains, and the two verbs that make them sound."""

    def __init__(
        self,
        wire: RtpWire,
        sink: RecordingSink,
        prompts: PromptStore,
        *,
        random_u32: Callable[[], int],
        rtp_timeout_s: float = 30.0,
    ) -> None:
        self._wire = wire
        self._legs = LegTable(random_u32)
        self._rings = ReceiveRings(self._legs.capacity)
        self._gains = GainMatrix()
        self._players = PlayerTable(prompts)
        self._taps = RecordingTaps(sink)
        self._digits = Digits(self._legs, wire)
        self._relay = Relay(self._legs, wire)
        self._rtp_timeout_s = rtp_timeout_s
        self._in = PacketBuffer(self._legs.capacity)
        self._out = PacketBuffer(self._legs.capacity)
        self._events: list[MediaEvent] = []
        self._removed: list[int] = []
        self._remotes: dict[int, tuple[str, int]] = {}
        self._changed = True
        self._ticks = 0
        self.packets_received = 0
        self.packets_sent = 0
        self._send_drops = 0
        self.packets_stray = 0
        self._replan()

    # --- what is here ---------------------------------------------------------------------------

    @property
    def legs(self) -> tuple[LegId, ...]:
        """The legs, oldest first."""
        return tuple(self._legs.rows)

    @property
    def players(self) -> tuple[PlayerId, ...]:
        """The players."""
        return self._players.ids

    @property
    def recordings(self) -> tuple[RecordingId, ...]:
        """The recordings that run."""
        return self._taps.ids

    @property
    def is_idle(self) -> bool:
        """Nothing sounds and nothing is heard: neither verb has anything to do."""
        return not self._legs.rows and not len(self._players) and not len(self._taps)

    @property
    def packets_dropped(self) -> int:
        """Not taken by the system at the send, or too many or too long for a receive ring."""
        return self._send_drops + self._rings.overrun

    def next_events(self) -> list[MediaEvent]:
        """What happened since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    # --- commands -------------------------------------------------------------------------------

    def add_leg(self, leg: LegId, port: int, now: float) -> None:
        """Make a leg on a reserved port. Raises MediaCommandError."""
        if leg in self._legs.rows:
            raise MediaCommandError("a leg of this id exists already")
        row = self._legs.add(leg, now)
        try:
            self._wire.attach(row, port)
        except MediaCommandError:
            self._legs.remove(leg)
            self._legs.release(row)
            raise
        if self._legs.capacity > len(self._rings.frames):
            self._rings.grow(self._legs.capacity)
            self._in = self._in.with_room(self._legs.capacity)
            self._out = self._out.with_room(self._legs.capacity)
        self._changed = True

    def configure_leg(
        self,
        leg: LegId,
        *,
        remote: tuple[str, int],
        codec: str,
        payload_type: int,
        event_type: int | None,
        send: bool,
        receive: bool,
        now: float,
    ) -> None:
        """Set where a leg's RTP goes and how it is coded. Raises MediaCommandError."""
        row = self._row(leg)
        legs = self._legs
        number = CODEC_BY_NAME.get(codec.upper())
        if number is None:
            raise MediaCommandError(f"codec {codec!r} is unknown; use one of {[*CODEC_BY_NAME]}")
        for given in (payload_type, event_type):
            if given is not None and not 0 <= given < 128:
                raise MediaCommandError(f"payload type {given} is not in 0 to 127")
        held = ip_address_is_unspecified(remote[0])  # `c=0.0.0.0`, the old way to hold
        if not held and self._remotes.get(row) != remote:
            self._wire.connect(row, *remote)
            self._remotes[row] = remote
            legs.peer_heard[row] = False
        if number != legs.codec[row] or receive != legs.receiving[row]:
            legs.codec[row] = number
            self._rings.reset(np.array([row]), legs.codec)
        legs.payload_type[row] = payload_type
        legs.event_type[row] = NO_PAYLOAD_TYPE if event_type is None else event_type
        legs.sending[row] = send and not held
        legs.receiving[row] = receive
        legs.last_received[row] = now
        legs.silence_reported[row] = False
        self._changed = True

    def remove_leg(self, leg: LegId) -> LegTotals:
        """Close a leg and all gains from and to it. Raises MediaCommandError."""
        row = self._row(leg)
        legs = self._legs
        totals = LegTotals(
            packets_received=int(legs.received[row]),
            packets_sent=int(legs.sent[row]),
            packets_lost=legs.stats.lost(row),
            packets_late=int(self._rings.late[row]),
            packets_stray=int(legs.stray[row]),
            jitter_ms=round(legs.stats.jitter_ms(row), 3),
        )
        self._rings.late[row] = 0
        self._digits.remove_leg(row)
        self._gains.remove_leg(row)
        self._taps.remove_leg(row)
        legs.remove(leg)
        self._remotes.pop(row, None)
        self._wire.detach(row)
        self._removed.append(row)
        self._changed = True
        return totals

    def set_gain(self, listener: LegId, source: LegId | PlayerId, gain: float) -> None:
        """Change one entry of the gain matrix; 0 removes it.

        Raises MediaCommandError for an unknown listener, and for an unknown source unless the entry
        is to be removed: a player may have come to its end meanwhile.
        """
        row = self._row(listener)
        code = self._source(source)
        if code is None:
            if gain == 0.0:
                return
            raise MediaCommandError(f"source {source!r} is neither a leg nor a player")
        self._gains.set(row, code, gain)
        self._changed = True

    def play(
        self,
        player: PlayerId,
        items: Sequence[PlayerItem],
        listeners: Sequence[LegId],
        *,
        loop: bool,
    ) -> tuple[LegId, ...]:
        """Start a player for its listeners; return those of them that do not exist.

        When none of its prompts exists it has ended at once, and says so by an event. A player of
        the same id is replaced.
        """
        self.stop_player(player)
        row, missing = self._players.play(player, items, loop=loop)
        if row is None:
            self._events.append(
                PlayerEnded(player=player, played_ms=0, stopped=False, missing=missing)
            )
            return ()
        for listener in listeners:
            to = self._legs.rows.get(listener)
            if to is not None:
                self._gains.set(to, player_source(row), 1.0)
        self._changed = True
        return tuple(leg for leg in listeners if leg not in self._legs.rows)

    def stop_player(self, player: PlayerId) -> None:
        """End a player; unknown ones are ignored."""
        stopped = self._players.stop(player)
        if stopped is not None:
            self._end_player(*stopped)

    def send_digits(self, leg: LegId, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send digits to a leg's peer in place of sound. Raises MediaCommandError."""
        self._digits.send(self._row(leg), digits, duration_ms, gap_ms)

    def start_recording(
        self, recording: RecordingId, path: str, left: Sequence[LegId], right: Sequence[LegId]
    ) -> None:
        """Record what legs send; legs that do not exist feed nothing. Raises MediaCommandError."""
        if recording in self._taps:
            raise MediaCommandError("a recording of this id runs already")
        self._taps.start(recording, path, self._rows(left), self._rows(right))
        self._changed = True

    def set_recording_legs(
        self, recording: RecordingId, left: Sequence[LegId], right: Sequence[LegId]
    ) -> None:
        """Feed a recording from other legs. Raises MediaCommandError."""
        if recording not in self._taps:
            raise MediaCommandError("no recording of this id runs")
        self._taps.set_legs(recording, self._rows(left), self._rows(right))
        self._changed = True

    def stop_recording(self, recording: RecordingId) -> None:
        """Hand the last frames to the sink and close it there. Unknown ones are ignored."""
        if recording in self._taps:
            self._taps.stop(recording)
            self._changed = True

    # --- the two verbs --------------------------------------------------------------------------

    def wake(self, now: float) -> int:
        """Take what came, pass on what is plainly bridged; return the packets taken."""
        rows: list[int] = []
        sizes: list[int] = []
        strays = self._wire.receive(self._in.views, rows, sizes)
        if strays:
            self._meet_strangers(strays)
        if rows:
            self._take(np.array(rows), np.array(sizes), now)
        return len(rows)

    def tick(self, now: float, left_out: int = 0) -> None:
        """Make one frame for every leg; `left_out` frames before it were dropped."""
        if self._changed:
            self._replan()
        if left_out:
            self._leave_out(left_out, now)
        for row, event in self._players.advance():
            self._end_player(row, event)
        if self._changed:
            self._replan()
        if len(self._wanted):
            self._rings.pop(self._wanted, self._legs.codec)
        self._send_frames(now)
        sent, dropped = self._digits.tick()
        self.packets_sent += sent
        self._send_drops += dropped
        self._taps.write(self._rings.frames, self._legs.codec)
        self._events += self._digits.handle_timers(now)
        self._ticks += 1
        if self._ticks % _CHECK_TICKS == 0:
            self._report_silence(now)

    # --- wake -----------------------------------------------------------------------------------

    def _take(self, rows: Rows, sizes: Rows, now: float) -> None:
        legs = self._legs
        headers = parse_headers(self._in.octets, sizes)
        packets = np.arange(len(rows))
        self.packets_received += len(rows)
        valid = headers.valid & (sizes < ROW_OCTETS)  # a longer datagram was cut
        if not valid.all():
            legs.stray[rows[~valid]] += 1
            packets = np.flatnonzero(valid)
            self.packets_stray += len(rows) - len(packets)
            if not len(packets):
                return
            rows, headers = rows[packets], _select(headers, packets)
        legs.received[rows] += 1
        legs.peer_heard[rows] = True
        legs.last_received[rows] = now
        legs.silence_reported[rows] = False
        restarted = legs.stats.update(rows, headers.sequence, headers.timestamp, headers.ssrc, now)
        kind = headers.marker_and_type & 0x7F
        is_event = kind == legs.event_type[rows]
        known = is_event | (kind == legs.payload_type[rows])
        if not known.all():
            # Comfort noise and the like: the peer lives, but there is nothing to be heard.
            self._relay.close_gaps(self._plan, rows[~known])
            chosen = np.flatnonzero(known)
            if not len(chosen):
                return
            rows, packets, headers = rows[chosen], packets[chosen], _select(headers, chosen)
            is_event, restarted = is_event[chosen], restarted[chosen]
        legs.last_sound[rows] = now
        keyed = np.flatnonzero(is_event)
        for i in keyed.tolist():
            self._take_event(int(rows[i]), int(packets[i]), headers, i, now)
        wanted = legs.wanted[rows] & ~is_event if len(keyed) else legs.wanted[rows]
        if wanted.all():
            self._rings.push(
                rows, headers.timestamp, restarted,
                self._in.octets, packets, headers.start, headers.length,
            )  # fmt: skip
        elif wanted.any():
            self._rings.push(
                rows[wanted], headers.timestamp[wanted], restarted[wanted],
                self._in.octets, packets[wanted], headers.start[wanted], headers.length[wanted],
            )  # fmt: skip
        if len(self._plan.relay_listeners):
            if restarted.any():
                self._relay.begin_streams(self._plan, rows[restarted])
            sent, dropped = self._relay.pass_on(
                self._plan, self._in, rows, packets, headers, is_event
            )
            self.packets_sent += sent
            self._send_drops += dropped

    def _take_event(
        self, row: int, packet: int, headers: HeaderColumns, i: int, now: float
    ) -> None:
        start = int(headers.start[i])
        payload = bytes(self._in.views[packet][start : start + int(headers.length[i])])
        self._events += self._digits.receive(row, payload, int(headers.timestamp[i]), now)

    def _meet_strangers(self, strays: Sequence[Stray]) -> None:
        """Follow the first stranger who sends what was agreed while the peer itself is silent.

        So phones behind address translation are reached where they really are (symmetric RTP).
        Should the address of the signalling speak after all, it takes its place back: nobody else
        can keep it. Once a peer was heard, other strangers are counted and nothing else.
        """
        legs = self._legs
        for row, data, source in strays:
            if not legs.active[row]:
                continue
            may_enter = source == self._remotes.get(row) or (
                not legs.peer_heard[row] and legs.receiving[row]
            )
            if may_enter and self._is_agreed(row, data):
                with contextlib.suppress(MediaCommandError):
                    self._wire.connect(row, *source)
                    legs.peer_heard[row] = True
                    continue
            legs.stray[row] += 1
            self.packets_stray += 1

    def _is_agreed(self, row: int, data: bytes) -> bool:
        octets = np.zeros((1, ROW_OCTETS), dtype=np.uint8)
        size = min(len(data), ROW_OCTETS)
        octets[0, :size] = np.frombuffer(data, dtype=np.uint8, count=size)
        headers = parse_headers(octets, np.array([len(data)]))
        kind = headers.marker_and_type[0] & 0x7F
        legs = self._legs
        return bool(
            headers.valid[0]
            and len(data) < ROW_OCTETS
            and kind in (legs.payload_type[row], legs.event_type[row])
        )

    # --- tick -----------------------------------------------------------------------------------

    def _replan(self) -> None:
        legs = self._legs
        self._changed = False
        self._plan: Plan = self._gains.plan(legs.sending)
        self._mixer = Mixer(self._plan, legs.codec)
        plan = self._plan
        self._copy_alaw = np.flatnonzero(legs.codec[plan.copy_listeners] == PCMA)
        self._frame_rows = np.concatenate(
            [plan.copy_listeners, plan.mix_listeners, plan.silent_listeners]
        )
        needed = np.zeros(legs.capacity, dtype=np.bool_)
        needed[self._mixer.legs] = True
        needed[self._taps.legs] = True
        began = np.flatnonzero(needed & ~legs.wanted)
        if len(began):
            self._rings.reset(began, legs.codec)
        legs.wanted[:] = needed
        self._wanted = np.flatnonzero(needed)
        for row in self._removed:
            legs.release(row)
        self._removed.clear()

    def _send_frames(self, now: float) -> None:
        """Copies, mixes and silence: one packet for every leg that is not relayed to."""
        legs, plan = self._legs, self._plan
        rows = self._frame_rows
        starved = self._starved(now)
        if len(starved):
            rows = np.concatenate([rows, starved])
        count = len(rows)
        if not count:
            return
        out = self._out = self._out.with_room(count)
        payload = out.octets[:, HEADER_OCTETS:FRAME_OCTETS]
        copied = len(plan.copy_listeners)
        mixed = len(plan.mix_listeners)
        if copied:
            frames = self._players.frames[plan.copy_players]
            if len(self._copy_alaw):
                frames[self._copy_alaw] = TRANSCODE[0][frames[self._copy_alaw]]
            payload[:copied] = frames
        if mixed:
            payload[copied : copied + mixed] = self._mixer.mix(
                self._rings.frames, self._players.frames
            )
        if count > copied + mixed:
            silent = rows[copied + mixed :]
            payload[copied + mixed : count] = SILENCE[legs.codec[silent]][:, None]
        self._send_rows(rows, out)

    def _send_rows(self, rows: Rows, out: PacketBuffer) -> None:
        legs = self._legs
        first = legs.sent[rows] == 0
        views: Sequence[memoryview] = out.frame_views
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
        dropped = self._wire.send(rows.tolist(), views)
        self.packets_sent += len(rows) - dropped
        self._send_drops += dropped

    def _starved(self, now: float) -> Rows:
        """Bridged legs whose peer sends nothing."""
        plan, legs = self._plan, self._legs
        starved: Rows = plan.relay_listeners[now - legs.last_sound[plan.relay_sources] > STARVED_S]
        if len(starved):
            # Their time went on while they were waited for.
            waited = starved[~legs.resync[starved]]
            legs.next_timestamp[waited] += int(STARVED_S * 50) * FRAME_SAMPLES
        return starved

    def _leave_out(self, ticks: int, now: float) -> None:
        """Make up for ticks that did not take place: nothing is sent for them.

        Timestamps go on with the time, and recordings lose no frame: what waits in the sockets is
        taken and written at the pace at which it came.
        """
        self._legs.next_timestamp[self._frame_rows] += ticks * FRAME_SAMPLES
        if not len(self._taps):
            return
        for _ in range(min(ticks, MAX_MADE_UP)):
            self.wake(now)
            self._rings.pop(self._wanted, self._legs.codec)
            self._taps.write(self._rings.frames, self._legs.codec)

    def _report_silence(self, now: float) -> None:
        legs = self._legs
        silent = np.flatnonzero(
            legs.receiving
            & ~legs.silence_reported
            & (now - legs.last_received >= self._rtp_timeout_s)
        )
        for row in silent.tolist():
            legs.silence_reported[row] = True
            self._events.append(
                RtpSilent(leg=legs.ids[row], silent_ms=int((now - legs.last_received[row]) * 1000))
            )

    def _end_player(self, row: int, event: PlayerEnded) -> None:
        self._gains.remove_source(player_source(row))
        self._events.append(event)
        self._changed = True

    # --- names ----------------------------------------------------------------------------------

    def _row(self, leg: LegId) -> int:
        row = self._legs.rows.get(leg)
        if row is None:
            raise MediaCommandError("no leg of this id exists")
        return row

    def _rows(self, legs: Sequence[LegId]) -> list[int]:
        return [self._legs.rows[leg] for leg in legs if leg in self._legs.rows]

    def _source(self, source: LegId | PlayerId) -> int | None:
        row = self._legs.rows.get(LegId(source))
        if row is not None:
            return row
        player = self._players.row(PlayerId(source))
        return None if player is None else player_source(player)


def ip_address_is_unspecified(address: str) -> bool:
    """Whether an address is `0.0.0.0` or `::`."""
    return address in ("0.0.0.0", "::")


def _select(headers: HeaderColumns, rows: Rows) -> HeaderColumns:
    return HeaderColumns(
        valid=headers.valid[rows],
        rtcp=headers.rtcp[rows],
        marker_and_type=headers.marker_and_type[rows],
        sequence=headers.sequence[rows],
        timestamp=headers.timestamp[rows],
        ssrc=headers.ssrc[rows],
        start=headers.start[rows],
        length=headers.length[rows],
        plain=headers.plain,
    )
