"""Campaigns: made, changed with every version kept, copied, finished, removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text, update

from acd.dialer.compliance_moves import STATE_OF_STAGE, Stage
from acd.dialer.model import NOT_AN_ATTEMPT, AttemptId, CampaignName, CampaignState, RecordState
from acd.dialer.settings import CampaignSettings
from acd.dialer.settings_check import problems_of
from crm_store.database import Database
from crm_store.errors import BadRecord
from crm_store.models.tables import (
    ATTEMPT,
    CAMPAIGN,
    CAMPAIGN_VERSION,
    RECORD,
)
from crm_store.outbound.campaign_rows import (
    CampaignBook,
    change_campaign,
    insert_campaign,
    name_of_deleted,
    row_of,
    version_of,
    view_of,
)
from crm_store.outbound.history import CampaignHistory, history_of
from crm_store.outbound.mass_changes import copy_list, delete_list, rank_anew
from crm_store.outbound.quotas import wake_shelved
from crm_store.outbound.views import Campaign, CampaignVersion, Penetration

_R = RECORD.c
_OPEN = (RecordState.READY, RecordState.CLAIMED)
_LONGEST = 2000
"""Letters of a value in the words of a change; the version itself has all of it."""
MOST_NAME = 64


class Campaigns:
    """Campaigns and their versions."""

    def __init__(self, database: Database, book: CampaignBook) -> None:
        self._database = database
        self._book = book

    async def create(self, settings: CampaignSettings, *, at: float, by: str) -> Campaign:
        """Add a draft. Raises `BadRecord`: the name is taken, or settings contradict each other."""
        _check(settings)

        def work(connection: Connection) -> Campaign:
            _must_be_free(connection, settings.name)
            insert_campaign(connection, settings, at=at, by=by, what="created")
            return view_of(row_of(connection, settings.name))

        return await self._database.work(work)

    async def get(self, name: CampaignName) -> Campaign:
        """One campaign. Raises `NotStored`."""
        return await self._database.look(lambda connection: view_of(row_of(connection, name)))

    async def all(self) -> list[Campaign]:
        """All that were not deleted, by name."""
        query = select(CAMPAIGN).where(CAMPAIGN.c.deleted_at.is_(None)).order_by(CAMPAIGN.c.name)
        return await self._database.look(
            lambda connection: [view_of(row) for row in connection.execute(query)]
        )

    async def update(
        self, settings: CampaignSettings, *, at: float, by: str, expected: int | None = None
    ) -> Campaign:
        """Replace the settings of the campaign with this name; the old ones stay as a version.

        `expected`: the version that the change was made from; raises `BadRecord` if somebody was
        faster. Settings that are the same as before change nothing.
        """
        _check(settings)

        def work(connection: Connection) -> tuple[Campaign, int, bool]:
            row = row_of(connection, settings.name, lock=True)
            if expected is not None and row.version != expected:
                raise BadRecord(
                    f"campaign {settings.name!r} was changed by {row.changed_by} meanwhile "
                    f"(version {row.version}, yours was made from {expected}); look at it again"
                )
            before = view_of(row).settings
            what = _difference(before, settings)
            if what:
                change_campaign(connection, row, at=at, by=by, what=what, settings=settings)
            if before.quotas != settings.quotas:
                wake_shelved(connection, row.id)
            changed = view_of(row_of(connection, settings.name))
            return changed, row.id, row.ranked_by != settings.order

        changed, number, rank = await self._database.work(work)
        self._book.forget(settings.name)
        if rank:
            await rank_anew(self._database, number, settings.order)
            self._book.forget(settings.name)
        return changed

    async def set_state(
        self, name: CampaignName, state: CampaignState, *, at: float, by: str
    ) -> Campaign:
        """Run, pause, finish (also back again). Raises `NotStored`."""

        def work(connection: Connection) -> Campaign:
            row = row_of(connection, name, lock=True)
            if row.state != state:
                what = f"{row.state} -> {state}"
                change_campaign(connection, row, at=at, by=by, what=what, state=state)
            return view_of(row_of(connection, name))

        changed = await self._database.work(work)
        self._book.forget(name)
        return changed

    async def copy(
        self, name: CampaignName, new: CampaignName, *, at: float, by: str, with_list: bool = False
    ) -> Campaign:
        """A draft with the same settings; `with_list`: and all records, as if none was dialled.

        Who was blocked stays blocked. A list is copied in pieces; the draft can be looked at meanwhile.
        """

        def work(connection: Connection) -> tuple[Campaign, int, int]:
            row = row_of(connection, name)
            settings = msgspec.structs.replace(view_of(row).settings, name=new)
            _check(settings)
            _must_be_free(connection, new)
            number = insert_campaign(connection, settings, at=at, by=by, what=f"copied from {name}")
            return view_of(row_of(connection, new)), row.id, number

        made, old_id, new_id = await self._database.work(work)
        if with_list:
            file = f"copy of {name}"
            await copy_list(
                self._database, old_id, new_id, made.settings.order, file=file, at=at, by=by
            )
        return made

    async def delete(self, name: CampaignName, *, at: float, by: str) -> None:
        """Remove a campaign and its list. Attempts and versions are kept. `BadRecord` while it runs."""

        def work(connection: Connection) -> int:
            row = row_of(connection, name, lock=True)
            if row.state == CampaignState.RUNNING:
                raise BadRecord(f"campaign {name!r} is running; pause or finish it first")
            change_campaign(
                connection, row, at=at, by=by, what="deleted", state=CampaignState.FINISHED
            )
            connection.execute(
                update(CAMPAIGN)
                .where(CAMPAIGN.c.id == row.id)
                .values(deleted_at=at, name=name_of_deleted(name, row.id))
            )
            return int(row.id)

        number = await self._database.work(work)
        self._book.forget(name)
        await delete_list(self._database, number)

    async def versions(self, name: CampaignName) -> list[CampaignVersion]:
        """Every change, newest first. Raises `NotStored`."""

        def work(connection: Connection) -> list[CampaignVersion]:
            row = row_of(connection, name)
            query = select(CAMPAIGN_VERSION).where(CAMPAIGN_VERSION.c.campaign_id == row.id)
            query = query.order_by(CAMPAIGN_VERSION.c.version.desc())
            return [version_of(each) for each in connection.execute(query)]

        return await self._database.look(work)

    async def history(
        self,
        name: CampaignName,
        *,
        since: float,
        midnight: float,
        without: Sequence[AttemptId] = (),
    ) -> CampaignHistory:
        """What it did, but for some attempts: counts ever and since `midnight`, live answers since `since`.

        Raises `NotStored`.
        """
        return await self._database.look(
            lambda connection: history_of(
                connection, name, since=since, midnight=midnight, without=without
            )
        )

    async def penetration(self, name: CampaignName) -> Penetration:
        """How far the list has been worked through. Raises `NotStored`."""

        def work(connection: Connection) -> Penetration:
            return _penetration(connection, row_of(connection, name).id, name)

        return await self._database.look(work)


def _penetration(connection: Connection, number: int, name: CampaignName) -> Penetration:
    by_stage: dict[str, int] = {
        row[0]: row[1]
        for row in connection.execute(
            select(_R.stage, func.count()).where(_R.campaign_id == number).group_by(_R.stage)
        )
    }
    by_state: dict[str, int] = {state.value: 0 for state in RecordState}
    for stage, count in by_stage.items():
        by_state[STATE_OF_STAGE[Stage(stage)]] += count
    by_outcome: dict[str, int] = {}
    open_and_tried = 0
    tried = connection.execute(
        # In the words of the index of those that were tried, or it is not used.
        select(_R.last_outcome, _R.stage, func.count())
        .where(_R.campaign_id == number, text("last_outcome <> ''"))
        .group_by(_R.last_outcome, _R.stage)
    )
    for outcome, stage, count in tried:
        by_outcome[outcome] = by_outcome.get(outcome, 0) + count
        if STATE_OF_STAGE[Stage(stage)] in _OPEN:
            open_and_tried += count
    # By outcome too, as that index lies: or SQLite takes the one of the stages, and looks at each record.
    only_read = connection.execute(
        select(_R.last_outcome, _R.stage, func.count())
        .where(
            _R.campaign_id == number,
            text("last_outcome <> ''"),
            _R.last_outcome.in_(sorted(NOT_AN_ATTEMPT)),
            _R.attempts == 0,
        )
        .group_by(_R.last_outcome, _R.stage)
    ).all()
    open_and_tried -= sum(
        count for _, stage, count in only_read if STATE_OF_STAGE[Stage(stage)] in _OPEN
    )
    attempts = select(func.count()).where(ATTEMPT.c.campaign_id == number)
    return Penetration(
        campaign=name,
        total=sum(by_stage.values()),
        untouched=by_state[RecordState.READY] + by_state[RecordState.CLAIMED] - open_and_tried,
        by_state=by_state,
        by_stage=by_stage,
        by_outcome=by_outcome,
        tried=sum(by_outcome.values()) - sum(count for *_, count in only_read),
        goal_reached=by_stage.get(Stage.REACHED, 0) + by_stage.get(Stage.FINAL, 0),
        attempts=int(connection.execute(attempts).scalar_one()),
    )


def _check(settings: CampaignSettings) -> None:
    name = settings.name
    if not name.strip() or name != name.strip() or len(name) > MOST_NAME:
        raise BadRecord(f"a campaign's name has 1 to {MOST_NAME} characters: {name[:80]!r}")
    if not name.isprintable() or "/" in name:
        raise BadRecord(f"campaign name {name!r}: use letters, digits, blanks and - _ .")
    if problems := problems_of(settings):
        raise BadRecord("; ".join(problems))


def _must_be_free(connection: Connection, name: CampaignName) -> None:
    taken = select(CAMPAIGN.c.id).where(CAMPAIGN.c.name == name)
    if connection.execute(taken).first() is not None:
        raise BadRecord(f"there is a campaign {name!r} already; choose another name")


def _difference(before: CampaignSettings, after: CampaignSettings) -> str:
    """What changed, in words; empty: nothing."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return "; ".join(_changes("", old, new))


def _changes(where: str, old: Any, new: Any) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted(old.keys() | new.keys())
        return [
            change
            for name in names
            for change in _changes(
                f"{where}.{name}" if where else name, old.get(name), new.get(name)
            )
        ]
    if old == new:
        return []
    return [f"{where}: {_short(old)} -> {_short(new)}"]


def _short(value: Any) -> str:
    shown = msgspec.json.encode(value).decode()
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"
