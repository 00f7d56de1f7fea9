"""What agents see of a campaign's record: previews with their customer, and the card of a talk."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, Protocol

from acd.dialer.dialer import Dialer
from acd.dialer.errors import DialerError
from acd.dialer.model import AttemptId, CampaignName
from acd.dialer.script import fill
from acd.model import AgentId
from cti.errors import DomainError
from cti.schema import CustomerCard, PreviewView
from cti.schema_outbound import OutboundCard

log = logging.getLogger(__name__)

_REMEMBERED: Final = 2_000
"""Cards of talks that may be over: a desk may ask for its card again."""
_LOOKUP_S: Final = 10.0


class Lookup(Protocol):
    """The customer store."""

    def known(self, number: str) -> list[CustomerCard] | None:
        """What `by_number` would find, if that can be said at once."""

    async def by_number(self, number: str) -> list[CustomerCard]:
        """Everyone with this number; best match first."""


class Cards:
    """Asks the dialer and the customer store."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        lookup: Lookup,
        publish: Callable[[PreviewView], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._dialer = dialer
        self._lookup = lookup
        self._publish = publish
        self._spawn = spawn
        self._previews: dict[str, PreviewView] = {}
        self._cards: OrderedDict[str, OutboundCard] = OrderedDict()

    # --- previews -------------------------------------------------------------------------------

    def preview(self, agent_id: str) -> PreviewView | None:
        """The record that an agent has before it."""
        if self._dialer.preview(AgentId(agent_id)) is None:
            return None
        return self._previews.get(agent_id)

    def show(self, view: PreviewView) -> None:
        """Tell an agent's desk of its record; who the customer is follows where that takes time."""
        before = self._previews.get(view.agent_id)
        if before is not None and before.attempt_id == view.attempt_id:
            view = replace(view, customer=before.customer, candidates=before.candidates)
        else:
            known = self._lookup.known(view.card.number)
            if known is None:
                self._spawn(self._look_up(view))
            else:
                view = _with(view, known)
        self._keep(view)
        self._publish(view)

    async def _look_up(self, view: PreviewView) -> None:
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = await self._lookup.by_number(view.card.number)
        except (DomainError, TimeoutError) as error:
            log.warning("no customer look-up for a preview: %s", error)
            return
        now = self._previews.get(view.agent_id)
        if found and now is not None and now.attempt_id == view.attempt_id:
            self._previews[view.agent_id] = now = _with(now, found)
            self._publish(now)

    def _keep(self, view: PreviewView) -> None:
        if view.step == "over":
            self._previews.pop(view.agent_id, None)
        else:
            self._previews[view.agent_id] = view
        self._remember(view.attempt_id, view.card)

    # --- talks ----------------------------------------------------------------------------------

    def card(self, interaction_id: str, campaign: str) -> OutboundCard | None:
        """The record of a talk; None where the campaign or the attempt is not known any more."""
        if interaction_id in self._cards:
            return self._cards[interaction_id]
        candidate = self._dialer.candidate(AttemptId(interaction_id))
        try:
            settings = self._dialer.settings(CampaignName(campaign))
        except DialerError:
            return None
        if candidate is None:
            return None
        facts = {"name": candidate.name, "number": candidate.number, **dict(candidate.facts)}
        made = OutboundCard(
            campaign=campaign,
            campaign_title=settings.title or campaign,
            record_id=candidate.record,
            number=candidate.number,
            name=candidate.name,
            zone=candidate.zone,
            attempts=candidate.attempts,
            facts=dict(candidate.facts),
            script=fill(settings.script, facts),
            dispositions=settings.dispositions,
            why=candidate.why,
        )
        self._remember(interaction_id, made)
        return made

    def _remember(self, interaction_id: str, card: OutboundCard) -> None:
        self._cards[interaction_id] = card
        if len(self._cards) > _REMEMBERED:
            self._cards.popitem(last=False)


def _with(view: PreviewView, found: list[CustomerCard]) -> PreviewView:
    if len(found) == 1:
        return replace(view, customer=found[0])
    return replace(view, candidates=tuple(found))
