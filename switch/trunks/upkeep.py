"""What goes on around trunks without any call: registrations and OPTIONS, behind one timer."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.clock import Clock, TimerHandle
from switch.sip.events import OutOfDialogRequest, RequestAnswered
from switch.trunks.probes import Probes
from switch.trunks.registrations import Registrations

log = logging.getLogger(__name__)


class Upkeep:
    """Keeps one timer of the clock for both; `flush` asks for what is queued to be sent."""

    def __init__(
        self,
        registrations: Registrations,
        probes: Probes,
        *,
        clock: Clock,
        flush: Callable[[], None],
    ) -> None:
        self.registrations = registrations
        self.probes = probes
        self._clock = clock
        self._flush = flush
        self._timer: TimerHandle | None = None
        self._timer_at: float | None = None
        self._is_over = False

    def start(self) -> None:
        """Begin to register and to ask."""
        now = self._clock.now()
        self.registrations.start(now)
        self.probes.start(now)
        self._watch()

    def leave(self) -> None:
        """The server stops taking calls: carriers are told, and asked nothing any more."""
        if self._is_over:
            return
        self._is_over = True
        now = self._clock.now()
        _guarded(self.probes.stop)
        _guarded(lambda: self.registrations.leave(now))
        self._watch()
        self._flush()

    def request(self, event: OutOfDialogRequest, now: float) -> bool:
        """No request of a peer is theirs."""
        return False

    def answered(self, event: RequestAnswered, now: float) -> bool:
        """Take the answer to one of their requests; False: it belongs to somebody else."""
        taken = self.registrations.take(event, now) or self.probes.take(event, now)
        if taken:
            self._watch()
        return taken

    def _watch(self) -> None:
        due = [self.registrations.get_timer(), self.probes.get_timer()]
        when = min((each for each in due if each is not None), default=None)
        if when == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = None if when is None else self._clock.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = self._timer_at = None
        now = self._clock.now()
        _guarded(lambda: self.registrations.handle_timer(now))
        _guarded(lambda: self.probes.handle_timer(now))
        self._watch()
        self._flush()


def _guarded(step: Callable[[], None]) -> None:
    """One trunk's fault stops neither the other trunks nor the timer, nor the server's way down."""
    try:
        step()
    except Exception:
        log.exception("a registration or an OPTIONS of a trunk failed")
