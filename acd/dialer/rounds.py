"""One round a second, and when an agent becomes free: who dials for whom, and how many.

agents --split--> each campaign's share --pacer--> dials, spread over the second
'--preview--> a record for each free agent
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import structs

from acd.dialer.attempt import LiveAttempt
from acd.dialer.campaign_run import CampaignRun, seconds_of_day
from acd.dialer.course import Course
from acd.dialer.dialling import Dialling
from acd.dialer.limits import Limits
from acd.dialer.model import CampaignName, Mode
from acd.dialer.pacing.model import Decision
from acd.dialer.reserving import Reserving
from acd.dialer.shares import Shares
from acd.model import AgentId
from switch.clock import Clock, TimerHandle

ROUND_S: Final = 1.0
LEAST_S: Final = 0.05
_LATE_S: Final = 0.1
"""So late a timer may be without making dials fewer."""


class Rounds:
    """Decides for all campaigns together."""

    def __init__(
        self,
        *,
        runs: Mapping[CampaignName, CampaignRun],
        course: Course,
        dialling: Dialling,
        reserving: Reserving,
        limits: Limits,
        shares: Shares,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._course = course
        self._dialling = dialling
        self._reserving = reserving
        self._limits = limits
        self._shares = shares
        self._clock = clock
        self._round: TimerHandle | None = None
        self._pump: TimerHandle | None = None
        self._pump_at = 0.0
        self._last = -LEAST_S
        self.before: Callable[[], None] = lambda: None
        """Done at the beginning of each round."""
        self.on_decision: Callable[[CampaignRun, Decision], None] = lambda run, decision: None

    # --- when -----------------------------------------------------------------------------------

    def soon(self) -> None:
        """Decide at the end of what is going on now; so often at most that nothing can spin."""
        self._set(max(self._clock.now(), self._last + LEAST_S))

    def stop(self) -> None:
        """No more rounds."""
        for timer in (self._round, self._pump):
            if timer is not None:
                timer.cancel()
        self._round = self._pump = None

    def _set(self, when: float) -> None:
        if self._round is not None:
            self._round.cancel()
        self._round = self._clock.call_at(when, self._turn)

    def _turn(self) -> None:
        self._round = None
        self._last = self._clock.now()
        if any(run.is_running for run in self._runs.values()):
            self._set(self._last + ROUND_S)  # first: whatever goes wrong now, there is a next one
        self.before()
        self.decide()

    # --- agents ---------------------------------------------------------------------------------

    def decide(self) -> None:
        """Decide for every campaign that runs."""
        able = [run for run in self._runs.values() if run.is_running and not self._limits.halt(run)]
        free = self._shares.share(able)
        for run in able:
            mine = free.get(run.name, ())
            if run.settings.mode is Mode.PREVIEW:
                self._preview(run, mine)
            elif run.settings.mode is Mode.ANNOUNCEMENT:
                run.due = self._limits.room(run)
                self._dial_due(run)
            elif run.is_paced:
                self._pace(run, mine)

    # --- dials ----------------------------------------------------------------------------------

    def _pace(self, run: CampaignRun, free: Sequence[AgentId]) -> None:
        if self._is_broken(run):
            # One dial for each free agent may abandon, too, when agents do not pick up. Whose agent is on
            # the line before the dial is never abandoned.
            run.due = 0
            # Those who ring from before may answer: as many agents stay free for them.
            self._reserve(run, free[run.on_their_own() :], only_special=False)
            return
        reserved = 0
        if run.has_special():
            reserved = self._reserve(run, free, only_special=True)
        decision = self._ask_pacer(run, reserved, clicks=0)
        run.due = decision.dials
        self._dial_due(run)

    def _is_broken(self, run: CampaignRun) -> bool:
        return run.ledger.enforced(self._clock.wall(), run.settings.cap).is_broken

    def _ask_pacer(self, run: CampaignRun, reserved: int, *, clicks: int) -> Decision:
        floor, wall = run.floor, self._clock.wall()
        if reserved:
            floor = structs.replace(floor, free=max(0, floor.free - reserved))
        settings = run.settings
        decision = run.pacer.decide(
            self._clock.now(),
            seconds_of_day(wall),
            floor,
            allowance=run.ledger.enforced(wall, settings.cap).allowance,
            cap=settings.cap.percent / 100.0,
            patience_s=settings.cap.patience_s,
            is_predictive=settings.mode is Mode.PREDICTIVE,
            limits=self._limits.limits(run, clicks=clicks),
        )
        run.decision = decision
        self.on_decision(run, decision)
        return decision

    def click(self, run: CampaignRun, by: str) -> LiveAttempt | None:
        """Dial one record for a person's click; None where that cannot be now.

        With the cap broken each agent is called before its customer, so that no click dials.
        """
        if self._limits.halt(run):
            return None
        able = [each for each in self._runs.values() if each.is_running]
        self._shares.share(able)
        if run.is_paced and self._is_broken(run):
            return None
        if run.is_paced:
            decision = self._ask_pacer(run, 0, clicks=1)
            if decision.dials < 1:
                return None
        elif self._limits.room(run, clicks=1) < 1:
            return None
        attempt = self._dial_next(run)
        if attempt is not None:
            attempt.clicked_by, attempt.clicked_at = by, self._clock.now()
            self._course.on_change(attempt.id)
        return attempt

    def _preview(self, run: CampaignRun, free: Sequence[AgentId]) -> None:
        self._reserve(run, free, only_special=False)

    def _reserve(self, run: CampaignRun, free: Sequence[AgentId], *, only_special: bool) -> int:
        """A record for each free agent who can see it, as far as there are any; returns for how many."""
        count = 0
        for agent in free:
            if not self._reserving.can_show(run, agent):
                continue
            if not self._limits.may_reserve(run):
                break
            has_way = self._dialling.has_way(run)
            candidate = run.next_for(agent, has_way, only_special=only_special)
            if candidate is None:
                continue
            self._reserving.reserve(run, candidate, agent)
            count += 1
        return count

    def _dial_due(self, run: CampaignRun) -> None:
        """Make the dials that are due, no faster than the campaign may."""
        per_s = run.settings.limits.calls_per_s
        now = self._clock.now()
        while run.due > 0:
            if per_s > 0 and now < run.next_dial_at:
                self._pump_soon(run.next_dial_at)
                return
            if self._dial_next(run) is None:
                run.due = 0
                return
            run.due -= 1
            if per_s > 0:
                run.next_dial_at = max(run.next_dial_at, now - _LATE_S) + 1.0 / per_s

    def _dial_next(self, run: CampaignRun) -> LiveAttempt | None:
        candidate = run.next_for_anyone(self._dialling.has_way(run))
        if candidate is None:
            return None
        attempt = self._dialling.make(run, candidate)
        attempt.decision = 0 if run.decision is None else run.decision.number
        self._course.begin(attempt)
        self._dialling.dial(attempt)
        return attempt

    def _pump_soon(self, when: float) -> None:
        if self._pump is not None:
            if self._pump_at <= when:
                return
            self._pump.cancel()
        self._pump_at = when
        self._pump = self._clock.call_at(when, self._pump_fired)

    def _pump_fired(self) -> None:
        self._pump = None
        for run in self._runs.values():
            if run.due > 0 and run.is_running and not self._limits.halt(run):
                self._dial_due(run)
