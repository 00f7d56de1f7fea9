"""What a campaign did before a start of the server: counts, and those that the law looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Integer, Row, and_, case, cast, func, or_, select

from acd.dialer.legal import Counts
from acd.dialer.model import LIVE, AttemptId, CampaignName, Mode, Outcome, was_abandoned
from crm_store.models.tables import ATTEMPT
from crm_store.outbound.campaign_rows import read_settings, row_of

_A = ATTEMPT.c
_HOUR_S: Final = 3600.0


class CampaignHistory(Struct, frozen=True, kw_only=True):
    """Of one campaign. Times are seconds since 1970."""

    totals: dict[Outcome, int]
    """Attempts by outcome, ever."""
    today: dict[Outcome, int]
    """Those dialled since midnight."""
    counted: list[tuple[float, Counts]]
    """The live answers by hour, each with when the hour began, oldest first."""


def history_of(
    connection: Connection,
    name: CampaignName,
    *,
    since: float,
    midnight: float,
    without: Sequence[AttemptId] = (),
) -> CampaignHistory:
    """Count attempts, but for those `without`; live answers since `since`. Raises `NotStored`."""
    campaign = row_of(connection, name)
    of_campaign = and_(_A.campaign_id == campaign.id, _A.id.not_in(without))
    machines = read_settings(campaign.settings).machine_dispositions
    return CampaignHistory(
        totals=_counted(connection, of_campaign),
        today=_counted(connection, of_campaign, _A.dialled_at >= midnight),
        counted=_by_hour(connection, of_campaign, since, machines),
    )


def _counted(connection: Connection, *where: object) -> dict[Outcome, int]:
    query = select(_A.outcome, func.count()).where(*where).group_by(_A.outcome)  # type: ignore[arg-type]
    return {Outcome(outcome): int(count) for outcome, count in connection.execute(query)}


def _by_hour(
    connection: Connection,
    of_campaign: ColumnElement[bool],
    since: float,
    machines: tuple[str, ...],
) -> list[tuple[float, Counts]]:
    """Added up by the store: a month may have millions of answers."""
    hour_of: Any = func.coalesce(_A.answered_at, _A.dialled_at) / _HOUR_S
    if connection.dialect.name != "sqlite":  # which cuts off by itself, and may know no floor
        hour_of = func.floor(hour_of)
    is_reported = and_(_A.outcome == Outcome.CONNECTED, _A.disposition.in_(machines))
    grouped = (
        cast(hour_of, Integer).label("hour"),
        _A.outcome.label("outcome"),
        (_A.mode == Mode.ANNOUNCEMENT).label("is_announcement"),
        case((is_reported, 1), else_=0).label("is_reported"),
    )
    query = (
        select(*grouped, func.count().label("times"), func.sum(_A.doubt).label("doubt"))
        .where(
            of_campaign,
            _A.dialled_at >= since,
            or_(_A.outcome.in_(sorted(LIVE)), _A.doubt > 0.0),
        )
        .group_by("hour", "outcome", "is_announcement", "is_reported")
    )
    hours: dict[int, Counts] = {}
    for row in connection.execute(query):
        counts = hours.setdefault(row.hour, Counts())
        counts.add(_counts(row))
        counts.add(Counts(live=row.doubt, abandoned=row.doubt))
    return [(hour * _HOUR_S, counts) for hour, counts in sorted(hours.items())]


def _counts(row: Row[Any]) -> Counts:
    times = float(row.times) if row.outcome in LIVE else 0.0
    if row.is_reported:
        return Counts(connected=times, reported=times)
    is_abandoned = was_abandoned(Outcome(row.outcome), has_agents=not row.is_announcement)
    return Counts(
        live=times,
        abandoned=times if is_abandoned else 0.0,
        connected=times if row.outcome == Outcome.CONNECTED else 0.0,
    )
