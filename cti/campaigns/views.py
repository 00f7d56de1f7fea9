"""From what dialer and store tell of campaigns to what the public catalogue says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import structs

from acd.dialer.limits import LIST_HAS_NONE
from acd.dialer.model import Attempt, Blocker, Funnel, Mode, was_abandoned
from acd.dialer.settings import CampaignSettings
from acd.dialer.views import CampaignView as DialerView
from acd.dialer.views import PreviewView as DialerPreview
from crm_store.outbound.views import Campaign, Penetration
from cti.schema_campaigns import (
    AbandonRateView,
    AttemptView,
    BlockerView,
    CallerIdView,
    CampaignAgentsView,
    CampaignListView,
    CampaignView,
    FunnelStepView,
    PreviewView,
    WhyCampaignView,
)
from cti.schema_outbound import OutboundCard

IN_HAND: Final = "claimed"
"""The step of a funnel that holds nothing back: records that the dialer has."""
Wall = Callable[[float], float]
"""Turns monotonic seconds into seconds since 1970."""


def campaign_view(
    view: DialerView,
    settings: CampaignSettings,
    records: CampaignListView,
    *,
    wall: Wall,
    blockers: Sequence[Blocker] = (),
    warnings: Sequence[Blocker] = (),
    goal_reached: int = 0,
    unsettled: int = 0,
) -> CampaignView:
    """A campaign; `blockers` come before those of the dialer, `warnings` keep nobody from dialing."""
    agents, left = view.agents, knowing_the_list(view.blockers, records)
    return CampaignView(
        name=view.name,
        title=view.title or view.name,
        mode=view.mode.value,
        state=view.state.value,
        reason=view.reason,
        since=wall(view.since),
        queue=view.queue,
        human_initiated=settings.human_initiated,
        dial_level=view.dial_level,
        learning=view.is_learning,
        pacing_words=view.pacing_words,
        pacing=dict(view.pacing),
        decision=view.decision,
        in_flight=view.in_flight,
        ringing=view.ringing,
        judging=view.judging,
        waiting=view.waiting,
        reading=view.reading,
        messages=view.messages,
        talking=view.connected,
        ahead=view.ahead,
        dialled=view.dials,
        answer_rate=view.answer_rate,
        live_rate=view.live_rate,
        today={outcome.value: count for outcome, count in view.today.items()},
        total={outcome.value: count for outcome, count in view.total.items()},
        agents=CampaignAgentsView(
            signed_on=agents.signed_on,
            available=agents.available,
            reserved=agents.reserved,
            talking=agents.talking,
            wrap_up=agents.wrap_up,
            not_ready=agents.not_ready,
            engaged=agents.engaged,
            share=agents.share,
        ),
        agents_wait_s=view.agents_wait_s,
        cap_percent=view.cap_percent,
        guard=settings.cap.guard.value,
        enforced_percent=view.enforced_percent,
        rates=tuple(
            AbandonRateView(
                formula=rate.formula,
                percent=rate.percent,
                upper_percent=rate.upper_percent,
                live=rate.live,
                abandoned=rate.abandoned,
                days=rate.days,
                enforced=rate.is_chosen,
            )
            for rate in view.rates
        ),
        records=records,
        goal=settings.goal,
        goal_reached=goal_reached,
        begins=settings.begins,
        ends=settings.ends,
        caller_ids=tuple(
            CallerIdView(
                number=each.number,
                dialled=each.dials,
                answered=each.answers,
                rate=each.rate,
                usual=each.usual,
                fallen=each.has_fallen,
            )
            for each in view.caller_ids
        ),
        blockers=tuple(map(blocker_view, (*blockers, *left))),
        warnings=tuple(map(blocker_view, warnings)),
        unsettled=unsettled,
    )


def broken_view(campaign: Campaign, why: str) -> CampaignView:
    """A campaign that the configuration has no room for: there to be seen and changed."""
    settings = campaign.settings
    words = f"It cannot be used here: {why}. Change its settings, or the configuration."
    return CampaignView(
        name=campaign.name,
        title=settings.title or campaign.name,
        mode=settings.mode.value,
        state=campaign.state.value,
        reason=campaign.changed_by,
        since=campaign.changed_at,
        queue=settings.queue,
        human_initiated=settings.human_initiated,
        dial_level=None,
        learning=False,
        pacing_words="",
        pacing={},
        decision=0,
        in_flight=0,
        ringing=0,
        judging=0,
        waiting=0,
        reading=0,
        messages=0,
        talking=0,
        ahead=0,
        dialled=0,
        answer_rate=None,
        live_rate=None,
        today={},
        total={},
        agents=CampaignAgentsView(),
        agents_wait_s=None,
        cap_percent=settings.cap.percent,
        guard=settings.cap.guard.value,
        enforced_percent=None,
        rates=(),
        records=CampaignListView(),
        goal=settings.goal,
        goal_reached=0,
        begins=settings.begins,
        ends=settings.ends,
        caller_ids=(),
        blockers=(BlockerView(code="unusable", words=words),),
    )


def knowing_the_list(blockers: Sequence[Blocker], records: CampaignListView) -> list[Blocker]:
    """What is in the way, with what the list has left where the dialer has no record."""
    words = _what_is_left(records)
    return [
        structs.replace(each, words=words) if words and each.words == LIST_HAS_NONE else each
        for each in blockers
    ]


def _what_is_left(records: CampaignListView) -> str:
    if records.at is None:
        return ""  # it was not counted yet
    if not records.total:
        return "The list is empty: import one."
    if not records.ready:
        return "Nobody of the list is left to be called: import more people, or recycle some."
    if records.ready == 1:
        return "1 record is left, and it may not be called now: see what it waits for."
    return f"{records.ready} records are left, and none may be called now: see what they wait for."


def blocker_view(blocker: Blocker) -> BlockerView:
    """One reason."""
    return BlockerView(
        code=blocker.code, words=blocker.words, count=blocker.count, until=blocker.until
    )


def list_view(counted: Penetration, at: float) -> CampaignListView:
    """How far a list is worked through."""
    states, total = counted.by_state, counted.total
    blocked = states.get("blocked", 0)
    known = counted.tried + counted.untouched
    return CampaignListView(
        total=total,
        ready=states.get("ready", 0),
        claimed=states.get("claimed", 0),
        done=states.get("done", 0),
        blocked=blocked,
        tried=counted.tried,
        reached=counted.by_stage.get("reached", 0),
        penetration=counted.tried / known if known else 0.0,
        at=at,
    )


def why_view(
    funnel: Funnel, state: str, blockers: Sequence[Blocker], *, ahead: int = 0
) -> WhyCampaignView:
    """What each filter leaves, and what else is in the way."""
    left, steps = funnel.total, []
    for step in funnel.steps:
        left -= step.count
        steps.append(
            FunnelStepView(
                code=step.code, words=step.words, takes=step.count, leaves=left, until=step.until
            )
        )
    return WhyCampaignView(
        name=funnel.campaign,
        state=state,
        at=funnel.at,
        total=funnel.total,
        callable=funnel.callable,
        steps=tuple(steps),
        blockers=tuple(map(blocker_view, blockers)),
        summary=_summary(funnel, state, blockers, ahead),
    )


def _summary(funnel: Funnel, state: str, blockers: Sequence[Blocker], ahead: int) -> str:
    if state != "running":
        return "Nothing is dialled until it is started."
    at_hand = f"{funnel.callable} of {funnel.total} records may be dialled now"
    if ahead:
        at_hand = (
            f"{ahead} of {funnel.total} records are at hand and come next, "
            f"{funnel.callable} more may be dialled now"
        )
    if blockers:
        return f"{at_hand}. In the way: {blockers[0].words}"
    if funnel.total == 0:
        return "The list is empty: import one."
    if not funnel.callable and not ahead:
        held = [step for step in funnel.steps if step.code != IN_HAND]
        most = max(held, key=lambda step: step.count, default=None)
        words = "" if most is None or not most.count else f" Most are held back by: {most.words}"
        return f"None of {funnel.total} records may be dialled now.{words}"
    return f"{at_hand}. Nothing is in the way: it dials as fast as agents and settings allow."


def preview_view(view: DialerPreview, *, needs_click: bool, wall: Wall) -> PreviewView:
    """The record before an agent; who the customer is comes from the store, and is added later."""
    candidate = view.candidate
    return PreviewView(
        attempt_id=view.attempt,
        agent_id=view.agent,
        step=view.step.value,
        card=OutboundCard(
            campaign=view.campaign,
            campaign_title=view.title or view.campaign,
            record_id=candidate.record,
            number=candidate.number,
            name=candidate.name,
            zone=candidate.zone,
            attempts=candidate.attempts,
            facts=facts_of(candidate.facts),
            script=view.script,
            dispositions=view.dispositions,
            why=candidate.why,
        ),
        since=wall(view.since),
        until=None if view.until is None else wall(view.until),
        dials_itself=view.dials_itself,
        needs_click=needs_click,
        outcome=None if view.outcome is None else view.outcome.value,
        reason=view.reason,
    )


def facts_of(facts: Sequence[tuple[str, str]] | Mapping[str, str]) -> dict[str, str]:
    """The other columns of a list."""
    return dict(facts)


def attempt_view(attempt: Attempt) -> AttemptView:
    """What became of a dial."""
    return AttemptView(
        attempt_id=attempt.id,
        campaign=attempt.campaign,
        record_id=attempt.record,
        number=attempt.number,
        caller_id=attempt.caller_id,
        mode=attempt.mode.value,
        outcome=attempt.outcome.value,
        abandoned=was_abandoned(attempt.outcome, has_agents=attempt.mode is not Mode.ANNOUNCEMENT),
        dialled_at=attempt.dialled_at,
        ended_at=attempt.ended_at,
        rang_at=attempt.rang_at,
        answered_at=attempt.answered_at,
        greeting_ended_at=attempt.greeting_ended_at,
        message_began_at=attempt.message_began_at,
        connected_at=attempt.connected_at,
        agent_id=attempt.agent,
        trunk=attempt.trunk,
        sip_status=attempt.sip_status,
        reason=attempt.reason,
        disposition=attempt.disposition,
        call_back_at=attempt.call_back_at,
        why=attempt.why,
        judged=attempt.judged,
        decision=attempt.decision,
        clicked_by=attempt.clicked_by,
        clicked_at=attempt.clicked_at,
    )
