"""The store in the words of the API: cards, notes, outcomes, and interactions as they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from crm_store.errors import BadRecord, NotStored, StoreUnavailable
from crm_store.facts import CustomerDraft, CustomerFacts, InteractionFacts, PastInteractionFacts
from crm_store.numbers import is_number
from crm_store.store import Store
from cti.api.ports import Account
from cti.bus import Bus
from cti.errors import Conflict, Invalid, NotFound, Unavailable
from cti.floor import Floor
from cti.schema import (
    ContactPoint,
    CustomerCard,
    CustomerRequest,
    DispositionSet,
    EventType,
    InteractionDetail,
    NoteAdded,
    NoteView,
    PastInteraction,
    RecordingView,
    TimelineEntry,
)
from cti.translate import Translator

_AWAY = "The customer store does not answer; calls go on. Try again soon."
_LONGEST_S = 5.0
"""The store has so long for an answer: who asked is an agent, with a customer on the line."""


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Raises `Unavailable` when the store is away, and when it takes too long."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            yield
    except (StoreUnavailable, TimeoutError):
        raise Unavailable("store-away", _AWAY) from None


class CustomerDesk:
    """Satisfies the API's `Customers` and the look-up of the screen pops."""

    def __init__(self, store: Store, floor: Floor) -> None:
        self._store = store
        self._floor = floor
        self._creating = asyncio.Lock()

    def known(self, number: str) -> list[CustomerCard] | None:
        """What `by_number` finds, where the store has it at hand."""
        found = self._store.known_by_number(number)
        return None if found is None else [card(facts) for facts in found]

    async def by_number(self, number: str) -> list[CustomerCard]:
        """Everyone with this number, in any notation; best match first."""
        async with answering():
            return [card(facts) for facts in await self._store.find_by_number(number)]

    async def by_name(self, name: str) -> list[CustomerCard]:
        """Everyone of whose name or company a word begins with each of these words."""
        async with answering():
            return [card(facts) for facts in await self._store.find_by_name(name)]

    async def get(self, customer_id: str) -> CustomerCard:
        """One customer."""
        async with answering():
            facts = await self._store.get_customer(customer_id)
        if facts is None:
            raise NotFound("unknown-customer", "There is no such customer", customer=customer_id)
        return card(facts)

    async def link(
        self, interaction_id: str, request: CustomerRequest, actor: Account
    ) -> CustomerCard:
        """Link the interaction to the customer picked, or to one created from the request."""
        live = self._floor.live(interaction_id)
        if live is None:
            raise Conflict(
                "interaction-over",
                "The interaction is over; link customers while you are on it or in wrap-up",
                interaction=interaction_id,
            )
        if request.customer_id is not None:
            found, how = await self.get(request.customer_id), "picked"
        else:
            number = live.caller_number if is_number(live.caller_number) else ""
            found, how = await self._create(request, number)
        self._floor.link(interaction_id, found, how)
        return found

    async def _create(self, request: CustomerRequest, number: str) -> tuple[CustomerCard, str]:
        """A new customer; one of the same name and number was created a moment ago, by whoever it was."""
        draft = CustomerDraft(
            name=request.name,
            company=request.company,
            language=request.language,
            remarks=request.remarks,
            phones=(number,) if number else (),
        )
        name = " ".join(request.name.split()).casefold()
        async with answering(), self._creating:
            for each in await self._store.find_by_number(number) if number else ():
                if each.name.casefold() == name:
                    return card(each), "picked"
            try:
                return card(await self._store.create_customer(draft)), "created"
            except BadRecord as error:
                raise Invalid("bad-customer", str(error)) from None


_SUPERVISION: Final[frozenset[str]] = frozenset({EventType.SUPERVISED.value})
_NOTES_KEPT: Final = 20
"""Of a live interaction, for the card of whoever has it next."""


