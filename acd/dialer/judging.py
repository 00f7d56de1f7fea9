"""Listens to who answered, and to what comes before the answer; `acd.dialer.answers` decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from acd.dialer.answers.judge import Judge
from acd.dialer.answers.message_start import Cue, MessageStart
from acd.dialer.answers.verdict import FOR_AGENTS, AnswerKind, Verdict
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import UNANSWERED, AttemptInput, AttemptState
from acd.dialer.course import Course
from acd.dialer.model import AttemptId, Outcome
from acd.dialer.settings import AnswerRules
from switch.calls.events import SoundHeard
from switch.calls.ports import CallControl
from switch.clock import Clock

_OUTCOMES: Final = {
    AnswerKind.MACHINE: Outcome.MACHINE,
    AnswerKind.FAX: Outcome.FAX,
    AnswerKind.BUSY: Outcome.BUSY,
    AnswerKind.CONGESTION: Outcome.CONGESTED,
    AnswerKind.NO_SERVICE: Outcome.INVALID_NUMBER,
}


class Judging:
    """The judges of all legs that are listened to."""

    def __init__(
        self,
        *,
        course: Course,
        control: CallControl,
        clock: Clock,
        on_person: Callable[[LiveAttempt, float], None],
        leave_message: Callable[[LiveAttempt], None],
    ) -> None:
        """`on_person`: it is a person, or may be one, who has waited so long; `leave_message` begins ours."""
        self._course = course
        self._control = control
        self._clock = clock
        self._on_person = on_person
        self._leave_message = leave_message
        self._judges: dict[AttemptId, Judge] = {}
        self._starts: dict[AttemptId, MessageStart] = {}
        self._beeped: set[AttemptId] = set()
        """Machines that were told by their beep."""

    def wants(self, attempt: LiveAttempt) -> bool:
        """Whether its answer is to be judged; whose agent hears it already needs no judge."""
        return not attempt.agent_first and self._rules(attempt).classify

    def _rules(self, attempt: LiveAttempt) -> AnswerRules:
        return self._course.run_of(attempt).settings.answers

    # --- listening ------------------------------------------------------------------------------

    def sounds(self, attempt: LiveAttempt) -> None:
        """The network sends sound before the answer."""
        if self.wants(attempt) and self._rules(attempt).early_media:
            self._judge(attempt)

    def judge(self, attempt: LiveAttempt) -> None:
        """Somebody, or something, has answered."""
        judge = self._judge(attempt)
        judge.answered(self._clock.now())
        self._look(attempt, judge)

    def _judge(self, attempt: LiveAttempt) -> Judge:
        judge = self._judges.get(attempt.id)
        if judge is None:
            judge = self._judges[attempt.id] = Judge(self._rules(attempt))
            if attempt.leg is not None:
                self._control.watch_sound(attempt.leg, True)
        return judge

    def heard(self, event: SoundHeard) -> None:
        """The gateway tells what a leg sounds like."""
        attempt = self._course.of_leg(event.leg)
        if attempt is None:
            return
        judge, start = self._judges.get(attempt.id), self._starts.get(attempt.id)
        if judge is not None:
            judge.heard(event.sound, event.at)
            self._look(attempt, judge)
        elif start is not None:
            start.heard(event.sound, event.at)
            self._look_for_beep(attempt, start)

    def _look(self, attempt: LiveAttempt, judge: Judge) -> None:
        """See whether there is a verdict, and come back when there may be one."""
        verdict = judge.decide(self._clock.now())
        if verdict is not None:
            del self._judges[attempt.id]
            self._say(attempt, verdict)
            return
        due = judge.due()
        if due is not None and attempt.state is AttemptState.JUDGING:
            attempt.stop_timer()
            attempt.timer = self._clock.call_at(due, lambda: self._look(attempt, judge))

    # --- the verdict ----------------------------------------------------------------------------

    def _say(self, attempt: LiveAttempt, verdict: Verdict) -> None:
        attempt.judged = verdict.record
        if attempt.state is not AttemptState.JUDGING and attempt.state not in UNANSWERED:
            return
        is_machine = verdict.kind is AnswerKind.MACHINE
        if is_machine:
            # Counted against us as far as it may have been a person after all, who had no agent.
            attempt.doubt = 1.0 - verdict.probability
            self._course.run_of(attempt).ledger.doubt(self._clock.wall(), attempt.doubt)
        if is_machine and self._rules(attempt).message:
            if verdict.is_beeped:
                self._beeped.add(attempt.id)
            self._course.needs_nobody(attempt)
            self._course.feed(attempt, AttemptInput.MACHINE_TO_TELL)
            return
        if attempt.leg is not None:
            self._control.watch_sound(attempt.leg, False)
        if verdict.kind in FOR_AGENTS:
            self._on_person(attempt, verdict.paused_ms / 1000)
            return
        attempt.outcome, attempt.reason = _OUTCOMES[verdict.kind], verdict.why
        self._course.feed(attempt, AttemptInput.MACHINE)

    # --- a message for the machine --------------------------------------------------------------

    def wait_for_beep(self, attempt: LiveAttempt) -> None:
        """Listen on, until the machine records."""
        is_beeped = attempt.id in self._beeped
        self._beeped.discard(attempt.id)
        start = MessageStart(self._rules(attempt), self._clock.now(), is_beeped=is_beeped)
        self._starts[attempt.id] = start
        self._look_for_beep(attempt, start)

    def _look_for_beep(self, attempt: LiveAttempt, start: MessageStart) -> None:
        now = self._clock.now()
        cue = start.decide(now)
        attempt.stop_timer()
        if cue is None:
            attempt.timer = self._clock.call_at(
                max(now, start.due()), lambda: self._look_for_beep(attempt, start)
            )
            return
        del self._starts[attempt.id]
        if attempt.leg is not None:
            self._control.watch_sound(attempt.leg, False)
        if cue is Cue.TOO_LATE:
            attempt.outcome, attempt.reason = Outcome.MACHINE, "no-beep"
            self._course.feed(attempt, AttemptInput.MESSAGE_OVER)
        else:
            self._leave_message(attempt)

    def forget(self, attempt: LiveAttempt) -> None:
        """The attempt is over."""
        self._judges.pop(attempt.id, None)
        self._starts.pop(attempt.id, None)
