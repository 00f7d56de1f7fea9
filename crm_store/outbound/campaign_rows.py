"""Campaigns as rows: read, written, and remembered for a moment by those who need them often."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, text, update

from acd.dialer.compliance_places import Place
from acd.dialer.model import CampaignName, CampaignState
from acd.dialer.settings import CampaignSettings
from crm_store.errors import NotStored
from crm_store.models.tables import CAMPAIGN, CAMPAIGN_VERSION
from crm_store.outbound.places import Openings
from crm_store.outbound.views import Campaign, CampaignVersion

FRESH_S: Final = 1.0
"""Another server may have changed a campaign: what was read is believed so long."""
_BY_NAME: Final = select(CAMPAIGN)
_VERSION: Final = text("SELECT id, version FROM campaign WHERE name = :name AND deleted_at IS NULL")


class ReadyPlace(NamedTuple):
    """A place of a list that has ready records."""

    id: int
    rank: int
    """The lowest of them."""
    place: Place


class Known:
    """One campaign as claims and settlements need it."""

    __slots__ = (
        "are_quotas_counted",
        "id",
        "is_deleted",
        "looked_at",
        "openings",
        "places",
        "quotas",
        "quotas_read_at",
        "ranked_by",
        "read_at",
        "refreshed_at",
        "settings",
        "state",
        "version",
    )

    def __init__(self, row: Row[Any], at: float) -> None:
        self.id: int = row.id
        self.version: int = row.version
        self.is_deleted: bool = row.deleted_at is not None
        self.ranked_by: str = row.ranked_by
        self.state = CampaignState(row.state)
        self.settings = read_settings(row.settings)
        self.openings = Openings(self.settings.windows)
        self.read_at = at
        self.refreshed_at: float | None = None
        """When its waiting records were looked at last."""
        self.places: tuple[ReadyPlace, ...] = ()
        """Those that have ready records, the best first, as of `looked_at`."""
        self.looked_at = -math.inf
        self.quotas: dict[str, int] = {}
        """How many of each kind were reached, as of `quotas_read_at`."""
        self.quotas_read_at: float | None = None
        self.are_quotas_counted = False
        """Whether the store keeps a count for each quota."""


class CampaignBook:
    """Campaigns by name. What this process changes is forgotten at once."""

    def __init__(self) -> None:
        self._known: dict[CampaignName, Known] = {}

    def get(self, connection: Connection, name: CampaignName, at: float) -> Known:
        """One campaign. Raises `NotStored`."""
        known = self._known.get(name)
        if known is not None and 0 <= at - known.read_at < FRESH_S:
            return known
        if known is not None:
            is_now = connection.execute(_VERSION, {"name": name}).one_or_none()
            if is_now == (known.id, known.version):
                known.read_at = at
                return known
        known = self._known[name] = Known(row_of(connection, name), at)
        return known

    def deleted(self, connection: Connection, name: CampaignName) -> Known | None:
        """The latest of those that had a name and were deleted; None: there is none."""
        row = next(iter(deleted_rows(connection, name)), None)
        return None if row is None else Known(row, 0.0)

    def forget(self, name: CampaignName) -> None:
        """It was changed."""
        self._known.pop(name, None)


def row_of(connection: Connection, name: CampaignName, *, lock: bool = False) -> Row[Any]:
    """The row of a campaign. Raises `NotStored`."""
    query = _BY_NAME.where(CAMPAIGN.c.name == name, CAMPAIGN.c.deleted_at.is_(None))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotStored(f"there is no campaign {name!r}")
    return row


def deleted_rows(connection: Connection, name: CampaignName) -> list[Row[Any]]:
    """Campaigns that had a name and were deleted, the latest first."""
    columns = CAMPAIGN.c
    query = select(CAMPAIGN).where(
        columns.deleted_at.is_not(None), columns.name.startswith(f"{name} (", autoescape=True)
    )
    rows = connection.execute(query.order_by(columns.id.desc())).all()
    return [row for row in rows if row.name == name_of_deleted(name, row.id)]


def name_of_deleted(name: str, number: int) -> str:
    """What a campaign is called once its name is free for another."""
    return f"{name} ({number})"


def names_of(connection: Connection) -> dict[int, CampaignName]:
    """The names of all campaigns, deleted ones included."""
    rows = connection.execute(select(CAMPAIGN.c.id, CAMPAIGN.c.name))
    return {row.id: CampaignName(row.name) for row in rows}


def read_settings(raw: object) -> CampaignSettings:
    """Settings as they were kept. What this program does not know any more is left out."""
    return msgspec.convert(raw, CampaignSettings)


def view_of(row: Row[Any]) -> Campaign:
    """A campaign's row as others see it."""
    return Campaign(
        name=CampaignName(row.name),
        state=CampaignState(row.state),
        settings=read_settings(row.settings),
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        finished_at=row.finished_at,
    )


def version_of(row: Row[Any]) -> CampaignVersion:
    """A version's row as others see it."""
    return CampaignVersion(
        version=row.version,
        at=row.at,
        by=row.by,
        what=row.what,
        state=CampaignState(row.state),
        settings=read_settings(row.settings),
    )


def insert_campaign(
    connection: Connection, settings: CampaignSettings, *, at: float, by: str, what: str
) -> int:
    """Add a draft and give its id."""
    kept = msgspec.to_builtins(settings)
    state = CampaignState.DRAFT
    result = connection.execute(
        insert(CAMPAIGN).values(
            name=settings.name,
            state=state,
            settings=kept,
            version=1,
            ranked_by=settings.order,
            created_at=at,
            created_by=by,
            changed_at=at,
            changed_by=by,
        )
    )
    number = int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0
    _keep(connection, number, 1, at, by, what, state, kept)
    return number


def change_campaign(
    connection: Connection,
    row: Row[Any],
    *,
    at: float,
    by: str,
    what: str,
    settings: CampaignSettings | None = None,
    state: CampaignState | None = None,
) -> None:
    """Write what changed, and keep the version."""
    kept = row.settings if settings is None else msgspec.to_builtins(settings)
    state = state or CampaignState(row.state)
    version = row.version + 1
    finished_at = (row.finished_at or at) if state is CampaignState.FINISHED else None
    connection.execute(
        update(CAMPAIGN)
        .where(CAMPAIGN.c.id == row.id)
        .values(
            settings=kept,
            state=state,
            version=version,
            changed_at=at,
            changed_by=by,
            finished_at=finished_at,
        )
    )
    _keep(connection, row.id, version, at, by, what, state, kept)


def _keep(
    connection: Connection,
    number: int,
    version: int,
    at: float,
    by: str,
    what: str,
    state: CampaignState,
    settings: object,
) -> None:
    connection.execute(
        insert(CAMPAIGN_VERSION).values(
            campaign_id=number,
            version=version,
            at=at,
            by=by,
            what=what,
            state=state,
            settings=settings,
        )
    )
