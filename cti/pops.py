"""Screen pops: who is calling, on the screen of the agent who is offered the call, before it rings.

The look-up starts at the caller's INVITE, long before an agent is chosen. An offer to an agent with
a connected desk waits until the desk has confirmed the card, at most `WAIT_S`; then the phone rings
anyway and the card follows when it can. Without a desk nothing waits. A store that is slow or gone
therefore never holds a call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, Protocol

from msgspec import Struct

from acd.actions import Offer
from acd.model import ContactId, Decision
from cti.bus import Bus
from cti.live import LiveInteraction
from cti.schema import CustomerCard, EventType, ScreenPop, WhyView
from cti.schema_outbound import OutboundCard
from switch.clock import Clock, TimerHandle

log = logging.getLogger(__name__)

WAIT_S: Final = 0.05
"""The longest an offer waits for look-up and delivery of its card."""


class Lookup(Protocol):
    """The customer store as far as pops need it."""

    def known(self, number: str) -> list[CustomerCard] | None:
        """What `by_number` would find, if that can be said at once."""

    async def by_number(self, number: str) -> list[CustomerCard]:
        """Everyone with this number; best match first."""


class Floor(Protocol):
    """What pops need to know of the floor."""

    def has_desk(self, agent_id: str) -> bool:
        """True while a desk of this agent is connected."""

    def live(self, interaction_id: str) -> LiveInteraction | None:
        """A live interaction."""

    def facts(self, interaction_id: str) -> dict[str, str]:
        """What the caller entered in the menu."""

    def link(self, interaction_id: str, customer: CustomerCard, how: str) -> None:
        """The caller is this customer."""


class _Search(Struct):
    """One look-up under way or done."""

    number: str
    cards: list[CustomerCard] | None = None
    """None while it runs."""
    failed: bool = False


_ASKED: Final = frozenset({"consultation", "transfer", "fetched", "ring-back"})
"""Offers to somebody who does not have the contact yet."""


class _Waiting(Struct):
    """An offer that waits for its card."""

    offer: Offer
    then: Callable[[], None]
    timer: TimerHandle | None = None
    seq: int = 0


class PopService:
    """Satisfies `acd.ports.Pops`."""

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        lookup: Lookup,
        floor: Floor,
        normalise: Callable[[str], str],
        queue_titles: dict[str, str],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`spawn` runs a coroutine in the node's task group; `normalise` gives E.164 or the input."""
        self._bus = bus
        self._clock = clock
        self._lookup = lookup
        self._floor = floor
        self._normalise = normalise
        self._titles = queue_titles
        self._spawn = spawn
        self._searches: dict[ContactId, _Search] = {}
        self._waiting: dict[ContactId, _Waiting] = {}
        self._offers: dict[ContactId, Offer] = {}
        self._pops: dict[str, ScreenPop] = {}
        self.outbound: Callable[[str, str], OutboundCard | None] = lambda interaction, campaign: (
            None
        )
        """The record of a campaign's interaction."""
        self.confirmed = 0
        self.late = 0

    # --- acd.ports.Pops -------------------------------------------------------------------------

    def prefetch(self, contact: ContactId, caller_number: str) -> None:
        """Start the look-up; called at the caller's INVITE."""
        number = self._normalise(caller_number)
        search = _Search(number)
        self._searches[contact] = search
        if not number:
            search.cards = []
            return
        known = self._lookup.known(number)
        if known is not None and len(known) != 1:
            search.cards = known  # most callers are strangers who called lately: nothing to do
            return
        # One customer is linked, and that comes after the contact's own beginning.
        self._spawn(self._search(contact, search))

    def offer(self, offer: Offer, then: Callable[[], None]) -> None:
        """Show the card, then call `then`."""
        self._offers[offer.contact] = offer
        self._search_again(offer.contact)
        self._drop_waiting(offer.contact)  # of an agent who signed off meanwhile
        if not self._floor.has_desk(offer.agent):
            then()
            return
        waiting = _Waiting(offer, then)
        self._waiting[offer.contact] = waiting
        search = self._searches.get(offer.contact)
        if search is None or search.cards is not None:
            waiting.seq = self._show(offer, search, late=False)
        waiting.timer = self._clock.call_at(
            self._clock.now() + WAIT_S, lambda: self._release(offer.contact, confirmed=False)
        )

    def forget(self, contact: ContactId) -> None:
        """The contact is over; the card stays with the agent until the next one."""
        self._searches.pop(contact, None)
        self._offers.pop(contact, None)
        self._drop_waiting(contact)

    # --- the desk -------------------------------------------------------------------------------

    def acknowledged(self, agent_id: str, seq: int) -> None:
        """The desk shows the pop with this sequence number."""
        for contact, waiting in self._waiting.items():
            if waiting.seq and waiting.seq == seq and waiting.offer.agent == agent_id:
                self._release(contact, confirmed=True)
                return

    def current(self, agent_id: str) -> ScreenPop | None:
        """The last card of an agent."""
        return self._pops.get(agent_id)

    def remade(self, agent_id: str, interaction_id: str) -> ScreenPop | None:
        """The card of an agent whose desk was away when it was to be shown."""
        contact = ContactId(interaction_id)
        live = self._floor.live(interaction_id)
        if live is None:
            return None
        self._search_again(contact)
        offer = self._offers.get(contact)
        decision = None if offer is None or offer.agent != agent_id else offer.decision
        pop = self._pops[agent_id] = self._make(live, self._searches.get(contact), decision)
        return pop

    def restore(self, agent_id: str, pop: ScreenPop) -> None:
        """The card an agent had in an earlier process."""
        self._pops[agent_id] = pop

    def linked(self, agent_id: str, interaction_id: str, customer: CustomerCard) -> None:
        """The agent picked or created the customer: its card is no longer ambiguous."""
        search = self._searches.get(ContactId(interaction_id))
        if search is not None:  # for whoever has the contact next
            others = [
                each for each in search.cards or () if each.customer_id != customer.customer_id
            ]
            search.cards = [customer, *others]
        pop = self._pops.get(agent_id)
        live = self._floor.live(interaction_id)
        if pop is not None and live is not None and pop.interaction_id == interaction_id:
            pop = replace(pop, customer=customer, candidates=(), new_customer_number="")
            self._publish(pop, live, agent_id)

    def record_known(self, interaction_id: str, card: OutboundCard) -> None:
        """More is known of the record that a campaign calls: the card of its agent follows."""
        live = self._floor.live(interaction_id)
        pop = None if live is None or live.agent_id is None else self._pops.get(live.agent_id)
        if live is None or live.agent_id is None or pop is None:
            return
        if pop.interaction_id == interaction_id and pop.outbound is not None:
            self._publish(replace(pop, outbound=card), live, live.agent_id)

    # --- inside ---------------------------------------------------------------------------------

    def _drop_waiting(self, contact: ContactId) -> None:
        waiting = self._waiting.pop(contact, None)
        if waiting is not None and waiting.timer is not None:
            waiting.timer.cancel()

    async def _search(self, contact: ContactId, search: _Search) -> None:
        try:
            async with asyncio.timeout(10.0):
                search.cards = await self._lookup.by_number(search.number)
        except Exception as error:  # noqa: BLE001 - whatever ails the store, the call goes on
            log.warning("no customer look-up for %s: %s", contact, error)
            search.cards = []
            search.failed = True
        if self._searches.get(contact) is not search:
            return
        live = self._floor.live(contact)
        if len(search.cards) == 1 and live is not None and live.customer_id is None:
            self._floor.link(contact, search.cards[0], "found")
        waiting = self._waiting.get(contact)
        if waiting is not None and waiting.seq == 0:
            waiting.seq = self._show(waiting.offer, search, late=False)
        elif waiting is None:
            offer = self._offers.get(contact)
            if offer is not None and self._floor.has_desk(offer.agent):
                self._show(offer, search, late=True)

    def _show(self, offer: Offer, search: _Search | None, *, late: bool) -> int:
        live = self._floor.live(offer.contact)
        is_asked = offer.decision.rule in _ASKED
        if live is None or not (is_asked or live.agent_id == offer.agent):
            return 0  # over, or no longer with this agent while the look-up took its time
        return self._publish(self._make(live, search, offer.decision, late=late), live, offer.agent)

    def _make(
        self,
        live: LiveInteraction,
        search: _Search | None,
        decision: Decision | None,
        *,
        late: bool = False,
    ) -> ScreenPop:
        """`decision` None: the agent has it for another reason than an offer that is known here."""
        cards = [] if search is None or search.cards is None else search.cards
        linked = (each for each in cards if each.customer_id == live.customer_id)
        known = next(linked, cards[0] if len(cards) == 1 else None)
        failed = search is not None and search.failed
        number = self._normalise(live.caller_number)
        return ScreenPop(
            interaction_id=live.id,
            channel=live.channel,
            queue=live.queue,
            queue_title=self._titles.get(live.queue or "", live.queue or ""),
            caller_number=number,
            caller_name=live.caller_name,
            called=live.called,
            waited_s=0.0 if decision is None else decision.waited_s,
            why="" if decision is None else decision.in_words(),
            chosen=None if decision is None else _chosen(decision),
            facts=self._floor.facts(live.id),
            customer=known,
            candidates=() if known is not None else tuple(cards),
            new_customer_number="" if cards or failed else number,
            lookup_failed=failed,
            late=late,
            call_back_of=live.call_back_of,
            notes=live.notes,
            outbound=self.outbound(live.id, live.campaign) if live.campaign else None,
        )

    def _publish(self, pop: ScreenPop, live: LiveInteraction, agent_id: str) -> int:
        self._pops[agent_id] = pop
        event = self._bus.publish(
            EventType.SCREEN_POP,
            pop,
            interaction_id=live.id,
            call_id=live.call_id,
            queue=live.queue,
            agent_id=agent_id,
            customer_id=None if pop.customer is None else pop.customer.customer_id,
        )
        return event.seq

    def _search_again(self, contact: ContactId) -> None:
        """After a restart nothing is known of the customers of talks that went on."""
        live = None if contact in self._searches else self._floor.live(contact)
        if live is not None and not live.finished:
            self.prefetch(contact, live.caller_number)

    def _release(self, contact: ContactId, *, confirmed: bool) -> None:
        waiting = self._waiting.pop(contact, None)
        if waiting is None:
            return
        if waiting.timer is not None:
            waiting.timer.cancel()
        if confirmed:
            self.confirmed += 1
        else:
            self.late += 1
        waiting.then()


def _chosen(decision: Decision) -> WhyView:
    best = decision.candidates[0] if decision.candidates else None
    return WhyView(
        rule=decision.rule,
        idle_s=0.0 if best is None else best.idle_s,
        skills={} if best is None else dict(best.meets),
    )
