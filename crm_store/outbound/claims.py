"""Claims: take the next records that every rule allows.

The records that may come next are read from one index: stage `ready`, in the places whose windows are
open, lowest rank first. What a rule then holds back is moved away, so that no claim reads it again
before its time has come.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from acd.dialer.compliance import Hold, Knowledge, Verdict, judge
from acd.dialer.compliance_moves import Stage
from acd.dialer.model import CampaignName, Candidate, RecordId
from acd.model import AgentId
from crm_store.models.tables import CLAIM, RECORD
from crm_store.outbound.campaign_rows import Known
from crm_store.outbound.holding import CLAIM_S
from crm_store.outbound.next_rows import COLUMNS, FEW_PLACES, look, next_rows, stays_open
from crm_store.outbound.numbers_known import (
    Forbidden,
    Past,
    known_of,
    take_numbers,
)
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.quotas import count_quotas, full_quotas, quota_of
from crm_store.outbound.shelving import WAITING, go_past_forbidden

REFRESH_S: Final = 15.0
"""Records whose time has come are looked for so often at least: also with each settlement, which nobody
waits for, and whenever a claim finds fewer than it wants."""
_PROMPT_S: Final = 1.0
_LOOKED_S: Final = 2 * REFRESH_S
"""Where there are many places, a claim looks itself where records are ready if no settlement did lately."""
_AGAIN_S: Final = 60.0
"""A record whose number is in other hands waits so long."""
_AT_ONCE: Final = 500
"""Records whose time has come are made ready in pieces of so many."""
_PIECES: Final = 4
"""At most so many pieces at once: after a night there may be a hundred thousand."""
_ROUNDS: Final = 12
_WIDER_BY: Final = 4
_MOST_READ: Final = 1024
_TOKEN_BITS: Final = 53
"""As many as every reader of JSON takes whole."""
_MOST_AWAITED: Final = 500
"""Agents for whom records wait, looked at together."""
_R = RECORD.c

_DUE: Final = (
    update(RECORD)
    .where(
        _R.id.in_(
            select(_R.id)
            .where(
                _R.campaign_id == bindparam("campaign"),
                _R.stage.in_(WAITING),
                _R.due_at <= bindparam("now"),
            )
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    )
    .values(
        stage=case((_R.agent.is_(None), Stage.READY), else_=Stage.MINE),
        due_at=case(
            (and_(_R.agent.is_not(None), _R.is_promised), bindparam("ends", type_=Double()))
        ),
    )
)


def _freed(which: ColumnElement[bool]) -> Update:
    """Let anybody dial those of what waits for one agent; what others look at now, another time."""
    found = (
        select(_R.id)
        .where(_R.campaign_id == bindparam("campaign"), _R.stage == Stage.MINE, which)
        .with_for_update(skip_locked=True)
    )
    return update(RECORD).where(_R.id.in_(found)).values(stage=Stage.READY, agent=None, due_at=None)


_LATE: Final = _freed(_R.due_at <= bindparam("now"))
"""What agents promised and did not do."""
_LAPSED: Final = delete(CLAIM).where(
    CLAIM.c.number.in_(
        select(CLAIM.c.number)
        .where(CLAIM.c.until <= bindparam("now"))
        .with_for_update(skip_locked=True)
    )
)
_AT_ONE_GO: Final = (
    select(func.count())
    .select_from(_DUE.returning(_R.id).cte("due"))
    .add_cte(_LATE.returning(_R.id).cte("late"), _LAPSED.returning(CLAIM.c.number).cte("lapsed"))
)
"""The three above in one round trip: none of them changes what another one reads."""
_LEFT: Final = _freed(_R.agent.in_(bindparam("agents", expanding=True)))
"""What waits for agents who are gone."""
_WIDER: Final = 3
"""On PostgreSQL the first records may be in another server's hands: so often it is looked further."""
_MINE: Final = (
    select(*COLUMNS)
    .where(
        _R.campaign_id == bindparam("campaign"),
        _R.agent == bindparam("wanted_agent"),
        _R.stage == Stage.MINE,
    )
    .order_by(_R.rank)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_AWAITED: Final = (
    select(_R.agent)
    .where(
        _R.campaign_id == bindparam("campaign"),
        _R.stage == Stage.MINE,
        _R.agent.is_not(None),
    )
    .distinct()
    .limit(_MOST_AWAITED)
)
_HELD: Final = (
    update(RECORD)
    .where(_R.id == bindparam("record"))
    .values(stage=bindparam("new_stage"), due_at=bindparam("ready_at"))
)


class Wish(Struct, frozen=True, kw_only=True):
    """What a claim asks for."""

    campaign: CampaignName
    at: float
    most: int
    agent: AgentId | None = None
    own_only: bool = False
    """Nothing but what is the agent's own."""


def claim(connection: Connection, book: PlaceBook, known: Known, wish: Wish) -> list[Candidate]:
    """Take at most so many records of a campaign, best first."""
    if wish.most <= 0:
        return []
    count_quotas(connection, known)
    # For one agent its own call-backs count, which must not be late.
    may_be_old = REFRESH_S if wish.agent is None else _PROMPT_S
    has_looked = False
    if not _is_fresh(known, wish.at, may_be_old):
        has_looked = refresh(connection, book, known, wish.at, looked_s=_LOOKED_S)
    taken: list[Candidate] = []
    if wish.agent is not None:
        mine = {"campaign": known.id, "wanted_agent": wish.agent, "most": _MOST_READ}
        rows = connection.execute(_MINE, mine).all()
        taken += _take(connection, book, known, wish, rows, wish.most)
    if wish.own_only:
        return taken
    wider = 0 if connection.dialect.name == "sqlite" else _WIDER
    read, spread = 0, 1
    for _ in range(_ROUNDS):
        missing = wish.most - len(taken)
        if missing <= 0:
            break
        read, spread = min(_MOST_READ, max(missing, read)), _WIDER_BY * spread
        rows = next_rows(connection, known, wish.at, read, spread)
        if not rows:
            if wider:
                wider -= 1
                continue
            if not has_looked:
                has_looked = refresh(connection, book, known, wish.at, looked_s=0.0)
                continue
            break
        found = _take(connection, book, known, wish, rows, missing)
        taken += found
        # Where a rule held some back it may hold back others: many more with each round.
        read = _WIDER_BY * read if len(found) < len(rows) else 0
    return taken


def awaited(connection: Connection, book: PlaceBook, known: Known, at: float) -> list[AgentId]:
    """The agents for whom records of a campaign wait."""
    if not _is_fresh(known, at, REFRESH_S):
        refresh(connection, book, known, at, looked_s=_LOOKED_S)
    found = connection.execute(_AWAITED, {"campaign": known.id}).scalars()
    return [AgentId(agent) for agent in found]


def free(connection: Connection, known: Known, agents: Sequence[AgentId]) -> int:
    """Let anybody dial what waits for agents who are gone."""
    known.refreshed_at = None
    return connection.execute(_LEFT, {"campaign": known.id, "agents": list(agents)}).rowcount


def refresh(
    connection: Connection,
    book: PlaceBook,
    known: Known,
    at: float,
    *,
    looked_s: float = REFRESH_S,
) -> bool:
    """Make ready what is due, lapsed claims included, and see in which places records are ready.

    Where there are many places, that is not seen again if it was seen so short a time ago: gives whether
    it was.
    """
    promise_s = 3600.0 * known.settings.promise_hours
    due = {"campaign": known.id, "now": at, "ends": at + promise_s if promise_s else None}
    if connection.dialect.name == "sqlite":
        connection.execute(_LATE, {"campaign": known.id, "now": at})
        connection.execute(_LAPSED, {"now": at})
        found = connection.execute(_DUE, due).rowcount
    else:
        found = connection.execute(_AT_ONE_GO, due).scalar_one()
    for _ in range(_PIECES - 1):
        if found < _AT_ONCE:
            break
        found = connection.execute(_DUE, due).rowcount
    known.refreshed_at = at
    if len(known.places) > FEW_PLACES and abs(at - known.looked_at) < looked_s:
        return False
    look(connection, book, known, at)
    return True


def _is_fresh(known: Known, at: float, may_be_old: float) -> bool:
    """A settlement may have refreshed after a claim read the clock and had to wait."""
    return known.refreshed_at is not None and abs(at - known.refreshed_at) < may_be_old


def _take(
    connection: Connection,
    book: PlaceBook,
    known: Known,
    wish: Wish,
    rows: Sequence[Any],
    most: int,
) -> list[Candidate]:
    """Judge records, move away what is held back, and claim at most so many of the others."""
    if not rows:
        return []
    judged = list(_judged(connection, book, known, rows, wish.at))
    held = [(row, verdict) for row, verdict in judged if not verdict.is_allowed]
    allowed: dict[str, tuple[Any, Verdict]] = {}
    for row, verdict in judged:
        if verdict.is_allowed and len(allowed) < most:
            allowed.setdefault(row.number, (row, verdict))
    free: set[int] = set()
    token = secrets.randbits(_TOKEN_BITS)
    if allowed:
        lapses_at = wish.at + CLAIM_S
        wanted = [(number, row.id) for number, (row, _) in allowed.items()]
        free = take_numbers(connection, wanted, at=wish.at, until=lapses_at, token=token)
        in_hand = Verdict(hold=Hold.IN_HAND, why="")
        held += [(row, in_hand) for row, _ in allowed.values() if row.id not in free]
    if held:
        _hold(connection, known, held, wish.at)
    return [
        _candidate(book, connection, wish, row, verdict, token)
        for row, verdict in allowed.values()
        if row.id in free
    ]


def _judged(
    connection: Connection, book: PlaceBook, known: Known, rows: Sequence[Any], at: float
) -> Iterator[tuple[Any, Verdict]]:
    settings = known.settings
    numbers = [row.number for row in rows]
    lock_s = 3600.0 * settings.cap.lock_hours
    past, forbidden = known_of(connection, numbers, known.id, at, lock_s)
    full = full_quotas(connection, known, at)
    places = book.places(connection, {row.place_id for row in rows})
    nothing, free = Past(dialled=[]), Forbidden(words="", until=None)
    for row in rows:
        place = places[row.place_id]
        before = past.get(row.number, nothing)
        ban = forbidden.get(row.number, free)
        knowledge = Knowledge(
            place=place,
            opening=known.openings.in_words(place, at),
            attempts=row.attempts,
            dialled=before.dialled,
            abandoned_at=before.abandoned_at,
            forbidden=ban.words,
            full_quota=quota_of(full, row.facts),
            is_promised=row.is_promised,
        )
        verdict = judge(settings, knowledge, at)
        if verdict.hold is Hold.FORBIDDEN:
            verdict = Verdict(hold=Hold.FORBIDDEN, why=verdict.why, free_at=ban.until)
        elif verdict.is_allowed and not stays_open(known, place, at):
            verdict = Verdict(hold=Hold.WINDOW, why=verdict.why)
        yield row, verdict


def _hold(
    connection: Connection, known: Known, held: Sequence[tuple[Any, Verdict]], at: float
) -> None:
    """Move away what is not to be read again before its time."""
    moves: list[dict[str, Any]] = []
    for row, verdict in held:
        match verdict.hold:
            case Hold.FORBIDDEN:
                go_past_forbidden(connection, [row.id], at)
            case Hold.EXHAUSTED:
                moves.append(_move(row, Stage.EXHAUSTED, None))
            case Hold.QUOTA:
                moves.append(_move(row, Stage.QUOTA, None))
            case Hold.CAP:
                moves.append(_move(row, Stage.CAP, verdict.free_at))
            case Hold.IN_HAND:
                moves.append(_move(row, Stage.CAP, at + _AGAIN_S))
            case _:
                pass  # outside its window: a call-back for one agent, which waits as it is
    if moves:
        connection.execute(_HELD, moves)


def _move(row: Any, stage: Stage, ready_at: float | None) -> dict[str, Any]:
    return {"record": row.id, "new_stage": stage, "ready_at": ready_at}


def _candidate(
    book: PlaceBook, connection: Connection, wish: Wish, row: Any, verdict: Verdict, token: int
) -> Candidate:
    place = book.places(connection, (row.place_id,))[row.place_id]
    return Candidate(
        campaign=wish.campaign,
        record=RecordId(str(row.id)),
        number=row.number,
        position=row.position,
        zone=place.zones[0],
        name=row.name,
        customer_id=row.customer_id,
        priority=row.priority,
        attempts=row.attempts,
        claim=token,
        lapses_at=wish.at + CLAIM_S,
        is_promised=row.is_promised,
        has_past=row.last_attempt is not None,
        agent=None if row.agent is None else AgentId(row.agent),
        needs_agent=verdict.needs_agent,
        facts=tuple((str(key), str(value)) for key, value in row.facts.items()),
        until=verdict.until,
        why=verdict.why,
    )
