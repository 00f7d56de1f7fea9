"""Takes to the store what became of attempts, behind the calls: batches, tried again while it is away.

    dialer -> newest (memory) -> outbox (disk) -> waiting -> store
                                                         -> refused (disk)

Order is kept. The dialer stops by itself when the store brings no more records, so what waits here is
bounded by the records that were at hand and in flight.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import structs

from acd.dialer.model import Attempt, AttemptId, CampaignName
from crm_store.errors import NotStored, StoreUnavailable
from crm_store.outbound.outbound import Outbound
from cti.campaigns.outbox import Dialled, GivenBack, Item, Moved, Outbox, Refused

log = logging.getLogger(__name__)

_BATCH: Final = 200
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_CLOSE_S: Final = 4.0
_REMEMBERED: Final = 5_000
"""Attempts that are over and whose disposition may still come."""


class Settling:
    """One task; `tell` never waits and never raises."""

    def __init__(self, store: Outbound, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._newest: list[Item] = []
        self._waiting: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._over: OrderedDict[AttemptId, Attempt] = OrderedDict()
        self._told: Counter[CampaignName] = Counter()
        """How often something was told of attempts of a campaign."""
        self._taken: Counter[CampaignName] = Counter()
        """The same of what does not wait any more."""
        self._delivery = asyncio.Condition()
        self.caught_up = asyncio.Event()
        """What an earlier process left is in the store, and what waited while the store was away."""
        self.settled = 0
        """Attempts that the store has taken."""
        self.failed = 0
        """Batches that it did not take at once."""
        self.trouble = ""
        """Why it took nothing at the last attempt; empty when it did."""

    @property
    def refused(self) -> int:
        """Items that it will never take: in a file beside the outbox, and in the log, in full."""
        return self._outbox.refused

    @property
    def pending(self) -> int:
        """Items that are not in the store yet."""
        return len(self._newest) + len(self._waiting)

    @property
    def is_behind(self) -> bool:
        """Whether something waits since the store took nothing, or since an earlier process.

        No records are asked for then: the store does not know yet who was called lately.
        """
        return self._task is not None and not self.caught_up.is_set()

    def start(self) -> None:
        """Begin; first what an earlier process left."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="settling")

    def attempt(self, attempt: Attempt) -> None:
        """Keep what became of a dial; told again, the last word counts."""
        # What was heard and judged is kilobytes, and is told this once.
        self._over[attempt.id] = structs.replace(attempt, judged="")
        self._over.move_to_end(attempt.id)
        if len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)
        self.tell(Dialled(attempt))

    def known(self, attempt: AttemptId) -> Attempt | None:
        """An attempt that was told lately."""
        return self._over.get(attempt)

    def tell(self, item: Item) -> None:
        """Take something to the store when it has time."""
        self._count(self._told, [item])
        self._newest.append(item)
        self._wake.set()

    def is_settled(self, campaign: CampaignName) -> bool:
        """Whether the store has all that was told of a campaign's attempts."""
        return self._taken[campaign] == self._told[campaign]

    def told(self, campaign: CampaignName) -> int:
        """How often something was told of a campaign's attempts."""
        return self._told[campaign]

    async def delivered(self, campaign: CampaignName) -> None:
        """Wait until the store has all of that. Raises `StoreUnavailable` while it takes nothing."""
        async with self._delivery:
            await self._delivery.wait_for(lambda: self.trouble or self.is_settled(campaign))
        if not self.is_settled(campaign):
            raise StoreUnavailable(self.trouble)

    async def close(self) -> None:
        """Deliver what waits; what the store does not take in time stays on disk."""
        self._closing = True
        self._wake.set()
        if self._task is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.shield(self._task)
        except TimeoutError:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._task = None
        if self._newest:
            await self._write_down()

    # --- the task -------------------------------------------------------------------------------

    async def _run(self) -> None:
        if not await self._take_up():
            return
        pause = 0.0
        while True:
            if not self.pending:
                self.caught_up.set()
                if self._closing:
                    return
                await self._wake.wait()
            self._wake.clear()
            await self._write_down()
            has_delivered = await self._deliver()
            async with self._delivery:
                self._delivery.notify_all()
            if has_delivered:
                pause = 0.0
                continue
            if self._closing:
                return
            pause = min(max(pause * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            await self._rest(pause)

    async def _take_up(self) -> bool:
        """What an earlier process left. As long as it cannot be read nothing is written behind it.

        False: we are to stop.
        """
        pause = _FIRST_PAUSE_S
        while True:
            try:
                found = await asyncio.to_thread(self._outbox.read)
                break
            except OSError as error:
                log.error("%s cannot be read: %s", self._outbox.path, error)
            if self._closing:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        if self.refused:
            log.error(
                "campaigns: %d lines cannot be read; kept in %s",
                self.refused,
                self._outbox.refused_path,
            )
        self._waiting.extend(found)
        self._count(self._told, found)
        if found:
            log.info("campaigns: %d items of an earlier process go to the store", len(found))
        return True

    async def _rest(self, pause: float) -> None:
        """Wait before the next try; what comes meanwhile goes to disk."""
        until = asyncio.get_running_loop().time() + pause
        while not self._closing:
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()
            await self._write_down()

    async def _write_down(self) -> None:
        newest, self._newest = self._newest, []
        if not newest:
            return
        try:
            await asyncio.to_thread(self._outbox.append, newest)
        except OSError as error:
            log.error("%s cannot be written: %s", self._outbox.path, error)
        self._waiting.extend(newest)

    async def _deliver(self) -> bool:
        """One batch. False: the store is away."""
        waiting = self._waiting
        if not waiting:
            return True
        batch = self._batch()
        try:
            await self._send(batch)
        except StoreUnavailable as error:
            return self._not_taken(str(error))
        except NotStored as error:
            log.warning("campaigns: the store knows it no more: %s", error)
        except Exception as error:  # noqa: BLE001 - drivers raise many kinds; sorted out below
            if not await self._send_singly(batch, error):
                return False
        for _ in batch:
            waiting.popleft()
        self._count(self._taken, batch)
        try:
            await asyncio.to_thread(self._outbox.taken, len(batch))
        except OSError as error:
            log.error("%s cannot be brought up to date: %s", self._outbox.path, error)
        if self.trouble:
            log.warning("campaigns: the store takes attempts again; %d wait", self.pending)
            self.trouble = ""
        return True

    @staticmethod
    def _count(counts: Counter[CampaignName], items: Iterable[Item]) -> None:
        counts.update(item.attempt.campaign for item in items if isinstance(item, Dialled))

    def _batch(self) -> Sequence[Item]:
        """The first items of one kind, in their order."""
        first = self._waiting[0]
        batch: list[Item] = []
        for item in self._waiting:
            if type(item) is not type(first) or len(batch) >= _BATCH:
                break
            if isinstance(item, GivenBack) and item.reason != getattr(first, "reason", ""):
                break
            batch.append(item)
            if isinstance(item, Moved):
                break
        return batch

    async def _send(self, batch: Sequence[Item]) -> None:
        match batch[0]:
            case Dialled():
                attempts = [item.attempt for item in batch if isinstance(item, Dialled)]
                await self._store.lists.settle(attempts)
                self.settled += len(attempts)
            case GivenBack(at=at, reason=reason):
                back = [each for item in batch if isinstance(item, GivenBack) for each in item.held]
                await self._store.lists.release(back, at=at, reason=reason)
            case Moved(campaign=campaign, state=state, at=at, by=by):
                await self._store.campaigns.set_state(campaign, state, at=at, by=by)

    async def _send_singly(self, batch: Sequence[Item], error: Exception) -> bool:
        """One that the store cannot take must not stop the others. False: the store is away."""
        log.debug("campaigns: a batch is refused: %s", error)
        for item in batch:
            try:
                await self._send([item])
            except StoreUnavailable as away:
                return self._not_taken(str(away))
            except Exception as why:
                log.exception("campaigns: the store refuses %s", item)
                await self._keep_refused(Refused(why=f"{type(why).__name__}: {why}", item=item))
        return True

    async def _keep_refused(self, refused: Refused) -> None:
        try:
            await asyncio.to_thread(self._outbox.refuse, [refused])
        except OSError as error:
            log.error("%s cannot be written: %s", self._outbox.refused_path, error)

    def _not_taken(self, why: str) -> bool:
        self.failed += 1
        self.caught_up.clear()
        if not self.trouble:
            log.warning(
                "campaigns: the store takes no attempts, they wait in %s", self._outbox.path
            )
        self.trouble = " ".join(why.split())[:200] or "away"
        return False
