"""Digits as telephone-event packets (RFC 4733 section 2): the receiver and the sender of a leg.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |     event     |E|R| volume    |          duration             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

All packets of one event carry the timestamp of its beginning; the duration rises, in samples. The
last packet has E and is sent three times. An event is known by its timestamp alone: the marker is
lost, or never set, too often to be of use.

A key that is held for longer than the duration can say (8.2 s at 8 kHz, but 1.4 s at 48 kHz) makes several
segments, each with the timestamp at which the one before ended, and without E but for the last one
(section 2.5.1.3). They are one digit.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from switch.rtp.packet import TIMESTAMP_MASK

EVENT_OCTETS: Final = 4
DIGITS: Final = "0123456789*#ABCD"
"""The digit of each event code; higher codes (flash, tones) are not digits."""
END_TIMEOUT_S: Final = 0.2
"""An event whose packets stop without an end has ended: ten packets of 20 ms, all lost or unsent."""
REPEATED_END_S: Final = 0.07
"""Two ends of one digit and one duration this close are one: no key is pressed twice so fast."""
FRAME_SAMPLES: Final = 160
FRAME_MS: Final = 20
END_REPEATS: Final = 3
MAX_DURATION: Final = 0xFFFF
"""Of an event, or of a segment of a longer one, in samples."""
SEGMENT_SLACK_MS: Final = 60
"""Some senders begin the next segment with a packet's own time, up to its length after the end."""
MAX_EVENT_MS: Final = 8000
"""A digit of ours is never longer, nor so long that it needed segments."""
VOLUME_DBM0: Final = 10
"""Sent as minus this."""
_RECENT: Final = 4
"""Timestamps of ended events that are remembered, against late and repeated end packets."""


class State(enum.Enum):
    """Where a receiver is."""

    IDLE = enum.auto()
    EVENT = enum.auto()


class Input(enum.Enum):
    """What can happen to it; a packet is classed by its timestamp and its E bit."""

    FIRST = enum.auto()
    """A packet with a timestamp not seen before, E not set."""
    FIRST_END = enum.auto()
    """The same with E set: the earlier packets were lost."""
    MORE = enum.auto()
    """Of the event that runs."""
    MORE_END = enum.auto()
    REPEAT = enum.auto()
    """Of an event that is over."""
    SILENCE = enum.auto()
    """Nothing for `END_TIMEOUT_S`."""


class Action(enum.Enum):
    """What a transition does."""

    BEGIN = enum.auto()
    EXTEND = enum.auto()
    FINISH = enum.auto()
    """Report the digit that runs."""


TRANSITIONS: Final[dict[tuple[State, Input], tuple[State, tuple[Action, ...]]]] = {
    (State.IDLE, Input.FIRST): (State.EVENT, (Action.BEGIN,)),
    (State.IDLE, Input.FIRST_END): (State.IDLE, (Action.BEGIN, Action.FINISH)),
    (State.EVENT, Input.MORE): (State.EVENT, (Action.EXTEND,)),
    (State.EVENT, Input.MORE_END): (State.IDLE, (Action.EXTEND, Action.FINISH)),
    # The end of the one before was lost: the next digit ends it.
    (State.EVENT, Input.FIRST): (State.EVENT, (Action.FINISH, Action.BEGIN)),
    (State.EVENT, Input.FIRST_END): (State.IDLE, (Action.FINISH, Action.BEGIN, Action.FINISH)),
    (State.EVENT, Input.SILENCE): (State.IDLE, (Action.FINISH,)),
}

