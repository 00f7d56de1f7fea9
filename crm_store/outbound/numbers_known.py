"""What is known of numbers when they are to be dialled: attempts, do-not-call lists, other hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Double,
    bindparam,
    literal,
    null,
    or_,
    select,
    text,
    union_all,
)

from acd.dialer.compliance_caps import LOOK_BACK_S, counts_for_caps
from acd.dialer.model import Outcome
from crm_store.models.tables import ATTEMPT, DO_NOT_CALL

CENTRE: Final = "centre"
NATIONAL: Final = "national"

_A, _D = ATTEMPT.c, DO_NOT_CALL.c
_FORBIDDEN: Final = select(_D.number, _D.scope, _D.reason, _D.until, _D.added_at).where(
    _D.number.in_(bindparam("numbers", expanding=True)),
    or_(_D.scope.in_((CENTRE, NATIONAL)), _D.scope == bindparam("own_scope")),
    or_(_D.until.is_(None), _D.until > bindparam("at")),
)
_LONGEST_CALL_S: Final = 900.0
"""No abandoned call takes longer: the lock begins with its end, and attempts are found by their beginning."""
_ATTEMPT: Final = ""
"""In place of a scope: the row is of an attempt."""
_KNOWN: Final = union_all(
    select(
        _A.number,
        literal(_ATTEMPT).label("scope"),
        _A.outcome.label("word"),
        _A.dialled_at.label("at"),
        _A.ended_at.label("end"),
        _A.rang_at.label("rang_at"),
    ).where(
        _A.number.in_(bindparam("numbers", expanding=True)), _A.dialled_at > bindparam("since")
    ),
    select(_D.number, _D.scope, _D.reason, _D.added_at, _D.until, null()).where(
        _D.number.in_(bindparam("numbers", expanding=True)),
        or_(_D.scope.in_((CENTRE, NATIONAL)), _D.scope == bindparam("own_scope")),
        or_(_D.until.is_(None), _D.until > bindparam("at")),
    ),
)
"""Both in one question: a claim asks it each time."""
_IN_WORDS: Final = {CENTRE: "the do-not-call list", NATIONAL: "the national do-not-call list"}


_MARK: Final = "UPDATE outbound_record SET stage = 'claimed', due_at = :until WHERE id IN "
_IN_HAND_SQLITE: Final = text(
    "SELECT number FROM outbound_claim"
    " WHERE number IN (SELECT key FROM json_each(:numbers)) AND until > :at"
)
_TAKE_SQLITE: Final = text(
    # The condition keeps its grammar from taking ON CONFLICT for that of a join.
    "INSERT INTO outbound_claim (number, record_id, until, token)"
    " SELECT key, value, :until, :token FROM json_each(:numbers) WHERE true"
    " ON CONFLICT (number) DO UPDATE"
    " SET record_id = excluded.record_id, until = excluded.until, token = excluded.token"
    " WHERE outbound_claim.until <= :at"
)
_MARK_SQLITE: Final = text(_MARK + "(SELECT value FROM json_each(:numbers))")
_TAKING: Final = 0x54414B45
"""Key of PostgreSQL's advisory locks: who takes a number that has no row yet keeps others from it."""
_TAKE_POSTGRES: Final = (
    # Nothing of this waits: a number that somebody else takes or lets go of in this moment counts as in
    # hand. ON CONFLICT DO UPDATE would wait, and lock the row of a number that is in other hands.
    "WITH wanted(number, id) AS MATERIALIZED (SELECT number, id FROM {rows} AS asked(number, id)"
    f"  WHERE pg_try_advisory_xact_lock({_TAKING}, hashtext(number))),"
    " lapsed AS MATERIALIZED (SELECT number FROM outbound_claim"
    "  WHERE number IN (SELECT number FROM wanted) AND until <= :at FOR UPDATE SKIP LOCKED),"
    " again AS (UPDATE outbound_claim SET record_id = wanted.id, until = :until, token = :token"
    "  FROM wanted WHERE outbound_claim.number = wanted.number AND outbound_claim.until <= :at"
    "  AND wanted.number IN (SELECT number FROM lapsed) RETURNING outbound_claim.record_id),"
    " new AS (INSERT INTO outbound_claim (number, record_id, until, token)"
    "  SELECT number, id, :until, :token FROM wanted WHERE NOT EXISTS"
    "  (SELECT FROM outbound_claim AS held WHERE held.number = wanted.number)"
    "  ON CONFLICT (number) DO NOTHING RETURNING record_id)"
    f" {_MARK}(SELECT record_id FROM again UNION ALL SELECT record_id FROM new) RETURNING id"
)
_MOMENTS: Final[tuple[BindParameter[Any], ...]] = (
    bindparam("until", type_=Double()),
    bindparam("at", type_=Double()),
    bindparam("token", type_=BigInteger()),
)
_TAKE_ONE_POSTGRES: Final = text(
    _TAKE_POSTGRES.format(rows="(VALUES (CAST(:number AS text), CAST(:id AS bigint)))")
).bindparams(*_MOMENTS)
"""For one the server keeps its plan; an array, of any length, it plans for each time."""
_TAKE_MANY_POSTGRES: Final = text(
    _TAKE_POSTGRES.format(rows="unnest(CAST(:numbers AS text[]), CAST(:ids AS bigint[]))")
).bindparams(*_MOMENTS)


