"""The campaigns that are loaded: their settings and states, and the records that are brought for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import WITH_AGENT_FIRST, AttemptInput
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.campaign_state import CampaignInput, find_step
from acd.dialer.course import Course
from acd.dialer.errors import BadCampaignError, NotThatStateError, UnknownCampaignError
from acd.dialer.events import CampaignMoved, DialerEvent
from acd.dialer.figures import Figures
from acd.dialer.legal import Counts, Ledger
from acd.dialer.limits import Limits
from acd.dialer.model import NO_WAY, CampaignName, CampaignState, Candidate, Mode, Outcome
from acd.dialer.ports import Callers, DialRoutes
from acd.dialer.rounds import Rounds
from acd.dialer.settings import CampaignSettings, moment
from acd.distribution import Distribution
from acd.errors import UnknownQueueError
from acd.ports import NoRoute
from switch.clock import Clock

log = logging.getLogger(__name__)

MOST_WANTED: Final = 500
KEEP_EVERY_S: Final = 60.0
"""What pacers have learned is kept so often."""


class Campaigns:
    """Carries out what people want of campaigns."""

    def __init__(
        self,
        *,
        runs: dict[CampaignName, CampaignRun],
        course: Course,
        rounds: Rounds,
        limits: Limits,
        callers: Callers,
        routes: DialRoutes,
        distribution: Distribution,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._course = course
        self._rounds = rounds
        self._limits = limits
        self._callers = callers
        self._routes = routes
        self._distribution = distribution
        self._clock = clock
        self.on_release: Callable[[CampaignName, Sequence[Candidate], str], None] = (
            lambda name, candidates, reason: None
        )
        self.on_event: Callable[[DialerEvent], None] = lambda event: None
        self.on_run_change: Callable[[CampaignName], None] = lambda name: None
        """Told of campaigns of which other things are to be kept over a restart."""
        self._kept_at = clock.now()

    def run(self, name: CampaignName) -> CampaignRun:
        """Raises UnknownCampaignError."""
        try:
            return self._runs[name]
        except KeyError:
            raise UnknownCampaignError(name) from None

    # --- what people want -----------------------------------------------------------------------

    def load(
        self,
        settings: CampaignSettings,
        *,
        state: CampaignState = CampaignState.DRAFT,
        totals: Mapping[Outcome, int] | None = None,
        today: Mapping[Outcome, int] | None = None,
        history: Sequence[tuple[float, Counts]] = (),
        learned: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a campaign, or change the settings of one that is here, also while it runs.

        `history` is what the law counts of the last 30 days: sums, with an hour (since 1970) of each. It has
        nothing of what is under way, nor have the other counts.
        A campaign whose `state` is running dials as soon as it has candidates. All but the settings
        counts for a campaign that is new here alone.

        Raises:
            BadCampaignError: no such queue, trunk or flow, or a moment that cannot be read.
        """
        self._check(settings)
        run = self._runs.get(settings.name)
        if run is not None and not run.is_restored:
            run.settings = settings
            self._moved(run, "changed")
            return
        if run is None:
            run = self._runs[settings.name] = CampaignRun(settings, state, self._clock.now())
        if run.is_restored:
            run.settings, run.state = settings, state
            run.is_restored = run.is_leaving = False
            run.figures = Figures()
            run.ledger = Ledger()
            for attempt in run.attempts.values():
                self._count_again(run, attempt)
        run.figures.load(today or {}, totals or {})
        run.pacer.restore(learned or {})
        for at, counts in history:
            run.ledger.add(at, counts)
        self._moved(run, "loaded")

    def _count_again(self, run: CampaignRun, attempt: LiveAttempt) -> None:
        """What the law counts of somebody on the line: `history` has attempts that are over."""
        wall = self._clock.wall()
        if attempt.counted is not None:
            run.ledger.count(wall, attempt.counted)
        if attempt.doubt:
            run.ledger.doubt(wall, attempt.doubt)
        is_machine = attempt.disposition in run.settings.machine_dispositions
        if attempt.connected_at is not None and is_machine:
            run.ledger.reported(wall)

    def misjudged(
        self, name: CampaignName, answered_at: float, was: Outcome, doubt: float, *, today: bool
    ) -> None:
        """Count a person who was taken for a machine as abandoned.

        The attempt had ended as `was`, of `today` or before, and `doubt` of it was counted already.
        `answered_at` is since 1970. Raises UnknownCampaignError.
        """
        run = self.run(name)
        run.ledger.misjudged(answered_at, doubt)
        run.figures.misjudged(was, today=today)
        self._rounds.soon()

    def unload(self, name: CampaignName) -> None:
        """Forget a campaign; what is not answered is cancelled, and it goes with its last talk."""
        run = self.run(name)
        run.state = CampaignState.FINISHED
        run.is_leaving = run.is_restored = True
        self.release(run, run.take_all(), "unloaded")
        self._cancel_all(run)
        self.drop(run)

    def drop(self, run: CampaignRun) -> None:
        """Forget a campaign that is to go, once nothing of it is under way."""
        if run.is_leaving and not run.attempts:
            self._runs.pop(run.name, None)
            self.on_run_change(run.name)

    def step(self, name: CampaignName, what: CampaignInput, by: str) -> None:
        """Move it by the table. Raises NotThatStateError, UnknownCampaignError."""
        run = self.run(name)
        to = find_step(run.state, what)
        if to is None:
            raise NotThatStateError(name, run.state, what.value)
        log.info("campaign %s: %s -> %s (%s)", name, run.state, to, by)
        run.state, run.since, run.reason = to, self._clock.now(), by
        if to is not CampaignState.RUNNING:
            run.due = 0
            self.release(run, run.take_all(), to.value)
            self._give_back_unread(run, to.value)
        self._moved(run, by)

    def _give_back_unread(self, run: CampaignRun, reason: str) -> None:
        """Records that agents only look at go back; who dials already goes on."""
        for attempt in tuple(run.attempts.values()):
            if attempt.state in WITH_AGENT_FIRST:
                attempt.reason = reason
                self._course.feed(attempt, AttemptInput.AGENT_GONE)

    def _moved(self, run: CampaignRun, reason: str) -> None:
        now = self._clock.now()
        self.on_run_change(run.name)
        self.on_event(CampaignMoved(campaign=run.name, at=now, state=run.state, reason=reason))
        self._rounds.soon()

    def _check(self, settings: CampaignSettings) -> None:
        name = settings.name
        try:
            self._distribution.members(settings.queue)
        except UnknownQueueError as error:
            if settings.mode is not Mode.ANNOUNCEMENT or settings.queue:
                raise BadCampaignError(name, "queue", str(error)) from None
        if settings.trunk and self._routes.why_not(settings.trunk) == "unknown":
            raise BadCampaignError(name, "trunk", f"there is no trunk or group {settings.trunk!r}")
        if settings.mode is Mode.ANNOUNCEMENT and not self._callers.has_flow(settings.flow):
            raise BadCampaignError(name, "flow", f"there is no flow {settings.flow!r}")
        for field in ("begins", "ends"):
            try:
                moment(getattr(settings, field))
            except ValueError as error:
                raise BadCampaignError(name, field, str(error)) from None

    # --- records --------------------------------------------------------------------------------

    def wanted(self, name: CampaignName) -> int:
        """How many more candidates it would like to have at hand now."""
        run = self.run(name)
        if self._limits.halt(run):
            return 0
        settings = run.settings
        per_s = settings.limits.calls_per_s or 50.0
        if settings.mode is Mode.ANNOUNCEMENT:
            most = 5.0 * per_s
        else:
            agents = self._distribution.members(settings.queue)
            most = min(5.0 * per_s, 4.0 * len(agents)) + 5.0
        return max(0, min(round(most), MOST_WANTED) - len(run.supply))

    def supply(self, name: CampaignName, candidates: Sequence[Candidate]) -> None:
        """Bring candidates, best first. An empty sequence says: the list has none now."""
        run = self.run(name)
        if not run.is_running:
            self.release(run, candidates, run.state.value)
            return
        rest = self._with_way(run, candidates)
        self.release(run, run.bring(rest, self._clock.now()), "too-many")
        if rest:
            self._rounds.soon()

    def _with_way(self, run: CampaignRun, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that some way leads to: others give back their place to who comes behind them."""
        rest: list[Candidate] = []
        without: dict[str, list[Candidate]] = {}
        for each in candidates:
            reason = self._no_way(run, each)
            (without.setdefault(reason, []) if reason else rest).append(each)
        if without and not rest and not run.supply:
            rest.append(
                next(iter(without.values())).pop(0)
            )  # so that it can be seen what ails them
        for reason, found in without.items():
            self.release(run, found, reason)
        return rest

    def _no_way(self, run: CampaignRun, candidate: Candidate) -> str:
        to = self._routes.customer(run.settings.trunk, candidate.number)
        return to.reason if isinstance(to, NoRoute) and to.reason in NO_WAY else ""

    def release(self, run: CampaignRun, candidates: Sequence[Candidate], reason: str) -> None:
        """Give records back that are not dialled after all."""
        if candidates:
            self.on_release(run.name, candidates, reason)

    # --- by itself ------------------------------------------------------------------------------

    def tidy(self) -> None:
        """At the beginning of a round: what is over, and what lay too long."""
        now, wall = self._clock.now(), self._clock.wall()
        if now - self._kept_at >= KEEP_EVERY_S:
            self._kept_at = now
            for name in self._runs:
                self.on_run_change(name)
        for run in tuple(self._runs.values()):
            for each in run.take_stale(now):
                self.release(run, [each], self._no_way(run, each) or "stale")
            if not run.is_running:
                continue
            ends = moment(run.settings.ends)
            if ends is not None and wall >= ends:
                self.step(run.name, CampaignInput.FINISH, "end-date")

    def close(self) -> None:
        """The server is stopping: nobody is called any more, unanswered dials are cancelled."""
        self._limits.is_closed = True
        for run in self._runs.values():
            run.due = 0
            self.release(run, run.take_all(), "stopping")
            self._cancel_all(run)

    def _cancel_all(self, run: CampaignRun) -> None:
        for attempt in tuple(run.attempts.values()):
            attempt.reason = attempt.reason or "stopping"
            self._course.feed(attempt, AttemptInput.CANCEL)
