"""History is written behind the calls: `append` never waits, a task writes batches.

    append -> newest (memory) -> [journal (disk)] -> batch -> database

While the database is locked, full or gone, rows go to the journal and the writer tries again with
growing pauses. Order is kept: the batch under way is older than the journal, the journal older than
what is in memory. A row that the database refuses for its content is set aside in a file of its
own, so that one bad row never stops the others. Rows can be written twice without harm, so after a
crash the journal is simply replayed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_store.batch import write_rows
from crm_store.database import Database, is_permanent
from crm_store.journal import Journal, encode_row
from crm_store.repair import cleaned
from crm_store.rows import HistoryRow

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """How history is written."""

    batch_rows: int = 500
    """At most so many rows in one transaction."""
    linger_s: float = 0.2
    """A batch waits so long for company."""
    memory_rows: int = 20_000
    """More than these go to the journal, whether or not the database answers."""
    memory_limit_rows: int = 200_000
    """With neither database nor disk, rows beyond these are dropped and counted."""
    retry_first_s: float = 0.2
    retry_max_s: float = 5.0
    close_s: float = 5.0
    """At shutdown, how long the database may take before the rest goes to the journal."""


@dataclass(slots=True)
class HistoryCounters:
    """What became of the rows."""

    written: int = 0
    failed: int = 0
    """Attempts that failed because of the database."""
    spilled: int = 0
    """Rows that went to the journal."""
    replayed: int = 0
    """Rows found in the journal at start."""
    refused: int = 0
    """Rows set aside because the database refuses their content."""
    dropped: int = 0
    """Rows lost: neither database nor disk, and memory full."""


class HistoryWriter:
    """Writes rows of history to one database.

    `folder` takes the journal (`history.jsonl`) and refused rows (`history-refused.jsonl`).
    `on_written` is called in the loop's thread with each batch that is safe in the database.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        settings: HistorySettings | None = None,
        on_written: Callable[[Sequence[HistoryRow]], None] | None = None,
    ) -> None:
        self._database = database
        self.settings = self._settings = settings or HistorySettings()
        self._journal = Journal(folder / "history.jsonl")
        self._refused: Final = folder / "history-refused.jsonl"
        self._on_written = on_written
        self._newest: list[HistoryRow] = []
        self._batch: list[HistoryRow] = []
        self._batch_in_journal = False
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._journal_lock = asyncio.Lock()
        self.counters = HistoryCounters()
        self.trouble = ""
        """Why the database took nothing at the last attempt; empty when it did."""

    @property
    def pending(self) -> int:
        """Rows not yet in the database, wherever they wait."""
        batch = 0 if self._batch_in_journal else len(self._batch)
        return len(self._newest) + batch + self._journal.waiting

    @property
    def waiting_in_memory(self) -> int:
        """Rows that are in memory and neither in the journal nor in the database."""
        return len(self._newest) + (0 if self._batch_in_journal else len(self._batch))

    def start(self) -> None:
        """Begin to write; first what an earlier run left in the journal."""
        self._journal.open()
        self.counters.replayed = self._journal.waiting
        self._task = asyncio.get_running_loop().create_task(self._run(), name="history-writer")
        if self._journal.waiting:
            self._wake.set()

    def append(self, row: HistoryRow) -> None:
        """Take a row. Never waits, never raises."""
        if len(self._newest) >= self._settings.memory_limit_rows:
            self.counters.dropped += 1
            return
        self._newest.append(row)
        if not self._wake.is_set():
            self._wake.set()

    async def flush(self) -> None:
        """Wait until everything appended so far is written. For tests, tools and shutdown."""
        while self.pending:
            self._wake.set()
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Write what waits; what the database does not take in time goes to the journal."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            try:
                async with asyncio.timeout(self._settings.close_s):
                    await asyncio.shield(self._task)
            except TimeoutError:
                async with self._journal_lock:  # never in the middle of a journal's write
                    self._task.cancel()
                await asyncio.wait([self._task])
            self._task = None
        await self._spill(with_batch=True)

    async def _run(self) -> None:
        pause = 0.0
        while True:
            if not self.pending:
                if self._closing:
                    return
                await self._wake.wait()
                if not self._closing:
                    await asyncio.sleep(self._settings.linger_s)
            self._wake.clear()
            if await self._attempt():
                pause = 0.0
                continue
            if self._closing:
                return
            pause = min(max(pause * 2, self._settings.retry_first_s), self._settings.retry_max_s)
            await self._rest(pause)

    async def _attempt(self) -> bool:
        """One attempt. Whatever goes wrong, history goes on: the batch is written again later."""
        try:
            return await self._write_next()
        except Exception:  # noqa: BLE001 - the writer must outlive every fault of a batch
            self.counters.failed += 1
            _log.exception("a batch of history went wrong and is tried again")
            return False

    async def _rest(self, pause: float) -> None:
        """Wait before the next attempt; what comes meanwhile does not pile up in memory."""
        loop = asyncio.get_running_loop()
        until = loop.time() + pause
        while not self._closing and loop.time() < until:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                break
            await asyncio.sleep(min(self._settings.linger_s, max(0.0, until - loop.time())))
            await self._spill(with_batch=False)

    async def _write_next(self) -> bool:
        """Write one batch. False: the database did not take it; it waits on disk or in memory."""
        if not self._batch:
            await self._fill_batch()
        if not self._batch:
            return True
        if len(self._newest) > self._settings.memory_rows:
            await self._spill(with_batch=False)
        try:
            await self._write(self._batch)
        except Exception as error:  # noqa: BLE001 - drivers raise many kinds; sorted out here
            if not is_permanent(error):
                await self._failed(error)
                return False
            if not await self._write_singly():
                return False
        if self.trouble:
            _log.warning("the database takes history again; %d rows wait", self.pending)
            self.trouble = ""
        await self._done()
        return True

    async def _fill_batch(self) -> None:
        size = self._settings.batch_rows
        async with self._journal_lock:
            if self._journal.waiting:
                try:
                    self._batch = await asyncio.to_thread(self._journal.take, size)
                except OSError as error:
                    _log.error("the journal %s cannot be read: %s", self._journal.path, error)
                    self._journal.waiting = 0
                self._batch_in_journal = self._journal.waiting > 0
                if not self._batch and self._batch_in_journal:
                    await asyncio.to_thread(self._journal.taken)  # nothing but unreadable lines
                    self._batch_in_journal = False
                return
            self._batch_in_journal = False
            self._batch = self._newest[:size]
            del self._newest[:size]

    async def _write(self, rows: Sequence[HistoryRow]) -> None:
        await self._database.write(lambda connection: write_rows(connection, rows))
        self.counters.written += len(rows)
        if self._on_written is not None:
            self._on_written(rows)

    async def _write_singly(self) -> bool:
        """Some row is refused: repair its text, else set it aside. False: the database failed."""
        for row in self._batch:
            try:
                await self._write([row])
                continue
            except Exception as error:  # noqa: BLE001 - as in _write_next
                if not is_permanent(error):
                    await self._failed(error)
                    return False
            try:
                await self._write([cleaned(row)])
            except Exception as error:  # noqa: BLE001 - as in _write_next
                if not is_permanent(error):
                    await self._failed(error)
                    return False
                self.counters.refused += 1
                _log.error("a row of history is refused, see %s: %s", self._refused, error)
                await asyncio.to_thread(self._set_aside, row)
        return True

    def _set_aside(self, row: HistoryRow) -> None:
        try:
            self._refused.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._refused.touch(mode=0o600)
            with self._refused.open("ab") as file:
                file.write(encode_row(row))
        except (OSError, TypeError, ValueError) as error:
            _log.error("and cannot be set aside: %s", error)

    async def _done(self) -> None:
        async with self._journal_lock:
            if self._batch_in_journal:
                await asyncio.to_thread(self._journal.taken)
                self._batch_in_journal = False
            self._batch = []

    async def _failed(self, error: BaseException) -> None:
        self.counters.failed += 1
        if not self.trouble:
            _log.warning("the database takes no history, it goes to %s", self._journal.path)
        self.trouble = " ".join(str(error).split())[:200] or type(error).__name__
        await self._spill(with_batch=True)

    async def _spill(self, *, with_batch: bool) -> None:
        """Move what is in memory to the journal.

        The batch goes along when it came from memory; it is older than anything in the journal.
        """
        async with self._journal_lock:
            batch = self._batch if with_batch and not self._batch_in_journal else []
            newest, self._newest = self._newest, []
            try:
                if batch:
                    await asyncio.to_thread(self._journal.prepend, batch)
                    self._batch = []
                    self.counters.spilled += len(batch)
                await asyncio.to_thread(self._journal.append, newest)
            except (OSError, TypeError, ValueError) as error:
                self._newest = newest + self._newest
                _log.error("the journal %s cannot be written: %s", self._journal.path, error)
                return
            self.counters.spilled += len(newest)
            if with_batch and self._batch_in_journal:
                self._batch = []  # read again from the journal
                self._batch_in_journal = False
