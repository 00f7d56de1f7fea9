"""What has come and waits to be served: in which order, and what of it there is no time for.

Pure: time is passed in (monotonic seconds), messages are whatever the caller puts in. What belongs to
something that is under way comes first, so that calls which were let in are answered and ended; new
requests get the time that is left, and whatever would have to wait too long for it is refused while
refusing still costs little. Nobody has to say how many calls a second the machine can carry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from switch.transport.lanes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class InflowSettings:
    """Numbers of messages and seconds."""

    turn_s: float = 0.03
    """So long a turn may take, as far as can be told beforehand: what it sends leaves at its end."""
    going_on_a_turn: int = 64
    """At most, however fast the machine is."""
    new_a_turn: int = 16
    """More save a few per cent of CPU and cost the one who was let in first more time."""
    patience_s: float = 0.1
    """New requests that wait longer are refused, while there are too many of them."""
    burst_s: float = 1.0
    """As `patience_s`, while nobody had to wait a moment ago: a burst or a pause of the machine is
    no overload, and a caller rather waits for a second than hears that nothing is free."""
    kept_s: float = 0.2
    """Two of each lane may wait for so long at any time: a slow machine must not be without work."""
    calm_s: float = 2.0
    """There are too many once somebody was waiting all the time for so long."""
    recovery_s: float = 3.0
    """There are not any more when none had to be refused for so long."""
    most_going_on: int = 8192
    """More are dropped; their senders repeat them."""
    most_new: int = 2048
    """In each lane; beyond it those that have waited longest are refused."""
    most_octets: int = 32 << 20
    """Of all that waits; more is dropped, whoever sent it."""
    refusals_a_second: float = 1500.0
    """More are dropped without an answer, so that refusing takes a tenth of the time or two."""


_Item = TypeVar("_Item")
_KEPT: Final = 2
_EACH_S: Final = 0.0005
_FASTEST_S: Final = 0.00005
_WEIGHT: Final = 0.2
"""Of the last turn, in what is known of how long a message takes."""
_REFUSALS_BURST_S: Final = 0.8
"""So long a burst of refusals may be ahead of their rate."""


@dataclass(slots=True)
class Served(Generic[_Item]):
    """One turn's work."""

    batch: list[_Item] = field(default_factory=list)
    """To be read, in this order."""
    refused: list[_Item] = field(default_factory=list)
    """To be answered with 503 unread."""


class _Line(Generic[_Item]):
    """New requests of one lane, the oldest first."""

    __slots__ = ("_settings", "are_too_many", "empty_at", "refused_at", "waiting")

    def __init__(self, settings: InflowSettings) -> None:
        self._settings = settings
        self.waiting: deque[tuple[float, _Item]] = deque()
        self.empty_at = float("-inf")
        """When nobody was waiting last."""
        self.are_too_many = False
        self.refused_at = 0.0

    def too_late(self, now: float, out: list[_Item]) -> None:
        """Take out those that have waited too long."""
        settings, waiting = self._settings, self.waiting
        if self.are_too_many:
            self.are_too_many = now - self.refused_at <= settings.recovery_s
            self.empty_at = now
        elif now - self.empty_at > settings.calm_s:
            self.are_too_many = True
            self.refused_at = now
        patience = settings.patience_s if self.are_too_many else settings.burst_s
        while waiting:
            count = len(waiting)
            most = patience if count > _KEPT else max(patience, settings.kept_s)
            if now - waiting[0][0] <= most and count <= settings.most_new:
                break
            out.append(waiting.popleft()[1])
            self.refused_at = now


