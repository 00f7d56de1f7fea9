"""One turn of the calls: something came in, the cores decided, the events go up, all is flushed.

Two rules hold here and nowhere else.

- An event never comes back into the command that caused it. Commands put events into the outbox;
  it is emptied at the end of the turn, or in the next one when a command came from outside.
- The call boundary: an exception while one leg is handled, here or above, ends that leg's call,
  is logged, and disturbs nobody else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TypeVarTuple

from switch.calls.events import CallEvent
from switch.clock import Clock, TimerHandle
from switch.ids import CallId, LegId

log = logging.getLogger(__name__)

_Args = TypeVarTuple("_Args")
Subject = LegId | CallId | None
"""Whose fault it is when the work fails; None: nobody's call."""


class Turn:
    """The outbox, the boundary and the timers of the calls."""

    def __init__(
        self,
        *,
        clock: Clock,
        deliver: Callable[[CallEvent], None],
        next_input: Callable[[], bool],
        abandon: Callable[[Subject], None],
        flush: Callable[[], None],
    ) -> None:
        """Take what a turn consists of.

        `next_input` handles one waiting session event and tells whether there was one; `abandon`
        ends the call of a subject whatever state it is in, and does not raise; `flush` asks the
        shell for a turn of its own soon, in which it calls `finish` and sends what is queued.
        """
        self._clock = clock
        self._deliver = deliver
        self._next_input = next_input
        self._abandon = abandon
        self._flush = flush
        self._outbox: deque[CallEvent] = deque()
        self._is_running = False
        self.faults = 0
        """Exceptions caught at the call boundary since the start."""

    def emit(self, event: CallEvent) -> None:
        """Put an event into the outbox."""
        self._outbox.append(event)

    def guard(self, subject: Subject, work: Callable[[*_Args], None], *args: *_Args) -> None:
        """Do the work of one leg; should it fail, end its call alone."""
        try:
            work(*args)
        except Exception:  # the call boundary
            self.faults += 1
            log.exception("fault while handling %s: its call is ended", subject or "no call")
            self._abandon(subject)

    def call_at(self, when: float, subject: Subject, work: Callable[[], None]) -> TimerHandle:
        """Set a timer whose work is a guarded turn of its own."""

        def fire() -> None:
            self.guard(subject, work)
            self.finish()

        return self._clock.call_at(when, fire)

    def wake(self) -> None:
        """After a command: let the turn that runs see to the rest, or ask for one."""
        if not self._is_running:
            self._flush()

    def finish(self) -> None:
        """Deliver all events and take all inputs that wait, then flush. Nested calls do nothing."""
        if self._is_running:
            return
        self._is_running = True
        try:
            while True:
                if self._outbox:
                    self._deliver_next()
                elif not self._next_input():
                    break
        finally:
            self._is_running = False
        self._flush()

    def _deliver_next(self) -> None:
        event = self._outbox.popleft()
        subject: Subject = getattr(event, "call", None) or getattr(event, "leg", None)
        self.guard(subject, self._deliver, event)