IGNORED: Final[dict[tuple[State, Input], str]] = {
    (State.IDLE, Input.MORE): "no event runs, so no packet is classed as more of it",
    (State.IDLE, Input.MORE_END): "no event runs, so no packet is classed as its end",
    (State.IDLE, Input.REPEAT): "end packets are sent three times",
    (State.IDLE, Input.SILENCE): "nothing to end",
    (State.EVENT, Input.REPEAT): "a late packet of the digit before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedDigit:
    """A digit that ended."""

    digit: str
    duration_ms: int


class TelephoneEventReceiver:
    """Turns the event packets of one leg into digits, each once."""

    __slots__ = (
        "_code",
        "_duration",
        "_earlier",
        "_last",
        "_per_ms",
        "_recent",
        "_timestamp",
        "state",
    )

    def __init__(self, clock_rate: int = 8000) -> None:
        """`clock_rate` is that of the durations, Hz."""
        self._per_ms = clock_rate // 1000
        self.state = State.IDLE
        self._code = 0
        self._duration = 0
        self._earlier = 0
        """Of the segments that are over."""
        self._timestamp = -1
        self._last = 0.0
        self._recent: list[int] = []

    def receive(self, payload: bytes, timestamp: int, now: float) -> list[ReceivedDigit]:
        """Take one packet; return the digits that ended by it (two at most).

        Payloads that are cut short and codes above 15 are dropped.
        """
        if len(payload) < EVENT_OCTETS or payload[0] >= len(DIGITS):
            return []
        ended = bool(payload[1] & 0x80)
        duration = int.from_bytes(payload[2:4])
        running = self.state is State.EVENT
        if running and self._is_next_segment(payload[0], timestamp):
            self._begin_segment(timestamp)
        if timestamp in self._recent or (
            not running and ended and self._is_repeated_end(payload[0], duration, now)
        ):
            given = Input.REPEAT
        elif running and self._continues(payload[0], timestamp, duration):
            given = Input.MORE_END if ended else Input.MORE
        elif running and timestamp == self._timestamp:
            return []  # one event does not change its digit on the way
        else:
            given = Input.FIRST_END if ended else Input.FIRST
        self._last = now
        return self._apply(given, payload[0], timestamp, duration)

    def _continues(self, code: int, timestamp: int, duration: int) -> bool:
        """Whether a packet belongs to the event that runs.

        Some senders wrongly move the timestamp on with the duration; a new digit of the same code
        would begin with a small duration again.
        """
        step = (timestamp - self._timestamp) & TIMESTAMP_MASK
        return code == self._code and (step == 0 or 0 < step == duration - self._duration)

    def _is_next_segment(self, code: int, timestamp: int) -> bool:
        """Whether a packet begins the next segment of the event that runs."""
        late = ((timestamp - self._timestamp) & TIMESTAMP_MASK) - MAX_DURATION
        return code == self._code and 0 <= late <= SEGMENT_SLACK_MS * self._per_ms

    def _begin_segment(self, timestamp: int) -> None:
        """Go on with the event; what still comes of the segment before is late."""
        self._remember()
        self._earlier += (timestamp - self._timestamp) & TIMESTAMP_MASK
        self._timestamp, self._duration = timestamp, 0

    def _remember(self) -> None:
        """Know packets with this timestamp again when it is over."""
        self._recent = [*self._recent[1 - _RECENT :], self._timestamp]

    def _is_repeated_end(self, code: int, duration: int, now: float) -> bool:
        """The end once more under another timestamp, from a sender that moves it on."""
        return (
            bool(self._recent)
            and code == self._code
            and duration == self._duration
            and now - self._last < REPEATED_END_S
        )

    def handle_timer(self, now: float) -> list[ReceivedDigit]:
        """End an event whose packets stopped coming."""
        if self.state is State.IDLE or now - self._last < END_TIMEOUT_S:
            return []
        return self._apply(Input.SILENCE, 0, 0, 0)

    def _apply(self, given: Input, code: int, timestamp: int, duration: int) -> list[ReceivedDigit]:
        pair = (self.state, given)
        if pair in IGNORED:
            return []
        self.state, actions = TRANSITIONS[pair]
        digits: list[ReceivedDigit] = []
        for action in actions:
            match action:
                case Action.BEGIN:
                    self._code, self._timestamp, self._duration = code, timestamp, duration
                    self._earlier = 0
                case Action.EXTEND:
                    self._timestamp = timestamp
                    self._duration = max(self._duration, duration)
                case Action.FINISH:
                    self._remember()
                    digits.append(
                        ReceivedDigit(
                            digit=DIGITS[self._code],
                            duration_ms=(self._earlier + self._duration) // self._per_ms,
                        )
                    )
        return digits


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPacket:
    """One packet to send in place of a frame of sound."""

    payload: bytes
    elapsed: int
    """Samples at 8 kHz from the event's beginning, whose timestamp the packet carries, to this frame."""
    marker: bool


class TelephoneEventSender:
    """Sends digits one after the other: asked once a frame (20 ms) for its packet.

    The timestamp stays that of the event's beginning, the duration rises by a frame with each
    packet, and the end goes out three times.
    """

    __slots__ = (
        "_code", "_digits", "_frames", "_gap_frames", "_scale", "_step", "_waiting", "pace_ms",
    )  # fmt: skip

    def __init__(
        self, digits: str, *, duration_ms: int, gap_ms: int, clock_rate: int = 8000
    ) -> None:
        """Durations are written at `clock_rate`, Hz. Raise ValueError for what is no digit."""
        if not digits or any(d not in DIGITS for d in digits.upper()):
            raise ValueError(f"{digits!r} are not digits of 0-9 * # A-D")
        self.pace_ms = duration_ms, gap_ms
        """As asked for, whatever the sender makes of it."""
        self._scale = clock_rate // 8000
        self._digits = list(digits.upper())
        most = MAX_DURATION // (FRAME_SAMPLES * self._scale)
        self._frames = min(max(2, -(-min(max(0, duration_ms), MAX_EVENT_MS) // FRAME_MS)), most)
        # The repeated ends fall into the gap.
        self._gap_frames = max(END_REPEATS, -(-min(max(0, gap_ms), MAX_EVENT_MS) // FRAME_MS))
        self._code = 0
        self._step = -1
        self._waiting = 0

    def extend(self, digits: str) -> None:
        """Queue more digits behind those under way; raise ValueError for what is no digit."""
        if any(d not in DIGITS for d in digits.upper()):
            raise ValueError(f"{digits!r} are not digits of 0-9 * # A-D")
        self._digits.extend(digits.upper())

    @property
    def waiting(self) -> int:
        """Digits of which nothing was sent yet."""
        return len(self._digits)

    @property
    def not_begun(self) -> str:
        """Those digits."""
        return "".join(self._digits)

    @property
    def is_done(self) -> bool:
        """Nothing is left to send, the last gap included."""
        return self._step < 0 and not self._waiting and not self._digits

    def next_frame(self) -> EventPacket | None:
        """The packet for the frame that begins now; None in the gap between two digits."""
        if self._step < 0:
            if self._waiting:
                self._waiting -= 1
                return None
            if not self._digits:
                return None
            self._code = DIGITS.index(self._digits.pop(0))
            self._step = 0
        step = self._step
        last = self._frames - 1
        duration = min((step + 1), self._frames) * FRAME_SAMPLES * self._scale
        end = step >= last
        self._step += 1
        if step == last + END_REPEATS - 1:
            self._step = -1
            self._waiting = self._gap_frames - (END_REPEATS - 1)
        return EventPacket(
            payload=bytes((self._code, (0x80 if end else 0) | VOLUME_DBM0, *duration.to_bytes(2))),
            elapsed=step * FRAME_SAMPLES,
            marker=step == 0,
        )