class InteractionDesk:
    """Satisfies the API's `History`."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        translator: Translator,
        codes: frozenset[str],
        shows_supervisors: bool = False,
    ) -> None:
        """`codes` are the configured dispositions; `shows_supervisors`: agents see who attends them."""
        self._store = store
        self._bus = bus
        self._translator = translator
        self._codes = codes
        self._shows_supervisors = shows_supervisors

    async def interaction(
        self, interaction_id: str, *, for_supervisor: bool = False
    ) -> InteractionDetail:
        """The interaction with its timeline; agents see in it what they saw while it lasted."""
        async with answering():
            facts = await self._store.get_interaction(interaction_id)
        if facts is None:
            raise NotFound(
                "unknown-interaction", "There is no such interaction", interaction=interaction_id
            )
        shows_all = for_supervisor or self._shows_supervisors
        return detail(facts, without=frozenset() if shows_all else _SUPERVISION)

    async def interaction_agent(self, interaction_id: str) -> str | None:
        """The agent it was last with: of those that ended lately also while the store is away."""
        agent = self._translator.agent_of_ended(interaction_id)
        if agent is not None:
            return agent
        try:
            async with answering():
                return await self._store.interaction_agent(interaction_id)
        except NotStored:
            raise NotFound(
                "unknown-interaction", "There is no such interaction", interaction=interaction_id
            ) from None

    async def add_note(self, interaction_id: str, text: str, author: Account) -> None:
        """Keep a note. It goes into the history with the events, so a store that is away delays it."""
        note = NoteAdded(text=text, author=author.login)
        live = self._translator.interaction(interaction_id)
        if live is not None:
            live.notes = (*live.notes, note)[-_NOTES_KEPT:]
        self._publish(interaction_id, EventType.NOTE_ADDED, note, author)

    async def set_disposition(self, interaction_id: str, code: str, author: Account) -> None:
        """Set the outcome."""
        if code not in self._codes:
            known = ", ".join(sorted(self._codes))
            raise Invalid("unknown-disposition", f"The outcome must be one of: {known}", code=code)
        live = self._translator.interaction(interaction_id)
        if live is not None:
            live.disposition = code
        chosen = DispositionSet(code=code, author=author.login)
        self._publish(interaction_id, EventType.DISPOSITION_SET, chosen, author)

    def _publish(
        self,
        interaction_id: str,
        type: EventType,
        data: NoteAdded | DispositionSet,
        author: Account,
    ) -> None:
        live = self._translator.interaction(interaction_id)
        self._bus.publish(
            type,
            data,
            interaction_id=interaction_id,
            call_id=None if live is None else live.call_id,
            queue=None if live is None else live.queue,
            agent_id=author.agent_id if live is None else live.agent_id,
            customer_id=None if live is None else live.customer_id,
        )


def card(facts: CustomerFacts) -> CustomerCard:
    """A customer as an agent sees it."""
    return CustomerCard(
        customer_id=facts.customer_id,
        name=facts.name,
        company=facts.company,
        tier=facts.tier,
        language=facts.language,
        contact_points=tuple(
            ContactPoint(kind=point.kind, value=point.value, label=point.label)
            for point in facts.contact_points
        ),
        remarks=facts.remarks,
        recent=tuple(_past(past) for past in facts.recent),
    )


def _past(past: PastInteractionFacts) -> PastInteraction:
    return PastInteraction(
        interaction_id=past.interaction_id,
        at=past.at,
        channel=past.channel,
        queue=past.queue,
        agent_name=past.agent_name,
        disposition=past.disposition,
        summary=past.note or _in_words(past),
        talked_s=past.talked_s,
        recorded=past.recorded,
        note=past.note,
        result=past.result or "",
        waited_s=past.waited_s,
    )


def _in_words(past: PastInteractionFacts) -> str:
    """What happened, for an interaction without a note."""
    match past.result:
        case "abandoned":
            return f"abandoned after {past.waited_s:.0f} s"
        case "answered" | "direct":
            return f"talked for {past.talked_s:.0f} s"
        case None:
            return "not over yet"
        case "menu":
            return "ended in the menu"
        case "timeout":
            return f"waited {past.waited_s:.0f} s, then the queue's time was up"
        case other:
            return other.replace("-", " ")


def detail(facts: InteractionFacts, *, without: frozenset[str] = frozenset()) -> InteractionDetail:
    """An interaction as the API tells it, its timeline without events of some types."""
    return InteractionDetail(
        interaction_id=facts.interaction_id,
        channel=facts.channel,
        direction=facts.direction,
        started=facts.started,
        ended=facts.ended,
        caller_number=facts.caller_number,
        caller_name=facts.caller_name,
        called=facts.called,
        queue=facts.queue,
        agent_id=facts.agent_id,
        agent_name=facts.agent_name or "",
        customer_id=facts.customer_id,
        customer_name=facts.customer_name,
        result=facts.result or "",
        reason=facts.reason or "",
        waited_s=facts.waited_s,
        talked_s=facts.talked_s,
        held_s=facts.held_s,
        disposition=facts.disposition,
        why=facts.why,
        notes=tuple(NoteView(at=n.at, author=n.author, text=n.text) for n in facts.notes),
        recordings=tuple(
            RecordingView(
                recording_id=recording.recording_id,
                duration_s=recording.duration_s,
                octets=recording.octets,
                sha256=recording.sha256,
                error=recording.error,
            )
            for recording in facts.recordings
        ),
        timeline=tuple(
            TimelineEntry(seq=line.seq, at=line.at, type=line.type, data=dict(line.data))
            for line in facts.timeline
            if line.type not in without
        ),
    )
