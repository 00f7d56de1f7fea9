"""Recycling: records that are done become ready again, to be tried once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Select, case, func, or_, select, text, update

from acd.dialer.compliance_moves import STATE_OF_STAGE, Stage
from acd.dialer.model import CampaignName, Outcome, RecordState
from crm_store.models.tables import RECORD, RECORD_NUMBER
from crm_store.outbound.campaign_rows import change_campaign, row_of
from crm_store.outbound.shelving import go_past_forbidden, lock_records

_R, _N = RECORD.c, RECORD_NUMBER.c
_DONE: Final = tuple(
    [stage for stage, state in STATE_OF_STAGE.items() if state is RecordState.DONE]
)
_UNREACHED: Final = (Stage.EXHAUSTED, Stage.ENDED)
"""What is meant where nobody says which: neither talked to nor closed by an agent."""
_REACHED: Final = (Outcome.CONNECTED, Outcome.ANNOUNCED)
_AT_ONCE: Final = 2_000


class Recycled(Struct, frozen=True, kw_only=True):
    """Which records are meant."""

    outcomes: tuple[Outcome, ...] = ()
    """Of their last attempt."""
    dispositions: tuple[str, ...] = ()
    fresh: bool = False
    """Their attempts are forgotten as well."""

    @property
    def words(self) -> str:
        """For people."""
        which = ", ".join((*self.outcomes, *self.dispositions)) or "not reached"
        return f"{which}{', their attempts forgotten' if self.fresh else ''}"


def piece(
    connection: Connection, campaign_id: int, which: Recycled, after: int, at: float
) -> tuple[int, int | None]:
    """Recycle some of a list; gives how many, and after which one to go on (None: no more)."""
    query = _wanted(campaign_id, which).where(_R.id > after).order_by(_R.id).limit(_AT_ONCE)
    ids = list(connection.execute(query).scalars())
    if not ids:
        return 0, None
    return make_ready_again(connection, ids, which.fresh, at), ids[-1]


def count(connection: Connection, name: CampaignName, which: Recycled) -> int:
    """How many there are."""
    wanted = _wanted(row_of(connection, name).id, which).subquery()
    return int(connection.execute(select(func.count()).select_from(wanted)).scalar_one())


def note(connection: Connection, name: CampaignName, what: str, *, at: float, by: str) -> None:
    """Keep who did it with the campaign's versions."""
    change_campaign(connection, row_of(connection, name, lock=True), at=at, by=by, what=what)


def make_ready_again(connection: Connection, ids: Sequence[int], fresh: bool, at: float) -> int:
    """Make records that are done ready, at their first number that exists; gives how many.

    What was promised to people holds no more: they are called by the usual rules.
    """
    usable = (
        select(_N.position, _N.number, _N.place_id)
        .where(_N.is_dead.is_(False), _N.record_id == _R.id)
        .order_by(_N.position)
        .limit(1)
    )
    values: dict[str, Any] = {
        "stage": case((_R.owner.is_(None), Stage.READY), else_=Stage.MINE),
        "due_at": None,
        "agent": _R.owner,
        "is_promised": False,
        "counts": {},
        "position": usable.with_only_columns(_N.position).scalar_subquery(),
        "number": usable.with_only_columns(_N.number).scalar_subquery(),
        "place_id": usable.with_only_columns(_N.place_id).scalar_subquery(),
    }
    if fresh:
        values["attempts"] = 0
    lock_records(connection, ids)
    result = connection.execute(
        update(RECORD).where(_R.id.in_(ids), _R.stage.in_(_DONE), usable.exists()).values(values)
    )
    go_past_forbidden(connection, ids, at)
    return int(result.rowcount)


def _wanted(campaign_id: int, which: Recycled) -> Select[Any]:
    query = select(_R.id).where(_R.campaign_id == campaign_id)
    if not which.outcomes and not which.dispositions:
        return query.where(_R.stage.in_(_UNREACHED), _R.last_outcome.not_in(_REACHED))
    # In the words of the index of those that were tried, or it is not used.
    query = query.where(_R.stage.in_(_DONE), text("last_outcome <> ''"))
    return query.where(
        or_(
            _R.last_outcome.in_(which.outcomes),
            _R.last_disposition.in_([each for each in which.dispositions if each]),
        )
    )
