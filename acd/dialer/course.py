"""Moves attempts by the table of `acd.dialer.attempt_state`, and settles those that are over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import structs

from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput, AttemptState, Effect, find_step
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.model import Attempt, AttemptId, CampaignName, Outcome
from acd.dialer.outcomes import of_end
from acd.model import ContactId
from switch.calls.causes import EndCause
from switch.calls.events import LegEnded
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

RECENT_S: Final = 3600.0
"""A talk is known so long after it, for what its agent chooses; later the store is asked for it."""

_OF_INPUT: Final = {
    AttemptInput.AGENT_GONE: Outcome.AGENT_GONE,
    AttemptInput.CANCEL: Outcome.CANCELLED,
    AttemptInput.OPTED_OUT: Outcome.OPTED_OUT,
    AttemptInput.MACHINE: Outcome.MACHINE,
}
_OF_MESSAGE: Final = {
    AttemptState.REGRETTING: Outcome.ABANDONED,
    AttemptState.LEAVING_MESSAGE: Outcome.MESSAGE_LEFT,
}


class Course:
    """All attempts that are under way. `effects` does what the table says; filled in by `Dialer`."""

    def __init__(self, runs: Mapping[CampaignName, CampaignRun], clock: Clock) -> None:
        self._runs = runs
        self._clock = clock
        self.effects: dict[Effect, Callable[[LiveAttempt], None]] = {Effect.SETTLE: self._settle}
        self.live: dict[AttemptId, LiveAttempt] = {}
        self._by_leg: dict[LegId, LiveAttempt] = {}
        self._recent: dict[AttemptId, tuple[float, Attempt]] = {}
        """Talks that are over, the oldest first, and since when they are known."""
        self.on_attempt: Callable[[Attempt], None] = lambda attempt: None
        self.on_change: Callable[[AttemptId], None] = lambda attempt: None
        self.on_over: Callable[[LiveAttempt, Attempt], None] = lambda attempt, result: None

    # --- which ----------------------------------------------------------------------------------

    def begin(self, attempt: LiveAttempt) -> None:
        """An attempt is under way."""
        self.live[attempt.id] = attempt
        self._runs[attempt.campaign].attempts[attempt.id] = attempt
        self.on_change(attempt.id)

    def bind(self, leg: LegId, attempt: LiveAttempt) -> None:
        """The leg is the customer's."""
        if attempt.leg is not None:
            self._by_leg.pop(attempt.leg, None)
        attempt.leg = leg
        self._by_leg[leg] = attempt

    def of_leg(self, leg: LegId) -> LiveAttempt | None:
        """The attempt that a customer's leg belongs to."""
        return self._by_leg.get(leg)

    def of_contact(self, contact: ContactId) -> LiveAttempt | None:
        """The attempt that became a contact."""
        return self.live.get(AttemptId(contact))

    def run_of(self, attempt: LiveAttempt) -> CampaignRun:
        """Its campaign."""
        return self._runs[attempt.campaign]

    # --- moving ---------------------------------------------------------------------------------

    def feed(self, attempt: LiveAttempt, what: AttemptInput) -> bool:
        """Apply the table: the only place where an attempt's state changes. False: too late."""
        was = attempt.state
        step = None if was is None else find_step(was, what)
        if was is None or step is None:
            return False
        log.debug("attempt %s: %s -> %s (%s)", attempt.id, was, step.to, what)
        attempt.stop_timer()
        if step.to is None and attempt.outcome is None:
            attempt.outcome = _OF_INPUT.get(what) or _OF_MESSAGE.get(was)
        attempt.state = step.to
        attempt.since = self._clock.now()
        for effect in step.effects:
            self.effects[effect](attempt)
        self.on_change(attempt.id)
        return True

    def tell(self, attempt: LiveAttempt, what: AttemptInput) -> None:
        """The same, for timers."""
        self.feed(attempt, what)

    def ended(self, attempt: LiveAttempt, event: LegEnded) -> None:
        """The customer's leg is gone."""
        self.lost(attempt, event.cause, by_peer=event.by_peer)

    def lost(self, attempt: LiveAttempt, cause: EndCause, *, by_peer: bool) -> None:
        """The customer is gone, for that reason."""
        if attempt.state is None:
            return
        if attempt.outcome is None:
            attempt.outcome = of_end(attempt.state, cause, by_peer=by_peer)
        attempt.status = attempt.status or cause.status
        attempt.reason = attempt.reason or cause.reason
        self.feed(attempt, AttemptInput.GONE)

    # --- what is kept ---------------------------------------------------------------------------

    def connected(self, attempt: LiveAttempt) -> None:
        """An agent talks to the person: told at once, since a talk may outlast the claim of a record."""
        now = self._clock.now()
        attempt.connected_at = now
        self.count(attempt, Outcome.CONNECTED)
        told = attempt.attempt(Outcome.CONNECTED, now, self._wall)
        self.on_attempt(structs.replace(told, goes_on=True))

    def count(self, attempt: LiveAttempt, outcome: Outcome) -> None:
        """Count somebody who answered as the law does: once, as soon as it is known."""
        if attempt.counted is None:
            attempt.counted = outcome
            self.run_of(attempt).ledger.count(self._clock.wall(), outcome)

    def needs_nobody(self, attempt: LiveAttempt) -> None:
        """Let the pacer know that this dial brings no person, if it still expects one."""
        if attempt.is_paced:
            attempt.is_paced = False
            began = attempt.began if attempt.dialled_at is None else attempt.dialled_at
            self.run_of(attempt).pacer.ended(self._clock.now(), began, attempt.answered_at)

    def _settle(self, attempt: LiveAttempt) -> None:
        now = self._clock.now()
        outcome = attempt.outcome or Outcome.CANCELLED
        run = self.run_of(attempt)
        if attempt.leg is not None:
            self._by_leg.pop(attempt.leg, None)
        del self.live[attempt.id]
        del run.attempts[attempt.id]
        self.needs_nobody(attempt)
        self.count(attempt, outcome)
        run.figures.ended(outcome, attempt.caller_id, was_dialled=attempt.dialled_at is not None)
        result = attempt.attempt(outcome, now, self._wall)
        if attempt.connected_at is not None:
            self._remember(result)
        self.on_attempt(result)
        self.on_over(attempt, result)

    def dispose(
        self, name: AttemptId, disposition: str, call_back_at: float | None, *, mine: bool
    ) -> bool:
        """Note what the agent chose, now or after the talk; what is empty stays as it was."""
        attempt = self.live.get(name)
        if attempt is not None:
            before, attempt.disposition = attempt.disposition, disposition or attempt.disposition
            if call_back_at is not None:
                attempt.call_back_at, attempt.call_back_mine = call_back_at, mine
            if attempt.connected_at is not None:
                talked_at = self._wall(attempt.connected_at)
                self._report(attempt.campaign, talked_at, before, attempt.disposition)
            self.on_change(name)
            return True
        kept = self.recent(name)
        if kept is None:
            return False
        chosen = kept.chosen(disposition, call_back_at, mine=mine)
        self._remember(chosen)
        if kept.connected_at is not None:
            self._report(kept.campaign, kept.connected_at, kept.disposition, chosen.disposition)
        self.on_attempt(chosen)
        return True

    def recall(self, attempt: Attempt) -> None:
        """Know an attempt again that is over and that the store has: its disposition comes now."""
        if attempt.id not in self.live:
            self._remember(self.recent(attempt.id) or attempt)

    def _remember(self, attempt: Attempt) -> None:
        now = self._clock.now()
        self._recent.pop(attempt.id, None)
        # What was heard and judged is kilobytes, and was told when the talk was over.
        self._recent[attempt.id] = now, structs.replace(attempt, judged="")
        while now - next(iter(self._recent.values()))[0] > RECENT_S:
            del self._recent[next(iter(self._recent))]

    def _report(self, name: CampaignName, talked_at: float, before: str, now: str) -> None:
        """Take machines that agents talked to out of the live answers: once, and back again."""
        run = self._runs.get(name)
        if run is None:
            return
        machines = run.settings.machine_dispositions
        if (now in machines) is not (before in machines):
            run.ledger.reported(talked_at, is_machine=now in machines)

    def recent(self, name: AttemptId) -> Attempt | None:
        """A talk that is over, while its disposition may come or be changed."""
        found = self._recent.get(name)
        return None if found is None else found[1]

    def _wall(self, at: float) -> float:
        return self._clock.wall() - (self._clock.now() - at)
