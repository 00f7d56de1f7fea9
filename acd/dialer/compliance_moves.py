"""Where a record goes after an attempt: done, blocked, or ready again later, at which number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from acd.dialer.model import LIVE, NOT_AN_ATTEMPT, Attempt, Outcome, RecordState
from acd.dialer.settings import DEFAULT_RETRIES, CampaignSettings, Retry
from acd.model import AgentId


class Stage(StrEnum):
    """Where a record is, finer than `RecordState`: also why."""

    READY = "ready"
    MINE = "mine"
    """A call-back whose time has come, for one agent alone."""
    RETRY = "retry"
    CALL_BACK = "call-back"
    CAP = "cap"
    """Its number was dialled often enough for now."""
    NO_WAY = "no-way"
    """No trunk and no number plan leads to its number now."""
    QUOTA = "quota"
    """Enough of its kind were reached; ready again if the quota is raised."""
    CLAIMED = "claimed"
    REACHED = "reached"
    FINAL = "final"
    """An agent chose a final disposition."""
    EXHAUSTED = "exhausted"
    """Out of attempts, or of retries after an outcome."""
    ENDED = "ended"
    """After this outcome it is not tried again."""
    NO_NUMBER = "no-number"
    DO_NOT_CALL = "do-not-call"
    OPTED_OUT = "opted-out"


STATE_OF_STAGE: Final[Mapping[Stage, RecordState]] = {
    Stage.READY: RecordState.READY,
    Stage.MINE: RecordState.READY,
    Stage.RETRY: RecordState.READY,
    Stage.CALL_BACK: RecordState.READY,
    Stage.CAP: RecordState.READY,
    Stage.NO_WAY: RecordState.READY,
    Stage.QUOTA: RecordState.READY,
    Stage.CLAIMED: RecordState.CLAIMED,
    Stage.REACHED: RecordState.DONE,
    Stage.FINAL: RecordState.DONE,
    Stage.EXHAUSTED: RecordState.DONE,
    Stage.ENDED: RecordState.DONE,
    Stage.NO_NUMBER: RecordState.BLOCKED,
    Stage.DO_NOT_CALL: RecordState.BLOCKED,
    Stage.OPTED_OUT: RecordState.BLOCKED,
}
_DEAD: Final = frozenset({Outcome.INVALID_NUMBER, Outcome.FAX})
"""Nobody will ever answer at this number."""
_REACHED: Final = frozenset({Outcome.CONNECTED, Outcome.ANNOUNCED})
LONGEST_PAUSE_S: Final = 366 * 86_400.0
"""No record waits longer, however much its pauses grow."""
_SOON_S: Final = 1.0
"""Pause before the next number of a record whose last one does not exist."""


class RecordFacts(Struct, frozen=True, kw_only=True):
    """What a move depends on."""

    position: int
    """The number that was dialled."""
    usable: tuple[int, ...]
    """Positions of numbers that may be dialled, in order."""
    attempts: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    """How often each outcome came, and each disposition that asks for another attempt."""
    agent: AgentId | None = None
    """Who alone might dial it."""
    is_promised: bool = False
    """The person had asked for this call."""


class Move(Struct, frozen=True, kw_only=True):
    """Where a record goes."""

    stage: Stage
    attempts: int
    counts: Mapping[str, int]
    position: int
    due_at: float | None = None
    """When it is ready again; None: it is not, or it is at once."""
    agent: AgentId | None = None
    """Who alone may dial it then."""
    is_promised: bool = False
    """The person asked for the next call."""
    number_is_dead: bool = False


def after_attempt(settings: CampaignSettings, record: RecordFacts, attempt: Attempt) -> Move:
    """Count an attempt that is new, and say where its record goes."""
    counts = dict(record.counts)
    counts[attempt.outcome] = counts.get(attempt.outcome, 0) + 1
    _count_disposition(settings, counts, attempt)
    counted = attempt.outcome not in NOT_AN_ATTEMPT
    record = replace(record, attempts=record.attempts + counted, counts=counts)
    return _moved(settings, record, attempt)


def after_disposition(settings: CampaignSettings, record: RecordFacts, attempt: Attempt) -> Move:
    """Move a record again, because what an agent chose came after the attempt had been counted."""
    counts = dict(record.counts)
    _count_disposition(settings, counts, attempt)
    return _moved(settings, replace(record, counts=counts), attempt)


def after_misjudgement(
    settings: CampaignSettings, record: RecordFacts, attempt: Attempt, was: Outcome
) -> Move:
    """Move a record again, because its attempt, counted under another outcome, came to something else."""
    counts = dict(record.counts)
    counts[was] = max(counts.get(was, 0) - 1, 0)
    counts[attempt.outcome] = counts.get(attempt.outcome, 0) + 1
    return _moved(settings, replace(record, counts=counts), attempt)


def retry_after(settings: CampaignSettings, attempt: Attempt) -> tuple[str, Retry | None]:
    """The rule that counts for an attempt, and under which word its uses are counted."""
    if attempt.disposition in settings.retry_dispositions:
        return f"+{attempt.disposition}", settings.retry_dispositions[attempt.disposition]
    if attempt.outcome in settings.retries:
        return attempt.outcome, settings.retries[attempt.outcome]
    return attempt.outcome, DEFAULT_RETRIES.get(attempt.outcome)


def _count_disposition(
    settings: CampaignSettings, counts: dict[str, int], attempt: Attempt
) -> None:
    if attempt.disposition in settings.retry_dispositions:
        key = f"+{attempt.disposition}"
        counts[key] = counts.get(key, 0) + 1


def _moved(settings: CampaignSettings, record: RecordFacts, attempt: Attempt) -> Move:
    stay = Move(
        stage=Stage.ENDED,
        attempts=record.attempts,
        counts=record.counts,
        position=record.position,
    )
    outcome = attempt.outcome
    if record.is_promised and outcome not in LIVE:
        stay = replace(stay, agent=record.agent, is_promised=True)  # it was not kept yet
    if outcome is Outcome.OPTED_OUT:
        return replace(stay, stage=Stage.OPTED_OUT)
    if attempt.disposition and attempt.disposition in settings.do_not_call_dispositions:
        return replace(stay, stage=Stage.OPTED_OUT)
    if attempt.call_back_at is not None:
        agent = attempt.agent if attempt.call_back_mine else None
        return replace(
            stay,
            stage=Stage.CALL_BACK,
            due_at=attempt.call_back_at,
            agent=agent,
            is_promised=True,
        )
    if attempt.disposition and attempt.disposition in settings.final_dispositions:
        return replace(stay, stage=Stage.FINAL)
    if outcome in _DEAD:
        return _past_dead(settings, record, attempt, stay)
    word, rule = retry_after(settings, attempt)
    if rule is None:
        return replace(stay, stage=Stage.REACHED if outcome in _REACHED else Stage.ENDED)
    times = record.counts.get(word, 1)
    if times > rule.times or _is_exhausted(settings, record):
        return replace(stay, stage=Stage.EXHAUSTED)
    return replace(
        stay,
        stage=Stage.RETRY,
        due_at=attempt.ended_at + _pause(rule, times),
        position=_next(record) if rule.next_number else record.position,
    )


def _pause(rule: Retry, times: int) -> float:
    """How long until the next attempt after so many with this end."""
    grown = rule.factor ** min(times - 1, 100)  # beyond that a power may not be a number any more
    return min(rule.after_s * grown, LONGEST_PAUSE_S)


def _past_dead(
    settings: CampaignSettings, record: RecordFacts, attempt: Attempt, stay: Move
) -> Move:
    """Go on with another number, if there is one."""
    others = [position for position in record.usable if position != record.position]
    if not others:
        stage = Stage.NO_NUMBER if attempt.outcome is Outcome.INVALID_NUMBER else Stage.ENDED
        return replace(stay, stage=stage, number_is_dead=True)
    if _is_exhausted(settings, record):
        return replace(stay, stage=Stage.EXHAUSTED, number_is_dead=True)
    return replace(
        stay,
        stage=Stage.RETRY,
        due_at=attempt.ended_at + _SOON_S,
        position=_next(record),
        number_is_dead=True,
    )


def _is_exhausted(settings: CampaignSettings, record: RecordFacts) -> bool:
    return not record.is_promised and 0 < settings.limits.attempts <= record.attempts


def _next(record: RecordFacts) -> int:
    """The usable number behind the one that was dialled; the first one after the last."""
    return next_usable(record.usable, record.position)


def next_usable(usable: Sequence[int], position: int) -> int:
    """The usable position behind another; the first one after the last; itself where there is none."""
    behind = [each for each in usable if each > position]
    return behind[0] if behind else next(iter(usable), position)
