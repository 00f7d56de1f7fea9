"""The patchbay: what there is to hear, who hears it, and the commands that change either.

Commands take effect at the next tick; one that cannot be carried out raises `MediaCommandError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from switch.ids import LegId, PlayerId, RecordingId
from switch.media.codecs import CLOCK_SCALE_OF_CODEC, CODEC_BY_NAME, LAW_OF_CODEC, SAMPLE_RATE_HZ
from switch.media.coders import Coders
from switch.media.digit_relay import DigitRelay
from switch.media.digits import Digits
from switch.media.errors import MediaCommandError
from switch.media.events import LegTotals, MediaEvent, PlayerEnded
from switch.media.gains import GainMatrix, player_source
from switch.media.legs import NO_PAYLOAD_TYPE, LegTable
from switch.media.model import PlayerItem, SrtpKeys
from switch.media.peers import Peers
from switch.media.players import PlayerTable
from switch.media.ports import RecordingSink, RtpWire
from switch.media.prompts import PromptStore
from switch.media.receive_ring import ReceiveRings
from switch.media.reports import LegReports
from switch.media.sound_watch import SoundWatch
from switch.media.taps import RecordingTaps
from switch.media.tone_digits import ToneDigits
from switch.media.traffic import Traffic

EVENT_RATES_HZ: Final = (8000, 16000, 48000)
"""Clocks of telephone events that a leg may have."""


class Patchbay:
    """Legs, players, recordings, and the gains between them. Nothing sounds here: see `MediaEngine`."""

    def __init__(
        self,
        wire: RtpWire,
        sink: RecordingSink,
        prompts: PromptStore,
        random_u32: Callable[[], int],
        wall: Callable[[], float],
    ) -> None:
        self._wire = wire
        self._traffic = Traffic()
        self._legs = LegTable(random_u32)
        self._rings = ReceiveRings(self._legs.capacity)
        self._coders = Coders(self._legs.capacity)
        self._peers = Peers(self._legs, wire, self._traffic)
        self._digits = Digits(self._legs, wire, self._coders)
        self._tone_digits = ToneDigits(self._legs.capacity)
        self._sound_watch = SoundWatch()
        self._reports = LegReports(self._legs, self._rings, wire, random_u32, wall)
        self._players = PlayerTable(prompts)
        self._gains = GainMatrix()
        self._digit_relay = DigitRelay(self._legs, self._gains, self._digits)
        self._taps = RecordingTaps(sink)
        self._events: list[MediaEvent] = []
        self._removed: list[int] = []
        """Rows of legs that are gone, kept until no plan names them."""
        self._changed = False
        """A new plan is needed."""

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

    def next_events(self) -> list[MediaEvent]:
        """What happened since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    # --- legs -----------------------------------------------------------------------------------

    def add_leg(self, leg: LegId, port: int, now: float) -> None:
        """Make a leg on a reserved port. Raises MediaCommandError."""
        if leg in self._legs.rows:
            raise MediaCommandError("a leg of this id exists already")
        row = self._legs.add(leg, now)
        if self._legs.capacity > len(self._rings.frames):
            self._rings.grow(self._legs.capacity)
            self._coders.grow(self._legs.capacity)
            self._tone_digits.grow(self._legs.capacity)
        try:
            self._wire.attach(row, port)
        except MediaCommandError:
            self._legs.remove(leg)
            self._legs.release(row)
            raise
        self._reports.begin(row)
        self._changed = True

    def configure_leg(
        self,
        leg: LegId,
        *,
        remote: tuple[str, int] | None,
        codec: str,
        payload_type: int,
        event_type: int | None,
        heard_type: int | None = None,
        heard_event_type: int | None = None,
        event_rate: int = SAMPLE_RATE_HZ,
        bitrate: int = 0,
        use_fec: bool = False,
        digits_elsewhere: bool = False,
        send: bool,
        receive: bool,
        now: float,
    ) -> None:
        """Set where a leg's RTP goes and how it is coded. Raises MediaCommandError.

        `remote` is None where ICE will tell. Payload types are those of what it is sent, and `heard_...`
        those of what comes from it (None: the same); `event_rate` is the clock of telephone events, Hz.
        `bitrate` (bits a second, 0: as we like) and `use_fec` concern Opus. With `digits_elsewhere` nothing
        of what others key is sent to it, and nothing that it sends is heard as a digit.
        """
        row = self._row(leg)
        legs = self._legs
        number = CODEC_BY_NAME.get(codec.upper())
        if number is None:
            raise MediaCommandError(f"codec {codec!r} is unknown; use one of {[*CODEC_BY_NAME]}")
        for given in (payload_type, event_type, heard_type, heard_event_type):
            if given is not None and not 0 <= given < 128:
                raise MediaCommandError(f"payload type {given} is not in 0 to 127")
        if event_rate not in EVENT_RATES_HZ:
            raise MediaCommandError(f"clock of events {event_rate} is none of {EVENT_RATES_HZ}")
        held = False
        if remote is not None:
            held = ip_address_is_unspecified(remote[0])  # `c=0.0.0.0`, the old way to hold
            if not held:
                self._peers.name(row, remote, now)
        if number != legs.codec[row] or receive != legs.receiving[row]:
            legs.codec[row] = number
            legs.law[row] = LAW_OF_CODEC[number]
            legs.scale[row] = CLOCK_SCALE_OF_CODEC[number]
            self._rings.reset(np.array([row]), legs.table)
            self._coders.configure(row, number, bitrate, use_fec=use_fec)
        events = NO_PAYLOAD_TYPE if event_type is None else event_type
        had_events = legs.event_type[row] != NO_PAYLOAD_TYPE
        legs.payload_type[row], legs.event_type[row] = payload_type, events
        legs.heard_type[row] = payload_type if heard_type is None else heard_type
        legs.heard_event_type[row] = events if heard_event_type is None else heard_event_type
        event_scale = event_rate // SAMPLE_RATE_HZ
        has_other_clock = event_scale != legs.event_scale[row]
        legs.event_scale[row] = event_scale
        if has_other_clock:
            self._digits.begin_anew(row)
        if has_other_clock or had_events != (event_type is not None):
            self._digits.send_anew(row)
        self._digit_relay.leave_out(row, is_out=digits_elsewhere)
        legs.let_send(row, on=send and not held, now=now)
        legs.receiving[row] = receive
        legs.last_received[row] = now
        legs.silence_reported[row] = False
        self._changed = True

    def expect_handshakes(self, leg: LegId, *, on: bool) -> int:
        """Put STUN and DTLS of a leg aside, or not; return its row. Raises MediaCommandError."""
        row = self._row(leg)
        self._legs.handshakes[row] = on
        return row

    def leg_of(self, row: int) -> LegId | None:
        """The leg of a row."""
        return self._legs.ids.get(row)

    def secure_leg(self, leg: LegId, keys: SrtpKeys | None) -> None:
        """Encrypt what passes between a leg and its peer; None: in clear. Raises MediaCommandError."""
        self._wire.secure(self._row(leg), keys)

    def exchange_reports(self, leg: LegId, remote: tuple[str, int] | None, now: float) -> None:
        """Exchange RTCP with the peer: at this address, or (None) where its sound goes.

        Nowhere is where the old way to hold points to: nothing changes. Raises MediaCommandError.
        """
        row = self._row(leg)
        if remote is None or not ip_address_is_unspecified(remote[0]):
            self._reports.configure(row, remote, now)

    def remove_leg(self, leg: LegId) -> LegTotals:
        """Close a leg and all gains from and to it. Raises MediaCommandError."""
        row = self._row(leg)
        legs = self._legs
        quality = self._reports.quality(row)
        totals = LegTotals(
            packets_received=int(legs.received[row]),
            packets_sent=int(legs.sent[row]),
            packets_lost=legs.stats.lost(row),
            packets_late=self._rings.take_late(row),
            frames_concealed=self._rings.take_concealed(row),
            packets_stray=int(legs.stray[row]),
            jitter_ms=round(legs.stats.jitter_ms(row), 3),
            quality=quality,
        )
        self._reports.end(row)
        self._digits.remove_leg(row)
        self._digit_relay.leave_out(row, is_out=False)
        self._sound_watch.watch(row, on=False)
        self._coders.forget(row)
        self._gains.remove_leg(row)
        self._taps.remove_leg(row)
        legs.remove(leg)
        self._peers.forget(row)
        self._wire.detach(row)
        self._removed.append(row)
        self._changed = True
        return totals

    def watch_sound(self, leg: LegId, *, on: bool) -> None:
        """Report what a leg's sound is like, or no longer. Raises MediaCommandError."""
        self._sound_watch.watch(self._row(leg), on=on)
        self._changed = True

    def send_digits(self, leg: LegId, digits: str, duration_ms: int, gap_ms: int) -> None:
        """Send digits to a leg's peer in place of sound. Raises MediaCommandError."""
        self._digits.send(self._row(leg), digits, duration_ms, gap_ms)

    # --- who hears what -------------------------------------------------------------------------

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

    # --- recordings -----------------------------------------------------------------------------

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

    def _end_player(self, row: int, event: PlayerEnded) -> None:
        self._gains.remove_source(player_source(row))
        self._events.append(event)
        self._changed = True

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
