"""What people see of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from acd.dialer.attempt_state import AttemptState
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.legal import Rate
from acd.dialer.limits import Limits
from acd.dialer.model import Mode
from acd.dialer.pacing.model import Decision, Reason
from acd.dialer.pacing.words import why
from acd.dialer.roster import Roster
from acd.dialer.views import AgentCounts, CampaignView, RateView
from acd.model import AgentState
from switch.clock import Clock

_RESERVED: Final = (AgentState.RESERVED, AgentState.RINGING)
_TALKING: Final = (AgentState.TALKING, AgentState.HELD)
_S = AttemptState


class Panel:
    """Makes views; keeps nothing."""

    def __init__(self, *, limits: Limits, roster: Roster, clock: Clock) -> None:
        self._limits = limits
        self._roster = roster
        self._clock = clock

    def view(self, run: CampaignRun) -> CampaignView:
        """One campaign, now."""
        settings, figures, decision = run.settings, run.figures, run.decision
        states = run.counts()
        wall = self._clock.wall()
        agents = self._agents(run)
        dialled = states[_S.DIALLING] + states[_S.RINGING]
        pressing = dialled + states[_S.JUDGING] + states[_S.WAITING]
        held = run.ledger.enforced(wall, settings.cap)
        return CampaignView(
            name=settings.name,
            title=settings.title or settings.name,
            mode=settings.mode,
            state=run.state,
            since=run.since,
            reason=run.reason,
            queue=settings.queue,
            in_flight=dialled,
            ringing=states[_S.RINGING],
            judging=states[_S.JUDGING],
            waiting=states[_S.WAITING],
            reading=states[_S.READING] + states[_S.CALLING_AGENT],
            messages=states[_S.REGRETTING] + states[_S.LEAVING_MESSAGE],
            connected=states[_S.TALKING] + states[_S.ANNOUNCING],
            dial_level=pressing / agents.share if agents.share else None,
            pacing=_figures(decision),
            pacing_words="" if decision is None else why(decision),
            decision=0 if decision is None else decision.number,
            is_learning=settings.mode is Mode.PREDICTIVE
            and decision is not None
            and decision.reason is Reason.LEARNING,
            agents=agents,
            agents_wait_s=figures.agents_wait_s,
            today=dict(figures.today),
            total=dict(figures.total),
            dials=figures.dials,
            answer_rate=figures.answer_rate,
            live_rate=figures.live_rate,
            rates=tuple(_rate(each) for each in run.ledger.rates(wall, settings.cap)),
            cap_percent=settings.cap.percent,
            enforced_percent=100.0 * held.value if held.answered else None,
            caller_ids=figures.caller_ids(),
            ahead=len(run.supply),
            blockers=self._limits.blockers(run),
        )

    def _agents(self, run: CampaignRun) -> AgentCounts:
        states = self._roster.counts(run.settings.queue)
        return AgentCounts(
            signed_on=sum(states.values()) - states[AgentState.LOGGED_OUT],
            available=states[AgentState.AVAILABLE],
            reserved=sum(states[each] for each in _RESERVED),
            talking=sum(states[each] for each in _TALKING),
            wrap_up=states[AgentState.WRAP_UP],
            not_ready=states[AgentState.NOT_READY],
            engaged=states[AgentState.ENGAGED],
            share=run.share,
        )


_WHOLE: Final = 0.5
"""Parts of calls that may have been a person's are no rate: 0.01 of 0.01 would be 100 %."""


def _rate(rate: Rate) -> RateView:
    has_any = rate.answered >= _WHOLE
    return RateView(
        formula=rate.formula.value,
        percent=100.0 * rate.rate if has_any else None,
        upper_percent=100.0 * rate.bound if has_any else None,
        live=rate.answered,
        abandoned=rate.abandoned,
        days=rate.hours / 24.0,
        is_chosen=rate.is_selected,
    )


def _figures(decision: Decision | None) -> Mapping[str, float]:
    """The plain figures of a decision, by name."""
    return {} if decision is None else vector(decision)


def vector(decision: Decision) -> dict[str, float]:
    """Every figure of a decision that is one number; those of the floor as counts."""
    plain = {
        name: float(value)
        for name, value in structs.asdict(decision).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    floor = decision.floor
    return {
        **plain,
        "free": float(floor.free),
        "waiting": float(floor.waiting),
        "callers": float(floor.callers),
        "talking": float(len(floor.talking)),
        "wrapping": float(len(floor.wrapping)),
    }
