"""Single views of what contacts, distribution and switch report, in the public words. Pure."""

from __future__ import annotations

from collections.abc import Callable

from acd.call_back_events import CallBackMoved
from acd.contact_events import ContactFinished
from acd.events import QueueChanged
from acd.model import Decision
from cti.live import LiveInteraction
from cti.schema import (
    CallBackView,
    CandidateView,
    Cleared,
    EmergencyView,
    GatewayView,
    Offered,
    QueueView,
    RecordingView,
    Refused,
)
from switch.calls.events import CallRefused, EmergencyCalled, GatewayChanged, RecordingClosed


def offered(live: LiveInteraction, decision: Decision) -> Offered:
    """Who was chosen for an interaction, and why."""
    return Offered(
        interaction=live.view(),
        rule=decision.rule,
        why=decision.in_words(),
        candidates=tuple(
            [
                CandidateView(agent_id=c.agent, eligible=c.eligible, score=c.score, note=c.note)
                for c in decision.candidates
            ]
        ),
        others=decision.others,
    )


def cleared(event: ContactFinished) -> Cleared:
    """How it ended and what it took."""
    return Cleared(
        result=event.result,
        reason=event.reason,
        waited_s=event.waited_s,
        talked_s=event.talked_s,
        held_s=event.held_s,
        facts=dict(event.facts),
        was_dialled=bool(event.customer_leg),
    )


def call_back(event: CallBackMoved, wall_of: Callable[[float], float]) -> CallBackView:
    """How it stands with a customer who is to be called back."""
    return CallBackView(
        state=event.state,
        number=event.number,
        attempt=event.attempt,
        reason=event.reason,
        again_at=None if event.again_at is None else wall_of(event.again_at),
        joined_id=event.joined,
    )


def queue_view(event: QueueChanged, title: str, at: float) -> QueueView:
    """A queue's live figures; `at` is their time of day."""
    return QueueView(
        queue=event.queue,
        title=title,
        waiting=event.waiting,
        longest_since=at - event.longest_wait_s if event.waiting else None,
        offered=event.offered,
        talking=event.talking,
        agents_signed_on=event.agents_signed_on,
        agents_available=event.agents_available,
        entered=event.entered,
        answered=event.answered,
        answered_within=event.answered_within,
        abandoned=event.abandoned,
        abandoned_within=event.abandoned_within,
        service_level=event.service_level,
        service_level_s=event.service_level_s,
        average_wait_s=event.average_wait_s,
        average_talk_s=event.average_talk_s,
    )


def gateway_view(event: GatewayChanged) -> GatewayView:
    """A media gateway came or went."""
    return GatewayView(
        available=event.available,
        detail=event.detail,
        lost_legs=event.lost_legs,
        name=event.gateway,
        is_lost=not event.is_up,
    )


def refused_view(event: CallRefused) -> Refused:
    """A call that was let in nowhere."""
    return Refused(
        status=event.status,
        reason=event.reason,
        called=event.called,
        caller_number=event.caller_number,
    )


def emergency_view(event: EmergencyCalled) -> EmergencyView:
    """Somebody dialled an emergency number."""
    return EmergencyView(
        call_id=event.call,
        number=event.number,
        caller_number=event.caller_number,
        location=event.location,
    )


def recording_view(event: RecordingClosed) -> RecordingView:
    """A recording is whole, or could not be made so."""
    return RecordingView(
        recording_id=event.recording,
        duration_s=event.duration_ms / 1000,
        octets=event.octets,
        sha256=event.sha256,
        error=event.error,
    )
