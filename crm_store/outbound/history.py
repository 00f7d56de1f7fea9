"""What a campaign did before a start of the server: counts, and the live answers that the law looks at."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, func, select

from acd.dialer.model import LIVE, CampaignName, Outcome
from crm_store.models.tables import ATTEMPT
from crm_store.outbound.campaign_rows import row_of

_A = ATTEMPT.c


class CampaignHistory(Struct, frozen=True, kw_only=True):
    """Of one campaign. Times are seconds since 1970."""

    totals: dict[Outcome, int]
    """Attempts by outcome, ever."""
    today: dict[Outcome, int]
    """Those dialled since midnight."""
    live: list[tuple[float, Outcome]]
    """Who was answered by a person, and when, oldest first."""


def history_of(
    connection: Connection, name: CampaignName, *, since: float, midnight: float
) -> CampaignHistory:
    """Count attempts; live answers since `since`. Raises `NotStored`."""
    of_campaign = _A.campaign_id == row_of(connection, name).id
    live = select(func.coalesce(_A.answered_at, _A.dialled_at), _A.outcome).where(
        of_campaign, _A.dialled_at >= since, _A.outcome.in_(sorted(LIVE))
    )
    return CampaignHistory(
        totals=_counted(connection, of_campaign),
        today=_counted(connection, of_campaign, _A.dialled_at >= midnight),
        live=[
            (float(at), Outcome(outcome))
            for at, outcome in connection.execute(live.order_by(_A.dialled_at))
        ],
    )


def _counted(connection: Connection, *where: object) -> dict[Outcome, int]:
    query = select(_A.outcome, func.count()).where(*where).group_by(_A.outcome)  # type: ignore[arg-type]
    return {Outcome(outcome): int(count) for outcome, count in connection.execute(query)}
