"""What agents see of a campaign's record: previews with their customer, and the card of a talk."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from acd.dialer.dialer import Dialer
from acd.dialer.errors import DialerError
from acd.dialer.model import AttemptId, CampaignName, Candidate, RecordId
from acd.dialer.script import fill
from acd.model import AgentId
from crm_store.outbound.past import PastAttempt as StoredPast
from cti.campaigns.errors import answering
from cti.errors import DomainError
from cti.schema import CustomerCard, PreviewView
from cti.schema_outbound import OutboundCard, PastAttempt

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
        past: Callable[[RecordId], Awaitable[Sequence[StoredPast]]],
        publish: Callable[[PreviewView], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`past` tells what came of a record before, `publish` shows a preview to its agent."""
        self._dialer = dialer
        self._lookup = lookup
        self._past = past
        self._publish = publish
        self._spawn = spawn
        self._previews: dict[str, PreviewView] = {}
        self._cards: OrderedDict[str, OutboundCard] = OrderedDict()
        self.on_card: Callable[[str, OutboundCard], None] = lambda interaction, card: None
        """Told when more is known of the record of a talk."""

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
        card = self._cards.get(view.attempt_id)
        if card is None:
            self._look_back(view.attempt_id)
        else:
            view = replace(view, card=card)
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
        self._look_back(interaction_id)
        return made

    # --- what came of the record before ---------------------------------------------------------

    def _look_back(self, attempt_id: str) -> None:
        candidate = self._dialer.candidate(AttemptId(attempt_id))
        if candidate is not None and candidate.has_past:
            self._spawn(self._bring_past(attempt_id, candidate))

    async def _bring_past(self, attempt_id: str, candidate: Candidate) -> None:
        try:
            async with answering(_LOOKUP_S):
                found = await self._past(candidate.record)
        except DomainError as error:
            log.warning("nothing is known of a record's past: %s", error)
            return
        card = self._cards.get(attempt_id)
        found = [each for each in found if each.id != attempt_id]  # it is told once they talk
        if not found or card is None:
            return
        self._cards[attempt_id] = card = _with_past(card, found, candidate)
        for agent, preview in tuple(self._previews.items()):
            if preview.attempt_id == attempt_id:
                self._previews[agent] = now = replace(preview, card=card)
                self._publish(now)
        self.on_card(attempt_id, card)

    def _remember(self, interaction_id: str, card: OutboundCard) -> None:
        self._cards[interaction_id] = card
        if len(self._cards) > _REMEMBERED:
            self._cards.popitem(last=False)


def _with(view: PreviewView, found: list[CustomerCard]) -> PreviewView:
    if len(found) == 1:
        return replace(view, customer=found[0])
    return replace(view, candidates=tuple(found))


def _with_past(
    card: OutboundCard, found: Sequence[StoredPast], candidate: Candidate
) -> OutboundCard:
    recent = tuple(
        PastAttempt(
            attempt_id=each.id,
            at=each.dialled_at,
            outcome=each.outcome,
            disposition=each.disposition,
            agent_name=each.agent,
            note=" ".join(each.note.partition("\n")[0].split()),
            talked_s=each.talked_s,
        )
        for each in found
    )
    asked = next((each for each in found if each.call_back_at is not None), None)
    if asked is None or not candidate.is_promised:
        return replace(card, recent=recent)
    return replace(card, recent=recent, call_back_of=asked.call_back_at, call_back_by=asked.agent)
