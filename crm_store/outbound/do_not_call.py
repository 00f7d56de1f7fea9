"""Do-not-call lists, for people who keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from acd.dialer.model import CampaignName
from crm_store.database import Database
from crm_store.errors import BadRecord
from crm_store.numbers import normalise
from crm_store.outbound import forbidding
from crm_store.outbound.campaign_rows import CampaignBook, row_of
from crm_store.outbound.forbidding import Ban
from crm_store.outbound.numbers_known import scope_of
from crm_store.outbound.views import DoNotCallEntry

MOST = 1000
"""Entries of one page at most."""


class DoNotCall:
    """As `crm_store.outbound.ports.DoNotCall`."""

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
            return forbidding.permit(connection, [value], scope, at) > 0

        return await self._database.work(work)

    async def find(self, number: str, at: float) -> list[DoNotCallEntry]:
        """Every entry that counts now for a number."""
        value = self._value(number)
        return await self._database.look(
            lambda connection: forbidding.entries_of(connection, value, at)
        )

    async def page(
        self, *, campaign: CampaignName | None = None, after: str = "", limit: int = 100
    ) -> list[DoNotCallEntry]:
        """The entries of the centre's list, or of a campaign's, by number."""

        def work(connection: Connection) -> list[DoNotCallEntry]:
            number = _id(connection, campaign)
            return forbidding.page(connection, number, after, min(limit, MOST))

        return await self._database.look(work)

    async def counts(self) -> Mapping[str, int]:
        """How many numbers each list has: `centre`, `national`, `campaign:NAME`."""
        return await self._database.look(forbidding.counts)

    def _value(self, number: str) -> str:
        value = normalise(number, self._region)
        if not value.is_e164:
            raise BadRecord(f"{number!r} is not a telephone number; nothing was changed")
        return value.value


def _id(connection: Connection, campaign: CampaignName | None) -> int | None:
    return None if campaign is None else int(row_of(connection, campaign).id)
