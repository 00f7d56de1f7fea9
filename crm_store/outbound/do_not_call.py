"""Do-not-call lists, for people who keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from acd.dialer.model import CampaignName
from crm_store.database import Database
from crm_store.errors import BadRecord
from crm_store.numbers import country_of, normalise
from crm_store.outbound import batches, forbidding
from crm_store.outbound.campaign_rows import CampaignBook, row_of
from crm_store.outbound.forbidding import Ban
from crm_store.outbound.list_file import ErrorFile
from crm_store.outbound.number_file import NumberFile
from crm_store.outbound.numbers_known import NATIONAL, scope_of
from crm_store.outbound.views import BatchState, BatchView, DoNotCallEntry, Progress, RemovedEntry

_DROPPED_AT_ONCE = 1000
_LEAST_SHARE = 0.9
"""A national list that has fewer numbers than this share of the one before was cut short, most likely."""
MOST = 1000
"""Entries of one page at most."""


class DoNotCall:
    """The lists of numbers that are not called: of the centre, of campaigns, national."""

    def __init__(self, database: Database, book: CampaignBook, region: str) -> None:
        self._database = database
        self._book = book
        self._region = region

    async def add(
        self,
        numbers: Sequence[str],
        *,
        campaign: CampaignName | None,
        reason: str,
        source: str,
        by: str,
        at: float,
        until: float | None = None,
    ) -> int:
        """Put numbers in any notation on the centre's list, or on a campaign's; records go at once.

        Gives how many are new. Raises `BadRecord` with those that are no numbers; none is added then.
        """
        values = [self._value(number) for number in numbers]

        def work(connection: Connection) -> int:
            ban = Ban(
                campaign_id=_id(connection, campaign),
                reason=reason,
                source=source,
                by=by,
                at=at,
                until=until,
            )
            return forbidding.forbid(connection, values, ban)

        return await self._database.work(work)

    async def remove(
        self, number: str, *, campaign: CampaignName | None, by: str, at: float
    ) -> bool:
        """Take a number off a list (None: the centre's). Records it blocked may be dialled again."""
        value = self._value(number)

        def work(connection: Connection) -> bool:
            scope = scope_of(_id(connection, campaign))
            return forbidding.permit(connection, [value], scope, at=at, by=by) > 0

        return await self._database.work(work)

    async def find(self, number: str, at: float) -> list[DoNotCallEntry]:
        """Every entry that counts now for a number."""
        value = self._value(number)
        return await self._database.look(
            lambda connection: forbidding.entries_of(connection, value, at)
        )

    async def removed(self, number: str) -> list[RemovedEntry]:
        """What was taken off lists for a number, newest first; a national file is its own proof."""
        value = self._value(number)
        return await self._database.look(lambda connection: forbidding.removed(connection, value))

    async def page(
        self,
        *,
        campaign: CampaignName | None = None,
        national: bool = False,
        after: str = "",
        limit: int = 100,
    ) -> list[DoNotCallEntry]:
        """The entries of the centre's list, or of a campaign's, or the national one, by number."""

        def work(connection: Connection) -> list[DoNotCallEntry]:
            scope = NATIONAL if national else scope_of(_id(connection, campaign))
            return forbidding.page(connection, scope, after, min(limit, MOST))

        return await self._database.look(work)

    async def counts(self) -> Mapping[str, int]:
        """How many numbers each list has: `centre`, `national`, `campaign:NAME`."""
        return await self._database.look(forbidding.counts)

    async def run(
        self,
        file: Path,
        *,
        by: str,
        at: float,
        national: bool = False,
        may_shrink: bool = False,
        name: str = "",
        region: str = "",
        errors: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> BatchView:
        """Import a file of numbers: CSV, XLSX, one number a line, or area code and number apart.

        Each piece counts as soon as it is read. `national` replaces the national list of before once all
        of the file was read, but not where a tenth of it would be lost, unless it `may_shrink`: then the
        import counts as failed, what the file has is added, and the note says so. Raises `BadRecord` for a
        file that cannot be read.
        """
        country = country_of(region or self._region)
        listed = await asyncio.to_thread(partial(NumberFile, file, region=country))
        try:
            begin = partial(
                batches.begin,
                campaign_id=None,
                file=name or file.name,
                mapping=None,
                at=at,
                by=by,
                is_national=national,
            )
            batch = await self._database.work(begin)
            ban = Ban(
                campaign_id=None,
                reason="national list" if national else f"imported from {name or file.name}",
                source="import",
                by=by,
                at=at,
                batch_id=batch,
                is_national=national,
            )
            try:
                before = await self._database.look(forbidding.count_national)
                await self._read(listed, ban, batch, errors, progress)
                note, state = "", BatchState.DONE
                if national:
                    note = "" if may_shrink else await self._cut_short(batch, before)
                    state = BatchState.FAILED if note else state
                    note = note or await self._replace(batch, at, by)
                done = partial(batches.end, batch=batch, state=state, note=note)
                await self._database.work(done)
            except BaseException as error:
                note = str(error) or type(error).__name__
                failed = partial(batches.end, batch=batch, state=BatchState.FAILED, note=note)
                await asyncio.shield(self._database.work(failed))
                raise
        finally:
            listed.close()
        return await self._database.look(lambda connection: batches.view(connection, batch))

    async def _read(
        self,
        listed: NumberFile,
        ban: Ban,
        batch: int,
        errors: Path | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        refused_file = ErrorFile(errors, listed.headers())
        rows = added = refused = 0
        try:
            async for numbers, bad in listed.pieces():
                put = partial(_put, numbers=numbers, refused=len(bad), ban=ban, batch=batch)
                added += await self._database.work(put)
                await asyncio.to_thread(refused_file.add, bad)
                rows += len(numbers) + len(bad)
                refused += len(bad)
                if progress is not None:
                    share = listed.share
                    progress(
                        Progress(batch=batch, rows=rows, share=share, added=added, refused=refused)
                    )
        finally:
            refused_file.close()

    async def _cut_short(self, batch: int, before: int) -> str:
        """Why a file cannot be all of the national list; empty: it may be."""
        count = partial(forbidding.count_national, batch=batch)
        now = await self._database.look(count)
        if now >= _LEAST_SHARE * before:
            return ""
        return (
            f"the list of before stays: it had {before:,} numbers and this file has {now:,}, which looks as "
            "if it was cut short; if it is complete, import it again and say that the list may shrink "
            "(--may-shrink, may_shrink)"
        )

    async def _replace(self, batch: int, at: float, by: str) -> str:
        """Take off what the national list of before had and this one has not; says what came of it."""
        dropped = 0
        while gone := await self._database.work(partial(_drop_piece, batch=batch, at=at, by=by)):
            dropped += gone
        return f"{dropped:,} numbers of the list before are on it no more" if dropped else ""

    def _value(self, number: str) -> str:
        value = normalise(number, self._region)
        if not value.is_e164:
            raise BadRecord(f"{number!r} is not a telephone number; nothing was changed")
        return value.value


def _id(connection: Connection, campaign: CampaignName | None) -> int | None:
    return None if campaign is None else int(row_of(connection, campaign).id)


def _put(
    connection: Connection, *, numbers: Sequence[str], refused: int, ban: Ban, batch: int
) -> int:
    """One piece of a file, with its counts, in one transaction."""
    added = forbidding.forbid(connection, numbers, ban) if numbers else 0
    batches.count(
        connection,
        batch,
        rows=len(numbers) + refused,
        added=added,
        duplicates=len(numbers) - added,
        refused=refused,
    )
    return added


def _drop_piece(connection: Connection, *, batch: int, at: float, by: str) -> int:
    older = forbidding.older_national(connection, batch, _DROPPED_AT_ONCE)
    return forbidding.permit(connection, older, NATIONAL, at=at, by=by) if older else 0
