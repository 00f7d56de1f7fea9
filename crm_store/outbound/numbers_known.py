"""What is known of numbers when they are to be dialled: attempts, do-not-call lists, other hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.compliance_caps import LOOK_BACK_S, counts_for_caps
from acd.dialer.model import Outcome
from crm_store.models.tables import ATTEMPT, CLAIM, DO_NOT_CALL

CENTRE: Final = "centre"
NATIONAL: Final = "national"

_A, _D = ATTEMPT.c, DO_NOT_CALL.c
_ATTEMPTS: Final = select(_A.number, _A.dialled_at, _A.outcome, _A.rang_at, _A.ended_at).where(
    _A.number.in_(bindparam("numbers", expanding=True)), _A.dialled_at > bindparam("since")
)
_FORBIDDEN: Final = select(_D.number, _D.scope, _D.reason, _D.until, _D.added_at).where(
    _D.number.in_(bindparam("numbers", expanding=True)),
    or_(_D.scope.in_((CENTRE, NATIONAL)), _D.scope == bindparam("own_scope")),
    or_(_D.until.is_(None), _D.until > bindparam("at")),
)
_IN_WORDS: Final = {CENTRE: "the do-not-call list", NATIONAL: "the national do-not-call list"}


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
        before = found.get(row.number)
        until = row.until
        if before is not None and (before.until is None or (until and until < before.until)):
            continue
        where = _IN_WORDS.get(row.scope, "the campaign's do-not-call list")
        words = f"on {where}" + (f": {row.reason}" if row.reason else "")
        found[row.number] = Forbidden(words=words, until=until)
    return found


def past_of(
    connection: Connection, numbers: Sequence[str], at: float, lock_s: float
) -> dict[str, Past]:
    """What happened to numbers in the time that caps and lock look back."""
    sought = {"numbers": list(numbers), "since": at - max(LOOK_BACK_S, lock_s)}
    found: dict[str, Past] = {}
    for row in connection.execute(_ATTEMPTS, sought):
        past = found.setdefault(row.number, Past(dialled=[]))
        if counts_for_caps(Outcome(row.outcome), row.rang_at):
            past.dialled.append(row.dialled_at)
        if row.outcome == Outcome.ABANDONED:
            past.abandoned_at = max(past.abandoned_at or 0.0, row.ended_at)
    return found


def take_numbers(
    connection: Connection, wanted: Sequence[tuple[str, int]], at: float, until: float
) -> set[int]:
    """Take numbers into one's hands, for records; gives the records whose number was free.

    Another server may want the same number for a record of its own: one of the two gets it.
    """
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(CLAIM)
    statement = statement.on_conflict_do_update(
        index_elements=[CLAIM.c.number],
        set_={"record_id": statement.excluded.record_id, "until": statement.excluded.until},
        where=CLAIM.c.until <= at,
    ).returning(CLAIM.c.record_id)
    rows = [
        {"number": number, "record_id": record, "until": until}
        for number, record in dict(wanted).items()
    ]
    # In one order everywhere, so that two servers cannot wait for each other.
    rows.sort(key=lambda row: str(row["number"]))
    return set(connection.execute(statement.values(rows)).scalars())
