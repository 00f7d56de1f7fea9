"""What is kept of campaigns and attempts over a restart, beside what the store knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptState
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.model import AttemptId, CampaignName, CampaignState, Candidate, Mode, Outcome
from acd.dialer.settings import CampaignSettings
from acd.model import AgentId
from switch.ids import CallId, LegId, PlayerId

Moment = Callable[[float], float]
"""From the clock of the process to that of the records, or back."""


class RunRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One campaign that runs, or has attempts under way. Its list and its history are the store's."""

    settings: CampaignSettings
    state: str
    reason: str
    since: float
    knowledge: dict[str, Any] = {}
    """What the pacer has learned."""


class AttemptRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One attempt that is under way; the fields of `acd.dialer.attempt.LiveAttempt`."""

    campaign: str
    candidate: Candidate
    call: str
    mode: str
    state: str
    since: float
    began: float
    dialled_at: float | None
    rang_at: float | None
    answered_at: float | None
    needed_at: float | None
    connected_at: float | None
    caller_id: str
    way: str
    leg: str | None
    agent: str | None
    agent_first: bool
    counted: str | None
    player: str | None
    judged: str
    decision: int
    clicked_by: str
    clicked_at: float | None
    disposition: str
    call_back_at: float | None
    call_back_mine: bool
    reads_until: float | None
    doubt: float = 0.0
    message_began_at: float | None = None


def run_record(run: CampaignRun, wall: Moment) -> RunRecord:
    """Describe a campaign."""
    return RunRecord(run.settings, run.state, run.reason, wall(run.since), run.pacer.record())


def restored_run(record: RunRecord, mono: Moment, now: float) -> CampaignRun:
    """Raises ValueError for a state that is not known here."""
    run = CampaignRun(record.settings, CampaignState(record.state), now)
    run.reason, run.since = record.reason, mono(record.since)
    run.pacer.restore(record.knowledge)
    run.is_restored = True
    return run


def attempt_record(attempt: LiveAttempt, wall: Moment) -> AttemptRecord:
    """Describe an attempt that is not over."""
    assert attempt.state is not None
    return AttemptRecord(
        attempt.campaign,
        attempt.candidate,
        attempt.call,
        attempt.mode,
        attempt.state,
        wall(attempt.since),
        wall(attempt.began),
        _at(attempt.dialled_at, wall),
        _at(attempt.rang_at, wall),
        _at(attempt.answered_at, wall),
        _at(attempt.needed_at, wall),
        _at(attempt.connected_at, wall),
        attempt.caller_id,
        attempt.way,
        attempt.leg,
        attempt.agent,
        attempt.agent_first,
        attempt.counted,
        attempt.player,
        attempt.judged,
        attempt.decision,
        attempt.clicked_by,
        _at(attempt.clicked_at, wall),
        attempt.disposition,
        attempt.call_back_at,
        attempt.call_back_mine,
        _at(attempt.reads_until, wall),
        attempt.doubt,
        _at(attempt.message_began_at, wall),
    )


def restored_attempt(name: AttemptId, record: AttemptRecord, mono: Moment) -> LiveAttempt:
    """Raises ValueError for a word that is not known here."""
    attempt = LiveAttempt(
        attempt=name,
        call=CallId(record.call),
        campaign=CampaignName(record.campaign),
        candidate=record.candidate,
        mode=Mode(record.mode),
        now=mono(record.began),
        state=AttemptState(record.state),
    )
    attempt.since = mono(record.since)
    attempt.dialled_at = _at(record.dialled_at, mono)
    attempt.rang_at = _at(record.rang_at, mono)
    attempt.answered_at = _at(record.answered_at, mono)
    attempt.needed_at = _at(record.needed_at, mono)
    attempt.connected_at = _at(record.connected_at, mono)
    attempt.caller_id, attempt.way = record.caller_id, record.way
    attempt.leg = None if record.leg is None else LegId(record.leg)
    attempt.agent = None if record.agent is None else AgentId(record.agent)
    attempt.agent_first = record.agent_first
    attempt.counted = None if record.counted is None else Outcome(record.counted)
    attempt.player = None if record.player is None else PlayerId(record.player)
    attempt.judged, attempt.decision = record.judged, record.decision
    attempt.clicked_by = record.clicked_by
    attempt.clicked_at = _at(record.clicked_at, mono)
    attempt.disposition = record.disposition
    attempt.call_back_at, attempt.call_back_mine = record.call_back_at, record.call_back_mine
    attempt.reads_until = _at(record.reads_until, mono)
    attempt.doubt = record.doubt
    attempt.message_began_at = _at(record.message_began_at, mono)
    return attempt


def _at(moment: float | None, change: Moment) -> float | None:
    return None if moment is None else change(moment)
