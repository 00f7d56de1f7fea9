"""`ListStore` of `acd.dialer.ports`: the lists of all campaigns, as the dialer sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import Connection

from acd.dialer.model import Attempt, CampaignName, Candidate, Funnel, Held, RecordId
from acd.model import AgentId
from crm_store.database import Database
from crm_store.errors import BadRecord
from crm_store.numbers import normalise
from crm_store.outbound import claims, holding
from crm_store.outbound.campaign_rows import CampaignBook
from crm_store.outbound.forbidding import Ban, forbid
from crm_store.outbound.funnel import funnel
from crm_store.outbound.numbers_known import forbidden_of
from crm_store.outbound.places import PlaceBook
from crm_store.outbound.settling import id_of, settle

_SETTLED_AT_ONCE = 500


class Lists:
    """Claims and settlements. Raises `StoreUnavailable`, and `NotStored` for an unknown campaign."""

    def __init__(
        self, database: Database, campaigns: CampaignBook, places: PlaceBook, region: str
    ) -> None:
        self._database = database
        self._campaigns = campaigns
        self._places = places
        self._region = region
        self._claiming = asyncio.Lock()
        """One claim of this process after the other: two would only look at the same records."""

    async def claim(
        self,
        campaign: CampaignName,
        at: float,
        most: int,
        *,
        for_agent: AgentId | None = None,
        own_only: bool = False,
    ) -> list[Candidate]:
        """As `acd.dialer.ports.ListStore.claim`."""
        wish = claims.Wish(campaign=campaign, at=at, most=most, agent=for_agent, own_only=own_only)

        def work(connection: Connection) -> list[Candidate]:
            known = self._campaigns.get(connection, campaign, at)
            return claims.claim(connection, self._places, known, wish)

        async with self._claiming:
            return await self._database.work(work)

    async def awaited(self, campaign: CampaignName, at: float) -> list[AgentId]:
        """As `acd.dialer.ports.ListStore.awaited`; at most some hundreds."""

        def work(connection: Connection) -> list[AgentId]:
            known = self._campaigns.get(connection, campaign, at)
            return claims.awaited(connection, self._places, known, at)

        async with self._claiming:
            return await self._database.work(work)

    async def free(self, campaign: CampaignName, agents: Sequence[AgentId], at: float) -> int:
        """As `acd.dialer.ports.ListStore.free`."""

        def work(connection: Connection) -> int:
            known = self._campaigns.get(connection, campaign, at)
            return claims.free(connection, known, agents)

        async with self._claiming:
            return await self._database.work(work)

    async def release(self, held: Sequence[Held], *, at: float, reason: str = "") -> None:
        """As `acd.dialer.ports.ListStore.release`. Ids that are none of ours are passed over."""
        for pairs in _pieces(held):
            await self._database.work(partial(holding.release, held=pairs, at=at, reason=reason))

    async def renew(self, held: Sequence[Held], *, at: float) -> dict[RecordId, float]:
        """As `acd.dialer.ports.ListStore.renew`."""
        kept: set[int] = set()
        for pairs in _pieces(held):
            kept |= await self._database.work(partial(holding.renew, held=pairs, at=at))
        return {RecordId(str(record)): at + holding.CLAIM_S for record in kept}

    async def forbidden(
        self, campaign: CampaignName, numbers: Sequence[str], at: float
    ) -> set[str]:
        """As `acd.dialer.ports.ListStore.forbidden`."""

        def work(connection: Connection) -> set[str]:
            known = self._campaigns.get(connection, campaign, at)
            pieces = (
                numbers[begin : begin + _SETTLED_AT_ONCE]
                for begin in range(0, len(numbers), _SETTLED_AT_ONCE)
            )
            return {
                each for piece in pieces for each in forbidden_of(connection, piece, known.id, at)
            }

        return await self._database.look(work)

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        """As `acd.dialer.ports.ListStore.settle`. May be repeated: an attempt counts once."""
        for begin in range(0, len(attempts), _SETTLED_AT_ONCE):
            piece = attempts[begin : begin + _SETTLED_AT_ONCE]
            await self._database.work(partial(self._settle, attempts=piece))

    async def forbid(self, number: str, *, campaign: CampaignName | None, reason: str) -> None:
        """As `acd.dialer.ports.ListStore.forbid`. Raises `BadRecord` for what is no number."""
        value = normalise(number, self._region)
        if not value.is_e164:
            raise BadRecord(f"{number!r} is not a telephone number")
        at = time.time()

        def work(connection: Connection) -> None:
            campaign_id = None
            if campaign is not None:
                campaign_id = self._campaigns.get(connection, campaign, at).id
            ban = Ban(campaign_id=campaign_id, reason=reason, source="dialer", by="system", at=at)
            forbid(connection, [value.value], ban)

        await self._database.work(work)

    async def funnel(self, campaign: CampaignName, at: float) -> Funnel:
        """As `acd.dialer.ports.ListStore.funnel`."""

        def work(connection: Connection) -> Funnel:
            known = self._campaigns.get(connection, campaign, at)
            return funnel(connection, self._places, known, campaign, at)

        return await self._database.look(work)

    def _settle(self, connection: Connection, attempts: Sequence[Attempt]) -> None:
        for known in settle(connection, self._campaigns, self._places, attempts):
            at = max(attempt.ended_at for attempt in attempts)
            claims.refresh(connection, self._places, known, at)


def _pieces(held: Sequence[Held]) -> Iterator[list[holding.Pair]]:
    pairs = [(number, each.claim) for each in held if (number := id_of(each.record)) is not None]
    for begin in range(0, len(pairs), _SETTLED_AT_ONCE):
        yield pairs[begin : begin + _SETTLED_AT_ONCE]
