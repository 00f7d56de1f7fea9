"""Imports of lists: a look before, progress meanwhile, everything refused in a file, and a way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from acd.dialer.compliance_places import Place
from acd.dialer.model import CampaignName
from crm_store.database import Database
from crm_store.errors import BadRecord
from crm_store.numbers import country_of
from crm_store.outbound import batches, list_rows
from crm_store.outbound.campaign_rows import CampaignBook, row_of
from crm_store.outbound.list_file import ErrorFile, ListFile, refusals
from crm_store.outbound.list_rows import Added, Goal
from crm_store.outbound.numbers_known import forbidden_of
from crm_store.outbound.people import Draft
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.views import (
    BatchState,
    BatchView,
    Preview,
    PreviewRow,
    Problem,
    Progress,
    Target,
    Undone,
)

MOST_PREVIEWED = 200


class Imports:
    """Files that become lists."""

    def __init__(
        self, database: Database, book: CampaignBook, places: PlaceBook, region: str
    ) -> None:
        self._database = database
        self._book = book
        self._places = places
        self._region = region
        self._running: set[int] = set()

    async def preview(
        self,
        campaign: CampaignName | None,
        file: Path,
        *,
        name: str = "",
        mapping: Mapping[str, Target] | None = None,
        sheet: str = "",
        region: str = "",
        agents: Collection[str] | None = None,
        rows: int = 20,
    ) -> Preview:
        """The first rows as they would be read. Changes nothing.

        `mapping` is by header or by letter (`A`, `AB`) and overrides what is guessed. `region`: country
        of numbers without one; empty: the centre's. `agents` are those who may own a record (None:
        anybody may). `name` as people know the file. Raises `BadRecord` for a file that cannot be read
        at all, or a mapping that does not fit it.
        """
        listed = await self._open(file, mapping, sheet, region, agents)
        try:
            most = min(rows, MOST_PREVIEWED)
            drafts = await asyncio.to_thread(lambda: list(islice(listed.drafts(), most)))
        finally:
            listed.close()
        shown = await self._database.look(partial(_looked_up, drafts=drafts, campaign=campaign))
        faults = await asyncio.to_thread(lambda: listed.faults)
        problems = [Problem(row=0, code="file", words=words, fatal=False) for words in faults]
        return Preview(
            file=name or file.name,
            format=listed.sheet.format,
            encoding=listed.sheet.encoding,
            delimiter=listed.sheet.delimiter,
            sheet=listed.sheet.name,
            columns=listed.columns,
            rows=tuple(shown),
            problems=tuple(problems),
            has_header=listed.has_header,
        )

    async def run(
        self,
        campaign: CampaignName,
        file: Path,
        *,
        by: str,
        at: float,
        name: str = "",
        mapping: Mapping[str, Target] | None = None,
        sheet: str = "",
        region: str = "",
        agents: Collection[str] | None = None,
        errors: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> BatchView:
        """Import, in pieces that are each whole: what is read so far may be dialled already.

        `errors`: where the refused rows go, made only if there are any. Raises `BadRecord` where the
        file turns out to be damaged; what was read before stays, and can be taken back.
        """
        listed = await self._open(file, mapping, sheet, region, agents)
        try:
            if not listed.has_numbers:
                raise BadRecord(listed.no_numbers)
            batch = await self._database.work(
                partial(
                    self._begin,
                    campaign=campaign,
                    name=name or file.name,
                    listed=listed,
                    at=at,
                    by=by,
                )
            )
            self._running.add(batch)
            try:
                await self._read(campaign, batch, listed, at, errors, progress)
            except BaseException as error:
                note = partial(_failed, batch=batch, note=str(error) or type(error).__name__)
                await asyncio.shield(self._database.work(note))
                raise
            finally:
                self._running.discard(batch)
        finally:
            listed.close()
        return await self._database.look(lambda connection: batches.view(connection, batch))

    async def undo(self, batch: int, *, at: float, by: str) -> Undone:
        """Take back an import: records that were never dialled and are not in the dialer's hands.

        Raises `NotStored`, and `BadRecord` while it runs.
        """
        found = await self._database.look(lambda connection: batches.view(connection, batch))
        if batch in self._running:
            raise BadRecord(f"import {batch} is still running; wait until it is done")
        if found.campaign is None:
            raise BadRecord(f"import {batch} is a do-not-call list; import the right one instead")
        removed = 0
        for first in await self._database.look(
            lambda connection: batches.pieces(connection, batch)
        ):
            piece = partial(batches.undo_piece, batch=batch, first=first)
            removed += await self._database.work(piece)

        def note(connection: Connection) -> Undone:
            tried, held = batches.remaining(connection, batch)
            reasons = [
                f"{count} {words}"
                for count, words in (
                    (tried, "was dialled" if tried == 1 else "were dialled"),
                    (held, "in the dialer's hands now"),
                )
                if count
            ]
            why = ", ".join(reasons)
            batches.note_undone(
                connection, batch, tried + held, f"undone by {by}; {why}".strip("; ")
            )
            return Undone(batch=batch, removed=removed, remained=tried + held, why=why)

        return await self._database.work(note)

    async def batches(self, campaign: CampaignName | None = None) -> list[BatchView]:
        """Newest first; None: all."""

        def work(connection: Connection) -> list[BatchView]:
            if campaign is None:
                return batches.views(connection)
            return batches.views(connection, campaign_id=row_of(connection, campaign).id)

        return await self._database.look(work)

    async def _open(
        self,
        file: Path,
        mapping: Mapping[str, Target] | None,
        sheet: str,
        region: str,
        agents: Collection[str] | None,
    ) -> ListFile:
        country = country_of(region or self._region)
        listed = await asyncio.to_thread(
            partial(ListFile, file, mapping=mapping, sheet=sheet, region=country, agents=agents)
        )
        if (batch := listed.refused_by) is not None:
            try:
                look = partial(batches.mapping_of, batch=batch)
                before = await self._database.look(look)
                listed.read_as({header: Target(target) for header, target in before.items()})
            except BaseException:
                listed.close()
                raise
        return listed

    def _begin(
        self,
        connection: Connection,
        *,
        campaign: CampaignName,
        name: str,
        listed: ListFile,
        at: float,
        by: str,
    ) -> int:
        return batches.begin(
            connection,
            campaign_id=row_of(connection, campaign).id,
            file=name,
            mapping={column.header: column.target.value for column in listed.columns},
            at=at,
            by=by,
        )

    async def _read(
        self,
        campaign: CampaignName,
        batch: int,
        listed: ListFile,
        at: float,
        errors: Path | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        refused_file = ErrorFile(errors, listed.headers(), batch)
        rows = added = refused = 0
        try:
            async for drafts in listed.pieces():
                bad = refusals(drafts)
                good = [draft for draft in drafts if not draft.is_refused]
                everywhere = {place for draft in good for place in draft.places}
                places = self._places.known(everywhere)
                if places is None:
                    places = await self._database.work(partial(self._places.ids, places=everywhere))
                put = partial(
                    self._put,
                    campaign=campaign,
                    batch=batch,
                    at=at,
                    good=good,
                    refused=len(bad),
                    places=places,
                )
                done = await self._database.work(put)
                await asyncio.to_thread(refused_file.add, [*bad, *done.problems])
                rows += len(drafts)
                added += done.added
                refused += len(bad) + done.duplicates
                if progress is not None:
                    share = listed.sheet.share
                    progress(
                        Progress(batch=batch, rows=rows, share=share, added=added, refused=refused)
                    )
        finally:
            refused_file.close()
        note = "; ".join(await asyncio.to_thread(lambda: listed.faults))
        await self._database.work(
            partial(batches.end, batch=batch, state=BatchState.DONE, note=note)
        )

    def _put(
        self,
        connection: Connection,
        *,
        campaign: CampaignName,
        batch: int,
        at: float,
        good: Sequence[Draft],
        refused: int,
        places: Mapping[Place, int],
    ) -> Added:
        """One piece, with its counts, in one transaction."""
        known = self._book.get(connection, campaign, at)
        goal = Goal(campaign_id=known.id, batch_id=batch, order=known.ranked_by, at=at)
        done = list_rows.add(connection, goal, good, places)
        batches.count(
            connection,
            batch,
            rows=len(good) + refused,
            added=done.added,
            duplicates=done.duplicates,
            refused=refused,
            blocked=done.blocked,
            first=done.first,
            last=done.last,
        )
        return done


def _failed(connection: Connection, *, batch: int, note: str) -> None:
    batches.end(connection, batch, BatchState.FAILED, note)


def _looked_up(
    connection: Connection, *, drafts: Sequence[Draft], campaign: CampaignName | None
) -> list[PreviewRow]:
    """Drafts with what the store knows of them."""
    customers = list_rows.find_customers(connection, drafts)
    number = 0 if campaign is None else row_of(connection, campaign).id
    again = list_rows.duplicates_of(connection, number, 0, drafts)
    numbers = sorted({each for draft in drafts for each in draft.numbers})
    forbidden = forbidden_of(connection, numbers, number, time.time()) if numbers else {}
    return [
        PreviewRow(
            row=draft.row,
            name=draft.name,
            numbers=draft.numbers,
            places=tuple(str(place) for place in draft.places),
            priority=draft.priority,
            facts=draft.facts,
            customer_id=customers.get(draft.row),
            problems=(*draft.problems, *_found(draft, again.get(draft.row), forbidden)),
        )
        for draft in drafts
    ]


def _found(
    draft: Draft, again: tuple[frozenset[str], str] | None, forbidden: Mapping[str, object]
) -> list[Problem]:
    problems: list[Problem] = []
    if again is not None:
        known, code = again
        words = f"{', '.join(sorted(known))} stands on the list, or in the file before"
        fatal = known.issuperset(draft.numbers)
        problems.append(Problem(row=draft.row, code=code, words=words, fatal=fatal))
    banned = [number for number in draft.numbers if number in forbidden]
    if banned:
        words = f"{', '.join(banned)} on a do-not-call list"
        problems.append(Problem(row=draft.row, code="do-not-call", words=words, fatal=False))
    return problems
