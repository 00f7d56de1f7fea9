"""Parts of the centre that need each other: asked when they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cti.live import LiveInteraction
from cti.schema import CustomerCard

if TYPE_CHECKING:
    from cti.centre import Centre


class Late:
    """Pops need floor and customers, which need contacts, which need pops: asked when they are there."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def has_desk(self, agent_id: str) -> bool:
        return self._centre.floor.has_desk(agent_id)

    def live(self, interaction_id: str) -> LiveInteraction | None:
        return self._centre.floor.live(interaction_id)

    def facts(self, interaction_id: str) -> dict[str, str]:
        return self._centre.floor.facts(interaction_id)

    def link(self, interaction_id: str, customer: CustomerCard, how: str) -> None:
        self._centre.floor.link(interaction_id, customer, how)

    def known(self, number: str) -> list[CustomerCard] | None:
        return self._centre.customers.known(number)

    async def by_number(self, number: str) -> list[CustomerCard]:
        return await self._centre.customers.by_number(number)
