"""What stands on lists, and what was dialled: for people who look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from acd.dialer.model import Attempt, CampaignName, Outcome, RecordId, RecordState
from crm_store.database import Database
from crm_store.errors import NotStored
from crm_store.numbers import normalise
from crm_store.outbound import kept_attempts, misjudging, past, record_rows, recycling
from crm_store.outbound.campaign_rows import row_of
from crm_store.outbound.misjudging import Misjudged
from crm_store.outbound.past import PastAttempt
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.record_rows import AttemptFilter
from crm_store.outbound.recycling import Recycled
from crm_store.outbound.settling import id_of
from crm_store.outbound.views import AttemptView, RecordView

_EXPORTED_AT_ONCE: Final = 1000
MOST: Final = 1000
"""Rows of one page at most."""


class Records:
    """Records of lists, and attempts. `number` may be in any notation."""

    def __init__(self, database: Database, places: PlaceBook, region: str) -> None:
        self._database = database
        self._places = places
        self._region = region

    async def get(self, record: RecordId) -> RecordView:
        """One record with its numbers. Raises `NotStored`."""
        ids = [number for each in (record,) if (number := id_of(each)) is not None]
        found = await self._database.look(
            lambda connection: record_rows.records_by_id(connection, self._places, ids)
        )
        if not found:
            raise NotStored(f"there is no record {record}")
        return found[0]

    async def page(
        self,
        campaign: CampaignName,
        *,
        state: RecordState | None = None,
        outcome: Outcome | None = None,
        number: str = "",
        after: RecordId | None = None,
        limit: int = 100,
    ) -> list[RecordView]:
        """Records as imported; `after` is the last of the page before. `number` in any notation."""

        def work(connection: Connection) -> list[RecordView]:
            ids = record_rows.page_of_ids(
                connection,
                row_of(connection, campaign).id,
                state=state,
                outcome=outcome,
                number=self._value(number),
                after=(id_of(after) or 0) if after else 0,
                limit=min(limit, MOST),
            )
            return record_rows.records_by_id(connection, self._places, ids)

        return await self._database.look(work)

    async def retry(
        self, records: Sequence[RecordId], *, at: float, by: str, fresh: bool = False
    ) -> int:
        """Make records that are done ready again (recycling); gives how many.

        Their retries are counted anew; `fresh`: and their attempts. Blocked ones, and those without any
        number that exists, stay.
        """
        ids = [number for each in records if (number := id_of(each)) is not None]
        if not ids:
            return 0
        return await self._database.work(
            lambda connection: recycling.make_ready_again(connection, ids, fresh, at)
        )

    async def recycle(
        self,
        campaign: CampaignName,
        *,
        outcomes: Sequence[Outcome] = (),
        dispositions: Sequence[str] = (),
        fresh: bool = False,
        at: float,
        by: str,
        dry: bool = False,
    ) -> int:
        """As `retry`, for all that ended so; without any word: all that were not reached.

        In pieces; gives how many. `dry`: only counts. It is kept with the campaign's versions, also where
        it is broken off. Raises `NotStored`.
        """
        which = Recycled(outcomes=tuple(outcomes), dispositions=tuple(dispositions), fresh=fresh)
        if dry:
            return await self._database.look(partial(recycling.count, name=campaign, which=which))
        number = await self._database.look(lambda connection: row_of(connection, campaign).id)
        found, after, is_over = 0, 0, False
        try:
            while not is_over:
                count, last = await self._database.work(
                    partial(recycling.piece, campaign_id=number, which=which, after=after, at=at)
                )
                found, after, is_over = found + count, last or after, last is None
        finally:
            if found:
                how = "" if is_over else ", then it was broken off"
                what = f"{found:,} records recycled{how}: {which.words}"
                note = partial(recycling.note, name=campaign, what=what, at=at, by=by)
                await asyncio.shield(self._database.work(note))
        return found

    async def misjudged(
        self, campaign: CampaignName, attempt: str, *, at: float, by: str
    ) -> Misjudged | None:
        """Say that a person answered an attempt that ended as a machine's; None: that was said before.

        It is kept with the campaign's versions. Raises `NotStored`, `BadRecord`.
        """
        return await self._database.work(
            partial(misjudging.misjudged, campaign=campaign, attempt=attempt, at=at, by=by)
        )

    async def attempt(self, attempt: str) -> Attempt | None:
        """One attempt as the dialer told it, given back; None: there is none of this id."""
        return await self._database.look(partial(kept_attempts.find, attempt=attempt))

    async def attempts_of(self, record: RecordId) -> list[AttemptView]:
        """The attempts of one record, newest first."""
        return await self._attempts(AttemptFilter(record=id_of(record) or 0), None, MOST)

    async def past(self, record: RecordId) -> list[PastAttempt]:
        """What came of a record before, newest first, with notes: for who calls the person next."""
        number = id_of(record)
        if number is None:
            return []
        return await self._database.look(partial(past.past_of, record=number))

    async def attempts(
        self,
        *,
        campaign: CampaignName | None = None,
        number: str = "",
        outcome: Outcome | None = None,
        since: float | None = None,
        until: float | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[AttemptView]:
        """Newest first; `before` is `dialled_at` and `id` of the last of the page before.

        `outcome=Outcome.ABANDONED` is the list "answered, no agent": who opted out then is on it.
        """
        wanted = AttemptFilter(
            campaign=campaign,
            number=self._value(number),
            outcome=outcome,
            since=since,
            until=until,
        )
        return await self._attempts(wanted, before, min(limit, MOST))

    async def export(
        self,
        *,
        campaign: CampaignName | None = None,
        number: str = "",
        outcome: Outcome | None = None,
        since: float | None = None,
        until: float | None = None,
        with_judged: bool = False,
    ) -> AsyncIterator[bytes]:
        """Who was called when and why it was allowed: CSV (UTF-8 with BOM) in pieces, oldest first.

        `with_judged`: and what the classifier heard, some kilobytes an attempt.

        Each piece is a query of its own: nothing is held open while somebody downloads slowly.
        """
        wanted = AttemptFilter(
            campaign=campaign,
            number=self._value(number),
            outcome=outcome,
            since=since,
            until=until,
        )
        columns = record_rows.export_columns(with_judged=with_judged)
        piece = record_rows.export_header(columns)
        beyond: tuple[float, str] | None = None
        while True:
            found = await self._database.look(
                partial(
                    record_rows.attempts_page,
                    wanted=wanted,
                    newest_first=False,
                    beyond=beyond,
                    limit=_EXPORTED_AT_ONCE,
                )
            )
            # The headers come with the first rows: where the store is away, nothing is sent.
            yield piece + record_rows.export_lines(found, columns)
            if len(found) < _EXPORTED_AT_ONCE:
                return
            piece, beyond = b"", (found[-1].dialled_at, found[-1].id)

    async def _attempts(
        self, wanted: AttemptFilter, before: tuple[float, str] | None, limit: int
    ) -> list[AttemptView]:
        return await self._database.look(
            lambda connection: record_rows.attempts_page(
                connection, wanted, newest_first=True, beyond=before, limit=limit
            )
        )

    def _value(self, number: str) -> str:
        return normalise(number, self._region).value if number else ""
