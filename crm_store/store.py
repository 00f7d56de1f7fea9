"""The store as the rest of the program sees it: look-ups, a few writes, and the history.

    store = await Store.open("sqlite:///data/switchroom.db", data_dir=Path("data"), region="US")
    cards = await store.find_by_number("+1 202 555 0101")
    store.history.append(TimelineRow(...))
    await store.close()

Look-ups and customer writes raise `StoreUnavailable` when the database is away; appending to the
history never fails.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from crm_store.cache import CardCache
from crm_store.database import Database
from crm_store.errors import NotStored, StoreUnavailable
from crm_store.facts import (
    CallLegFilter,
    CustomerDraft,
    CustomerFacts,
    InteractionFacts,
    RecordingFacts,
)
from crm_store.history import HistorySettings, HistoryWriter
from crm_store.numbers import normalise
from crm_store.outbound.outbound import Outbound
from crm_store.repositories import call_legs, customers, interactions, recordings
from crm_store.rows import (
    CallLegRow,
    DispositionRow,
    HistoryRow,
    InteractionRow,
    NoteRow,
    RecordingFileRow,
    RecordingRow,
)
from crm_store.schema_version import bring_up_to_date

_log = logging.getLogger(__name__)

_DROPPED_AT_ONCE = 2000


class Store:
    """One open store. `history` takes rows; everything else is looked up or written at once."""

    def __init__(
        self,
        url: str,
        *,
        data_dir: Path | None,
        region: str = "US",
        history: HistorySettings | None = None,
    ) -> None:
        self._url = url
        self._database = Database(url)
        self._cache = CardCache()
        self._upgrading: asyncio.Task[None] | None = None
        self.region = region
        """Country (ISO 3166) of numbers that are given without one."""
        self._has_history = data_dir is not None
        self.history = HistoryWriter(self._database, data_dir or Path(), history, self._on_written)
        self.outbound = Outbound(self._database, region)
        """Campaigns, their lists, attempts, do-not-call lists."""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        data_dir: Path | None,
        region: str = "US",
        history: HistorySettings | None = None,
        must_be_there: bool = True,
    ) -> Store:
        """Bring the database up to date and start writing history.

        `data_dir` takes the journal of history. None: this is a tool beside a running server, whose
        journal it must not touch; it looks up and writes customers, and appends no history.
        With `must_be_there` false a database that cannot be reached is tried again in the
        background, and calls go on meanwhile; otherwise `StoreUnavailable` is raised.
        """
        store = cls(url, data_dir=data_dir, region=region, history=history)
        try:
            await bring_up_to_date(url)
        except StoreUnavailable as error:
            if must_be_there:
                await store._database.close()
                raise
            _log.warning("%s; trying again in the background", error)
            store._upgrading = asyncio.get_running_loop().create_task(
                store._keep_upgrading(), name="store-upgrade"
            )
        if store._has_history:
            store.history.start()
        return store

    async def close(self) -> None:
        """Write what waits, or put it on disk, and let go of the database."""
        if self._upgrading is not None:
            self._upgrading.cancel()
            await asyncio.wait([self._upgrading])
        if self._has_history:
            await self.history.close()
        await self._database.close()

    @property
    def trouble(self) -> str:
        """Why the database took no history at the last attempt; empty when all is well."""
        return self.history.trouble

    # --- customers ------------------------------------------------------------------------------

    async def find_by_number(self, number: str) -> list[CustomerFacts]:
        """Everyone with this number in any notation, with their newest interactions."""
        wanted = normalise(number, self.region)
        if not wanted.value:
            return []
        cached = self.known_by_number(number)
        if cached is not None:
            return list(cached)
        generation = self._cache.generation
        async with self._database.reading() as connection:
            found = await customers.find_by_number(connection, wanted)
        self._cache.put(wanted.value, found, time.monotonic(), generation)
        return found

    def known_by_number(self, number: str) -> tuple[CustomerFacts, ...] | None:
        """What `find_by_number` found lately and is still true; None: it must be looked up."""
        wanted = normalise(number, self.region)
        return self._cache.get(wanted.value, time.monotonic()) if wanted.value else ()

    async def find_by_name(self, text: str) -> list[CustomerFacts]:
        """Everyone whose name or company contains all these words, at most 50."""
        async with self._database.reading() as connection:
            return await customers.find_by_name(connection, text)

    async def list_customers(self, *, limit: int = 100) -> list[CustomerFacts]:
        """The first customers by name."""
        async with self._database.reading() as connection:
            return await customers.list_all(connection, limit=limit)

    async def get_customer(self, customer_id: str) -> CustomerFacts | None:
        """One customer, or None."""
        async with self._database.reading() as connection:
            found = await customers.load(connection, [customer_id])
        return found[0] if found else None

    async def create_customer(
        self, draft: CustomerDraft, *, customer_id: str = ""
    ) -> CustomerFacts:
        """Add a customer. Raises `BadRecord` with what is wrong in the draft."""
        async with self._database.writing() as connection:
            id_ = await customers.create(connection, draft, self.region, customer_id=customer_id)
            found = await customers.load(connection, [id_])
        self._cache.clear()
        return found[0]

    async def update_customer(self, customer_id: str, draft: CustomerDraft) -> CustomerFacts:
        """Replace a customer's fields and add its new contact points. `NotStored`, `BadRecord`."""
        async with self._database.writing() as connection:
            await customers.change(connection, customer_id, draft, self.region)
            found = await customers.load(connection, [customer_id])
        self._cache.clear()
        return found[0]

    async def put_customer(self, draft: CustomerDraft) -> tuple[CustomerFacts, bool]:
        """Add a customer, or change the one with the same reference. True: it was added."""
        known = None
        if draft.reference:
            async with self._database.reading() as connection:
                known = await customers.id_of_reference(connection, draft.reference)
        if known is None:
            return await self.create_customer(draft), True
        return await self.update_customer(known, draft), False

    def link(self, interaction_id: str, customer_id: str, *, started: float, revision: int) -> None:
        """Note whose interaction it is; written with the history."""
        self.history.append(
            InteractionRow(
                interaction_id=interaction_id,
                started=started,
                revision=revision,
                customer_id=customer_id,
            )
        )

    # --- history --------------------------------------------------------------------------------

    async def get_interaction(self, interaction_id: str) -> InteractionFacts | None:
        """One interaction with its whole timeline, as far as it is written."""
        async with self._database.reading() as connection:
            return await interactions.get(connection, interaction_id)

    async def interaction_agent(self, interaction_id: str) -> str | None:
        """The agent who had it last. Raises `NotStored` for an unknown interaction."""
        async with self._database.reading() as connection:
            known, agent = await interactions.agent_of(connection, interaction_id)
        if not known:
            raise NotStored(f"there is no interaction {interaction_id}")
        return agent

    async def get_recording(self, recording_id: str) -> RecordingFacts | None:
        """One recording of the index."""
        async with self._database.reading() as connection:
            return await recordings.get(connection, recording_id)

    async def newest_recordings(
        self, *, limit: int = 100, before: float | None = None
    ) -> list[RecordingFacts]:
        """The newest recordings, newest first."""
        async with self._database.reading() as connection:
            return await recordings.newest(connection, limit=limit, before=before)

    async def call_legs(
        self,
        wanted: CallLegFilter,
        *,
        limit: int = 100,
        after: tuple[float, str] | None = None,
    ) -> list[CallLegRow]:
        """Call detail records, newest first; `after` is start and id of the last one of a page."""
        async with self._database.reading() as connection:
            return await call_legs.page(connection, wanted, limit=limit, after=after)

    async def count_call_legs(self, wanted: CallLegFilter) -> int:
        """How many call detail records there are."""
        async with self._database.reading() as connection:
            return await call_legs.count(connection, wanted)

    async def drop_call_legs(self, before: float) -> int:
        """Drop the call detail records of legs that began before a time; gives how many.

        Piece by piece: history and look-ups go on in between.
        """
        dropped = 0
        while True:
            async with self._database.writing() as connection:
                gone = await call_legs.drop_before(connection, before, limit=_DROPPED_AT_ONCE)
            dropped += gone
            if gone < _DROPPED_AT_ONCE:
                return dropped

    # --- inside ---------------------------------------------------------------------------------

    def _on_written(self, rows: Sequence[HistoryRow]) -> None:
        """What was written stands on cards: forget those."""
        owners = {
            row.customer_id
            for row in rows
            if isinstance(row, (InteractionRow, RecordingRow)) and row.customer_id
        }
        touched = {
            row.interaction_id
            for row in rows
            if isinstance(
                row, (InteractionRow, NoteRow, DispositionRow, RecordingRow, RecordingFileRow)
            )
        }
        if touched:
            self._cache.forget_customers(owners)
            self._cache.forget_interactions(touched)

    async def _keep_upgrading(self) -> None:
        pause = 1.0
        while True:
            await asyncio.sleep(pause)
            try:
                # Migrations are read and compared for some tenths of a second: calls are not to wait.
                await asyncio.to_thread(asyncio.run, bring_up_to_date(self._url))
            except StoreUnavailable as error:
                _log.debug("the store is still away: %s", error)
                pause = min(pause * 2, 30.0)
            else:
                _log.warning("the database is there now")
                return
