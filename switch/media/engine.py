"""The media engine: the whole switch's sound, two verbs.

    wake(now)   every few milliseconds          tick(now)   every 20 ms
    ---------------------------------           ----------------------------------------------
    ready sockets -> buffer, one packet a leg   changed gains -> plan
    headers                                     players -> a frame each
    loss, jitter, last time heard               rings -> a frame of each leg that is mixed
    digits -> events                                     or recorded
    plain bridges: packets passed on            copies, mixes, silence, digits -> packets
    mixed or recorded legs: into the rings      recordings -> blocks for the sink

    receipt.py                                  frame_sender.py, digits.py, taps.py

Commands are the patchbay's methods (patchbay.py); they take effect at the next tick. Time is passed
in (monotonic seconds), the sockets are a port, randomness is injected: nothing here reads a clock
or opens anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from switch.media.events import RtpSilent
from switch.media.frame_sender import FrameSender
from switch.media.gains import Plan
from switch.media.legs import NO_PAYLOAD_TYPE
from switch.media.patchbay import Patchbay
from switch.media.ports import RecordingSink, RtpWire, Stray
from switch.media.prompts import PromptStore
from switch.media.receipt import Pause, Receipt, RelayingWire

MAX_MADE_UP: Final = 250
"""Frames written to recordings after a standstill: five seconds, more than sockets can hold."""
_CHECK_TICKS: Final = 25
"""Time-outs are looked for twice a second."""


class MediaEngine(Patchbay):
    """A patchbay that sounds."""

    def __init__(
        self,
        wire: RtpWire,
        sink: RecordingSink,
        prompts: PromptStore,
        *,
        random_u32: Callable[[], int],
        rtp_timeout_s: float = 30.0,
        wall: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`wall` gives seconds since 1970, for the sender reports."""
        super().__init__(wire, sink, prompts, random_u32, wall)
        self._rtp_timeout_s = rtp_timeout_s
        self._plan: Plan = self._gains.plan(self._legs.table)
        self._receipt = Receipt(
            self._legs, wire, self._peers, self._digits, self._rings, self._coders, self._traffic,
            self._reports,
        )  # fmt: skip
        self._sender = FrameSender(self._legs, wire, self._coders, self._traffic, self._plan)
        self._wanted = np.empty(0, dtype=np.int64)
        """Legs whose frames a tick needs: they are mixed or recorded."""
        self._ticks = 0

    # --- counted --------------------------------------------------------------------------------

    @property
    def packets_received(self) -> int:
        """From the legs' peers."""
        return self._traffic.received

    @property
    def packets_sent(self) -> int:
        """Relayed ones included."""
        return self._traffic.sent

    @property
    def packets_dropped(self) -> int:
        """Not taken by the system at the send, or too many or too long for a receive ring."""
        return self._traffic.dropped + self._rings.overrun

    @property
    def packets_stray(self) -> int:
        """From strangers, or nothing that could be RTP."""
        return self._traffic.stray

    @property
    def digits_dropped(self) -> int:
        """Not passed on, because too many of them waited at their leg."""
        return self._digits.dropped

    @property
    def is_relaying(self) -> bool:
        """Whether packets of any leg are passed on as they come."""
        return len(self._plan.relay_listeners) > 0

    @property
    def has_handshakes(self) -> bool:
        """Whether STUN or DTLS has come."""
        return bool(self._receipt.aside or self._peers.unheard)

    def next_handshakes(self) -> tuple[list[Stray], list[tuple[int, bytes]]]:
        """STUN and DTLS that came since the last call: from strangers, and from the legs' peers by row."""
        strays, aside = self._peers.unheard, self._receipt.aside
        self._peers.unheard, self._receipt.aside = [], []
        return strays, aside

    # --- the two verbs --------------------------------------------------------------------------

    def wake(self, now: float) -> int:
        """Take what came, pass on what is plainly bridged; return the packets taken."""
        self._sender.send_later()
        if len(self._plan.relay_count) < self._legs.capacity:
            self._sender.finish()
            self._replan()  # a packet may come from a row that the plan does not have
        return self._receipt.take(self._plan, now, self._events)

    def relay(self, wire: RelayingWire, pause: Pause) -> bool:
        """Wake by itself until the pause ends or something comes up, where sound is all there is to do.

        False: nothing was done, call `wake` instead. `wire` is the engine's own.
        """
        if len(self._plan.relay_count) < self._legs.capacity:
            return False
        self._receipt.relay(self._plan, wire, self._sender.later, pause, self._events)
        return True

    def tick(self, now: float, left_out: int = 0) -> None:
        """Make one frame for every leg; `left_out` frames before it were dropped."""
        self._sender.finish()
        if self._changed:
            self._replan()
        if left_out:
            self._leave_out(left_out, now)
        for row, event in self._players.advance():
            self._end_player(row, event)
        if self._changed:
            self._replan()
        if len(self._wanted):
            self._rings.pop(self._wanted, self._legs.table)
        self._events += self._sound_watch.hear(self._rings.frames, self._legs.table, self._legs.ids)
        self._pass_digits_on()
        self._sender.send(self._rings.frames, self._players.frames, now)
        sent, dropped = self._digits.tick()
        self._traffic.count_sent(sent, dropped)
        self._taps.write(self._rings.frames, self._legs.table)
        self._events += self._digits.handle_timers(now)
        self._events += self._reports.tick(now)
        self._ticks += 1
        if self._ticks % _CHECK_TICKS == 0:
            self._report_silence(now)

    def _pass_digits_on(self) -> None:
        """Hear the digits in this tick's frames, and send on all that have ended."""
        legs, plan, relay = self._legs, self._plan, self._digit_relay
        for row, digit, duration_ms in self._digits.take_ended():
            relay.pass_on(row, digit, duration_ms, plan, by_tones=False)
        tones = self._tone_digits.hear(self._rings.frames, legs.table, legs.ids)
        for event in tones:
            relay.pass_on(legs.rows[event.leg], event.digit, event.duration_ms, plan, by_tones=True)
        self._events += tones

    def _replan(self) -> None:
        legs = self._legs
        self._changed = False
        self._plan = self._gains.plan(legs.table)
        self._sender.follow(self._plan)
        needed = np.zeros(legs.capacity, dtype=np.bool_)
        needed[self._sender.mixed_legs] = True
        needed[self._taps.legs] = True
        # A peer that sends no telephone-events keys by tones, or by signalling.
        keying = legs.receiving & (legs.event_type == NO_PAYLOAD_TYPE)
        keying[self._digit_relay.left_out] = False
        self._tone_digits.listen(np.flatnonzero(keying))
        self._digit_relay.mark(np.flatnonzero(keying))
        needed |= keying
        needed[self._sound_watch.rows] = True
        began = np.flatnonzero(needed & ~legs.wanted)
        if len(began):
            self._rings.reset(began, legs.table)
            self._coders.begin(began.tolist())
        legs.wanted[:] = needed
        self._wanted = np.flatnonzero(needed)
        self._coders.prepare(
            self._wanted.tolist(), [*self._sender.encoded_for.tolist(), *self._digits.rows_of_tones]
        )
        for row in self._removed:
            legs.release(row)
        self._removed.clear()

    def _leave_out(self, ticks: int, now: float) -> None:
        """Make up for ticks that did not take place: nothing is sent for them.

        Timestamps go on with the time, and recordings lose no frame: what waits in the sockets is
        taken and written at the pace at which it came.
        """
        self._sender.skip(ticks)
        if not len(self._taps):
            return
        for _ in range(min(ticks, MAX_MADE_UP)):
            self.wake(now)
            self._rings.pop(self._wanted, self._legs.table)
            self._taps.write(self._rings.frames, self._legs.table)

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
