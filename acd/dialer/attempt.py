"""One attempt that is under way. Changed by `acd.dialer.attempts` and the parts that it asks."""

from __future__ import annotations

from collections.abc import Callable

from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import Attempt, AttemptId, CampaignName, Candidate, Mode, Outcome
from acd.dialer.views import AttemptView
from acd.model import AgentId, ContactId
from switch.clock import TimerHandle
from switch.ids import CallId, LegId, PlayerId


class LiveAttempt:
    """Its facts. Moments are monotonic seconds."""

    __slots__ = (
        "agent",
        "agent_first",
        "answered_at",
        "began",
        "call",
        "call_back_at",
        "call_back_mine",
        "caller_id",
        "campaign",
        "candidate",
        "clicked_at",
        "clicked_by",
        "connected_at",
        "counted",
        "decision",
        "dialled_at",
        "disposition",
        "doubt",
        "id",
        "is_paced",
        "judged",
        "leg",
        "message_began_at",
        "mode",
        "needed_at",
        "outcome",
        "player",
        "rang_at",
        "reads_until",
        "reason",
        "since",
        "state",
        "status",
        "timer",
        "way",
    )

    def __init__(
        self,
        *,
        attempt: AttemptId,
        call: CallId,
        campaign: CampaignName,
        candidate: Candidate,
        mode: Mode,
        now: float,
        state: AttemptState = AttemptState.DIALLING,
    ) -> None:
        self.id = attempt
        self.call = call
        self.campaign = campaign
        self.candidate = candidate
        self.mode = mode
        self.state: AttemptState | None = state
        """None: it is over."""
        self.since = now
        self.began = now
        self.dialled_at: float | None = None
        self.rang_at: float | None = None
        self.answered_at: float | None = None
        self.needed_at: float | None = None
        """Since when the person who answered waits for an agent."""
        self.message_began_at: float | None = None
        self.connected_at: float | None = None
        self.caller_id = ""
        self.way = ""
        """The trunk or group."""
        self.leg: LegId | None = None
        """The customer's."""
        self.agent: AgentId | None = None
        self.agent_first = False
        self.is_paced = False
        """The pacer counts it as in flight, or as not judged yet."""
        self.counted: Outcome | None = None
        """As what the law has counted it already."""
        self.outcome: Outcome | None = None
        """Where it is known before the leg ends."""
        self.status = 0
        self.reason = ""
        self.judged = ""
        self.doubt = 0.0
        """As `Attempt.doubt`."""
        self.decision = 0
        self.clicked_by = ""
        self.clicked_at: float | None = None
        self.disposition = ""
        self.call_back_at: float | None = None
        self.call_back_mine = False
        self.reads_until: float | None = None
        self.player: PlayerId | None = None
        """Of the message for abandoned calls, or of ours on a machine."""
        self.timer: TimerHandle | None = None

    @property
    def contact(self) -> ContactId:
        """Its interaction, once there is one."""
        return ContactId(self.id)

    def stop_timer(self) -> None:
        """Whatever it waited for."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def attempt(self, outcome: Outcome, now: float, wall: Callable[[float], float]) -> Attempt:
        """What became of it; `wall` turns monotonic seconds into those since 1970."""

        def at(moment: float | None) -> float | None:
            return None if moment is None else wall(moment)

        return Attempt(
            id=self.id,
            campaign=self.campaign,
            record=self.candidate.record,
            number=self.candidate.number,
            caller_id=self.caller_id,
            mode=self.mode,
            dialled_at=wall(self.began if self.dialled_at is None else self.dialled_at),
            why=self.candidate.why,
            outcome=outcome,
            ended_at=wall(now),
            rang_at=at(self.rang_at),
            answered_at=at(self.answered_at),
            greeting_ended_at=at(self.needed_at),
            message_began_at=at(self.message_began_at),
            connected_at=at(self.connected_at),
            agent=self.agent,
            trunk=self.way,
            sip_status=self.status,
            reason=self.reason,
            disposition=self.disposition,
            call_back_at=self.call_back_at,
            call_back_mine=self.call_back_mine,
            judged=self.judged,
            doubt=self.doubt,
            decision=self.decision,
            clicked_by=self.clicked_by,
            clicked_at=at(self.clicked_at),
            claim=self.candidate.claim,
        )

    def view(self) -> AttemptView:
        """As others see it; to be asked while it lives."""
        assert self.state is not None
        return AttemptView(
            id=self.id,
            campaign=self.campaign,
            record=self.candidate.record,
            number=self.candidate.number,
            name=self.candidate.name,
            state=self.state,
            since=self.since,
            agent=self.agent,
            trunk=self.way,
        )
