"""Records in the hands of a dialer: given back, and kept up while they are in use.

Every claim has a number of its own. Whoever comes with another one has lost the record to somebody
else, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Double, and_, bindparam, case, delete, select, update

from acd.dialer.compliance_moves import Stage
from acd.dialer.model import NO_WAY
from crm_store.models.tables import CLAIM, RECORD
from crm_store.outbound.shelving import go_past_forbidden

_R, _C = RECORD.c, CLAIM.c

Pair = tuple[int, int]
"""A record and the number of a claim."""

CLAIM_S: Final = 600.0
"""A claim lapses after so long, unless it is kept up."""
_NO_WAY_S: Final = 600.0
"""A number that no way leads to is looked at again after so long."""

_RECORDS: Final = (
    select(_R.id, _R.stage)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .order_by(_R.id)
    .with_for_update()
)
_CLAIMS: Final = select(_C.record_id, _C.token).where(
    _C.record_id.in_(bindparam("ids", expanding=True))
)
_RELEASED: Final = (
    update(RECORD)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .values(
        # A promise falls due again at once: so it is known anew until when it is one agent's.
        stage=case(
            (_R.agent.is_(None), Stage.READY), (_R.is_promised, Stage.CALL_BACK), else_=Stage.MINE
        ),
        due_at=case(
            (and_(_R.agent.is_not(None), _R.is_promised), bindparam("now", type_=Double()))
        ),
    )
)
_SHELVED: Final = (
    update(RECORD)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .values(stage=Stage.NO_WAY, due_at=bindparam("ready_at"))
)
_ENDED: Final = delete(CLAIM).where(
    _C.record_id == bindparam("record"), _C.token == bindparam("claim")
)
_EXTENDED: Final = (
    update(CLAIM)
    .where(_C.record_id == bindparam("record"), _C.token == bindparam("claim"))
    .values(until=bindparam("ends"))
)
_KEPT: Final = (
    update(RECORD)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .values(due_at=bindparam("ends"))
)


def release(connection: Connection, held: Iterable[Pair], *, at: float, reason: str) -> None:
    """Give back what was claimed and not dialled; as if it had never been, unless no way leads there."""
    pairs = sorted(set(held))
    ids = _claimed(connection, pairs)
    if ids and reason in NO_WAY:
        connection.execute(_SHELVED, {"ids": ids, "ready_at": at + _NO_WAY_S})
    elif ids:
        connection.execute(_RELEASED, {"ids": ids, "now": at})
    end(connection, pairs)
    go_past_forbidden(connection, ids, at)


def renew(connection: Connection, held: Iterable[Pair], *, at: float) -> set[int]:
    """Keep claims up; gives the records that are still claimed by them.

    The number of somebody who talks stays in hand as well, whatever its record has become.
    """
    pairs = sorted(set(held))
    ids = _claimed(connection, pairs)
    extend(connection, pairs, at)
    if ids:
        connection.execute(_KEPT, {"ids": ids, "ends": at + CLAIM_S})
    return set(ids)


def extend(connection: Connection, held: Sequence[Pair], at: float) -> None:
    """Keep numbers in hand for a while from now on."""
    if held:
        connection.execute(_EXTENDED, [{**_named(pair), "ends": at + CLAIM_S} for pair in held])


def end(connection: Connection, held: Sequence[Pair]) -> None:
    """Let go of numbers."""
    if held:
        connection.execute(_ENDED, [_named(pair) for pair in held])


def claims_of(connection: Connection, records: Sequence[int]) -> dict[int, set[int]]:
    """The claims that hold a number for each of these records."""
    found: dict[int, set[int]] = {}
    for row in connection.execute(_CLAIMS, {"ids": list(records)}):
        found.setdefault(row.record_id, set()).add(row.token)
    return found


def _claimed(connection: Connection, held: Sequence[Pair]) -> list[int]:
    """Those of the records that are claimed by these very claims; they cannot change meanwhile."""
    ids = sorted({record for record, _ in held})
    rows = connection.execute(_RECORDS, {"ids": ids})
    claims = claims_of(connection, [row.id for row in rows if row.stage == Stage.CLAIMED])
    theirs = set(held)
    return [
        record
        for record, tokens in claims.items()
        if any((record, each) in theirs for each in tokens)
    ]


def _named(pair: Pair) -> dict[str, Any]:
    return {"record": pair[0], "claim": pair[1]}