class Forbidden(Struct, frozen=True, kw_only=True):
    """Why a number must not be called."""

    words: str
    until: float | None


class Past(Struct, kw_only=True):
    """What happened to one number lately, whoever dialled it."""

    dialled: list[float]
    """Attempts that count for caps."""
    abandoned_at: float | None = None


def scope_of(campaign_id: int | None) -> str:
    """How a list is named in the table: a campaign's own, or the centre's."""
    return CENTRE if campaign_id is None else f"campaign:{campaign_id}"


def forbidden_of(
    connection: Connection, numbers: Sequence[str], campaign_id: int, at: float
) -> dict[str, Forbidden]:
    """Those of the numbers that a campaign must not call now."""
    sought = {"numbers": list(numbers), "own_scope": scope_of(campaign_id), "at": at}
    found: dict[str, Forbidden] = {}
    for row in connection.execute(_FORBIDDEN, sought):
        _forbid(found, row.number, row.scope, row.reason, row.until)
    return found


def known_of(
    connection: Connection, numbers: Sequence[str], campaign_id: int, at: float, lock_s: float
) -> tuple[dict[str, Past], dict[str, Forbidden]]:
    """What happened to numbers in the time that caps and lock look back; and which are forbidden."""
    past: dict[str, Past] = {}
    forbidden: dict[str, Forbidden] = {}
    sought = {
        "numbers": list(numbers),
        "since": at - max(LOOK_BACK_S, lock_s + _LONGEST_CALL_S),
        "own_scope": scope_of(campaign_id),
        "at": at,
    }
    for number, scope, word, began, end, rang_at in connection.execute(_KNOWN, sought):
        if scope != _ATTEMPT:
            _forbid(forbidden, number, scope, word, end)
            continue
        known = past.setdefault(number, Past(dialled=[]))
        if counts_for_caps(Outcome(word), rang_at):
            known.dialled.append(began)
        if word == Outcome.ABANDONED:
            known.abandoned_at = max(known.abandoned_at or 0.0, end)
    return past, forbidden


def _forbid(
    found: dict[str, Forbidden], number: str, scope: str, reason: str, until: float | None
) -> None:
    """Of several lists the one that counts longest is told."""
    before = found.get(number)
    if before is not None and (before.until is None or (until and until < before.until)):
        return
    where = _IN_WORDS.get(scope, "the campaign's do-not-call list")
    words = f"on {where}" + (f": {reason}" if reason else "")
    found[number] = Forbidden(words=words, until=until)


def take_numbers(
    connection: Connection,
    wanted: Sequence[tuple[str, int]],
    *,
    at: float,
    until: float,
    token: int,
) -> set[int]:
    """Claim records by taking their numbers into one's hands; gives those whose number was free.

    Another campaign may want the same number for a record of its own: one of the two gets it.
    """
    numbers = dict(wanted)
    moments: dict[str, Any] = {"at": at, "until": until, "token": token}
    if connection.dialect.name == "sqlite":
        return _take_on_sqlite(connection, numbers, moments)
    if len(numbers) == 1:
        ((number, record),) = numbers.items()
        one = {**moments, "number": number, "id": record}
        return set(connection.execute(_TAKE_ONE_POSTGRES, one).scalars())
    many = {**moments, "numbers": list(numbers), "ids": list(numbers.values())}
    return set(connection.execute(_TAKE_MANY_POSTGRES, many).scalars())


def _take_on_sqlite(
    connection: Connection, wanted: dict[str, int], moments: dict[str, Any]
) -> set[int]:
    """Nobody else writes meanwhile. Without RETURNING, which older libraries do not know."""
    asked = {"numbers": msgspec.json.encode(wanted).decode(), "at": moments["at"]}
    in_hand = set(connection.execute(_IN_HAND_SQLITE, asked).scalars())
    free = {number: record for number, record in wanted.items() if number not in in_hand}
    if free:
        taken = {**moments, "numbers": msgspec.json.encode(free).decode()}
        connection.execute(_TAKE_SQLITE, taken)
        connection.execute(_MARK_SQLITE, taken)
    return set(free.values())