class Inflow(Generic[_Item]):
    """The lanes of one server."""

    def __init__(
        self,
        settings: InflowSettings | None = None,
        *,
        size_of: Callable[[_Item], int] = lambda item: 0,
    ) -> None:
        """`size_of` says how many octets a message has."""
        self.settings = self._settings = settings or InflowSettings()
        self._size_of = size_of
        self.octets = 0
        """Of all that waits."""
        self._going_on: deque[_Item] = deque()
        self._lines = {
            lane: _Line[_Item](self._settings) for lane in Lane if lane is not Lane.GOING_ON
        }
        self._refusals_due = 0.0
        self._worst_s = 0.0
        self._each_s = _EACH_S
        """What one message costs, as the last turns showed."""
        self._turn = (0.0, 0)
        """Begin and size of the last turn."""
        self.refused = 0
        """Answered with 503 unread since the start."""
        self.dropped = 0
        """Dropped without an answer since the start."""

    def __len__(self) -> int:
        return len(self._going_on) + sum(len(line.waiting) for line in self._lines.values())

    @property
    def going_on(self) -> int:
        """Messages that wait and belong to something that is under way."""
        return len(self._going_on)

    @property
    def longest_line(self) -> int:
        """New requests that wait in the lane that has most."""
        return max(len(line.waiting) for line in self._lines.values())

    def put(self, lane: Lane, item: _Item, since: float, now: float) -> None:
        """Let a message wait that came no earlier than `since`."""
        size = self._size_of(item)
        is_full = len(self._going_on) >= self._settings.most_going_on and lane is Lane.GOING_ON
        if is_full or self.octets + size > self._settings.most_octets:
            self.dropped += 1
            return
        self.octets += size
        if lane is Lane.GOING_ON:
            self._going_on.append(item)
            return
        line = self._lines[lane]
        if not line.waiting:
            line.empty_at = now
        line.waiting.append((since, item))

    def take(self, now: float) -> Served[_Item]:
        """Say what to do in this turn."""
        fits = max(1, int(self._settings.turn_s / max(self._each_s, _FASTEST_S)))
        served: Served[_Item] = Served()
        for line in self._lines.values():
            if line.waiting:
                line.too_late(now, served.refused)
        if served.refused:
            self.octets -= sum(map(self._size_of, served.refused))
            self._ration(served, now)
        going_on, batch = self._going_on, served.batch
        most = min(fits, self._settings.going_on_a_turn)
        while going_on and len(batch) < most:
            batch.append(going_on.popleft())
        # What goes on can be forged: one place in each turn is not for it.
        new = 1 if going_on else min(max(1, fits - len(batch)), self._settings.new_a_turn)
        self._take_new(batch, new, now)
        self.octets -= sum(map(self._size_of, batch))
        self._turn = (now, len(batch))
        return served

    def done(self, now: float) -> None:
        """Learn from how long the turn took that `take` gave last."""
        began, count = self._turn
        if count:
            self._each_s += _WEIGHT * ((now - began) / count - self._each_s)

    def take_worst_s(self) -> float:
        """How long a new request that was served had waited at most, since this was asked last."""
        worst, self._worst_s = self._worst_s, 0.0
        return worst

    def _take_new(self, batch: list[_Item], left: int, now: float) -> None:
        """At most `left`, the lanes in their order; the known ones leave one place to those behind."""
        known = self._lines[Lane.KNOWN]
        others = any(line.waiting for line in self._lines.values() if line is not known)
        left -= self._serve(known, left - 1 if others and left > 1 else left, batch, now)
        for lane in (Lane.TRUSTED, Lane.STRANGERS):
            left -= self._serve(self._lines[lane], left, batch, now)
        self._serve(known, left, batch, now)

    def _serve(self, line: _Line[_Item], most: int, batch: list[_Item], now: float) -> int:
        waiting = line.waiting
        count = min(most, len(waiting))
        for _ in range(count):
            since, item = waiting.popleft()
            if now - since > self._worst_s:
                self._worst_s = now - since
            batch.append(item)
        return count

    def _ration(self, served: Served[_Item], now: float) -> None:
        """Refuse as many as there is time for; the others go unanswered."""
        gap = 1.0 / self._settings.refusals_a_second
        due = max(self._refusals_due, now)
        room = max(0, int((now + _REFUSALS_BURST_S - due) / gap))
        self.dropped += max(0, len(served.refused) - room)
        del served.refused[room:]
        self.refused += len(served.refused)
        self._refusals_due = due + gap * len(served.refused)
