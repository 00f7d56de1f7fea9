"""Quotas: how many records with a fact were reached, and which are not wanted any more.

A list is counted once for each quota, when a claim meets it first; from then on every settlement adds
what it changes, in its own transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.compliance_moves import Stage
from acd.dialer.model import Outcome
from acd.dialer.settings import Quota
from crm_store.models.tables import QUOTA, RECORD
from crm_store.outbound.campaign_rows import Known

_READ_S: Final = 2.0
"""A count that was read is believed so long."""
_REACHED: Final = (Outcome.CONNECTED, Outcome.ANNOUNCED)
_R, _Q = RECORD.c, QUOTA.c
_COUNTING: Final = 0x5155
"""Key of PostgreSQL's advisory locks: who counts a list keeps settlements out."""
_ADDED: Final = (
    update(QUOTA)
    .where(_Q.campaign_id == bindparam("campaign"), _Q.kind == bindparam("which"))
    .values(reached=_Q.reached + bindparam("more"))
)

Changes = Counter[tuple[int, str]]
"""By campaign and kind, how many more were reached."""


def full_quotas(connection: Connection, known: Known, at: float) -> tuple[Quota, ...]:
    """The quotas of a campaign that are reached."""
    quotas = known.settings.quotas
    if not quotas:
        return ()
    if known.quotas_read_at is None or not 0 <= at - known.quotas_read_at < _READ_S:
        counts = _read(connection, known.id)
        missing = [quota for quota in quotas if _kind(quota) not in counts]
        known.are_quotas_counted = not missing
        counts |= {_kind(each): _counted(connection, known.id, each) for each in missing}
        known.quotas = counts
        known.quotas_read_at = at
    return tuple([each for each in quotas if known.quotas.get(_kind(each), 0) >= each.goal])


def count_quotas(connection: Connection, known: Known) -> None:
    """Count the list for quotas that are new. To be called before any record is locked."""
    if known.are_quotas_counted or not known.settings.quotas:
        return
    _lock(connection, known.id, "")
    counts = _read(connection, known.id)
    rows = [
        {
            "campaign_id": known.id,
            "kind": kind,
            "reached": _counted(connection, known.id, quota),
        }
        for kind, quota in {_kind(each): each for each in known.settings.quotas}.items()
        if kind not in counts
    ]
    if rows:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(QUOTA).on_conflict_do_nothing(), rows)
    known.are_quotas_counted = True


def keep_out_counting(connection: Connection, campaigns: Iterable[Known]) -> None:
    """Nobody counts these lists until the transaction is over."""
    for known in sorted(campaigns, key=lambda each: each.id):
        if known.settings.quotas:
            _lock(connection, known.id, "_shared")


def kinds_of(known: Known, record: Mapping[str, Any]) -> Changes:
    """The quotas that a record, as it is, counts for."""
    return Counter(
        (known.id, _kind(quota))
        for quota in known.settings.quotas
        if _is_of(quota, record["facts"]) and _is_reached(quota, record)
    )


def add(connection: Connection, changes: Changes) -> None:
    """Note what changed; kinds that nobody has counted yet are left out."""
    rows = [
        {"campaign": campaign, "which": kind, "more": more}
        for (campaign, kind), more in sorted(changes.items())
        if more
    ]
    if rows:
        connection.execute(_ADDED, rows)


def quota_of(full: Sequence[Quota], facts: Mapping[str, Any]) -> str:
    """The full quota that a record falls under, in words; empty: none."""
    for quota in full:
        if _is_of(quota, facts):
            return f"enough with {quota.column} {quota.value!r}: the quota of {quota.goal} is full"
    return ""


def wake_shelved(connection: Connection, campaign_id: int) -> None:
    """Make records that a quota held back ready again: it was raised, or is gone."""
    shelved = (_R.campaign_id == campaign_id, _R.stage == Stage.QUOTA)
    connection.execute(select(_R.id).where(*shelved).order_by(_R.id).with_for_update())
    for mine, stage in ((_R.agent.is_(None), Stage.READY), (_R.agent.is_not(None), Stage.MINE)):
        connection.execute(update(RECORD).where(*shelved, mine).values(stage=stage))


def _kind(quota: Quota) -> str:
    return msgspec.json.encode([quota.column, quota.value, quota.disposition]).decode()


def _is_of(quota: Quota, facts: Mapping[str, Any]) -> bool:
    return str(facts.get(quota.column, "")) == quota.value


def _is_reached(quota: Quota, record: Mapping[str, Any]) -> bool:
    if quota.disposition:
        return bool(record["last_disposition"] == quota.disposition)
    return record["last_outcome"] in _REACHED


def _read(connection: Connection, campaign_id: int) -> dict[str, int]:
    rows = connection.execute(select(_Q.kind, _Q.reached).where(_Q.campaign_id == campaign_id))
    return {row.kind: row.reached for row in rows}


def _lock(connection: Connection, campaign_id: int, kind: str) -> None:
    """On SQLite the transaction has the right to write, so it is alone."""
    if connection.dialect.name == "postgresql":
        statement = text(f"SELECT pg_advisory_xact_lock{kind}(:key, :campaign)")
        connection.execute(statement, {"key": _COUNTING, "campaign": campaign_id})


def _counted(connection: Connection, campaign_id: int, quota: Quota) -> int:
    return int(connection.execute(_count(campaign_id, quota)).scalar_one())


def _count(campaign_id: int, quota: Quota) -> Select[Any]:
    query = select(func.count()).where(
        _R.campaign_id == campaign_id, _R.facts[quota.column].as_string() == quota.value
    )
    # In the words of the index of those that were tried, or it is not used.
    query = query.where(text("last_outcome <> ''"))
    if quota.disposition:
        return query.where(_R.last_disposition == quota.disposition)
    return query.where(_R.last_outcome.in_(_REACHED))
