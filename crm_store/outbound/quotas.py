"""Quotas: how many records with a fact were reached, and which are not wanted any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select, text, update

from acd.dialer.compliance_moves import Stage
from acd.dialer.model import Outcome
from acd.dialer.settings import Quota
from crm_store.models.tables import RECORD
from crm_store.outbound.campaign_rows import Known

_COUNTED_S: Final = 2.0
"""A quota that was not full is counted again after so long."""
_R = RECORD.c


def full_quotas(connection: Connection, known: Known, at: float) -> tuple[Quota, ...]:
    """The quotas of a campaign that are reached."""
    full: list[Quota] = []
    for number, quota in enumerate(known.settings.quotas):
        counted_at, count = known.quotas.get(number, (None, 0))
        # One that is full stays so until the settings change.
        if count < quota.goal and not (
            counted_at is not None and 0 <= at - counted_at < _COUNTED_S
        ):
            count = int(connection.execute(_count(known.id, quota)).scalar_one())
            known.quotas[number] = (at, count)
        if count >= quota.goal:
            full.append(quota)
    return tuple(full)


def quota_of(full: Sequence[Quota], facts: Mapping[str, Any]) -> str:
    """The full quota that a record falls under, in words; empty: none."""
    for quota in full:
        if str(facts.get(quota.column, "")) == quota.value:
            return f"enough with {quota.column} {quota.value!r}: the quota of {quota.goal} is full"
    return ""


def wake_shelved(connection: Connection, campaign_id: int) -> None:
    """Make records that a quota held back ready again: it was raised, or is gone."""
    for mine, stage in ((_R.agent.is_(None), Stage.READY), (_R.agent.is_not(None), Stage.MINE)):
        connection.execute(
            update(RECORD)
            .where(_R.campaign_id == campaign_id, _R.stage == Stage.QUOTA, mine)
            .values(stage=stage)
        )


def _count(campaign_id: int, quota: Quota) -> Select[Any]:
    query = select(func.count()).where(
        _R.campaign_id == campaign_id, _R.facts[quota.column].as_string() == quota.value
    )
    # In the words of the index of those that were tried, or it is not used.
    query = query.where(text("last_outcome <> ''"))
    if quota.disposition:
        return query.where(_R.last_disposition == quota.disposition)
    return query.where(_R.last_outcome.in_((Outcome.CONNECTED, Outcome.ANNOUNCED)))
