"""Offers, parties, transfers, parked calls and supervision, from the words of contacts to the public ones."""

from __future__ import annotations

from typing import Final, Protocol

from acd.contact_events import (
    ContactParked,
    ContactParty,
    ContactTransferred,
    ParkNews,
    TransferKind,
)
from acd.party import PartyState
from cti.live import LiveInteraction
from cti.schema import (
    EventData,
    EventType,
    ParkedView,
    PartyView,
    SupervisionView,
    TransferView,
)

_GONE: Final = frozenset({PartyState.LEFT, PartyState.FAILED})
_STANDS: Final = frozenset({ParkNews.PARKED, ParkNews.FETCHING, ParkNews.RECALLING})
_QUEUED: Final = frozenset({TransferKind.QUEUE, TransferKind.PARKED})


class Publish(Protocol):
    """Publishes an event of an interaction."""

    def __call__(
        self, type: EventType, data: EventData, live: LiveInteraction | None, at: float
    ) -> None: ...


def party_changed(
    event: ContactParty,
    live: LiveInteraction,
    at: float,
    publish: Publish,
    *,
    visible: bool,
    name: str,
) -> None:
    """Somebody else is called, takes part or leaves; `visible`: agents see supervisors.

    `name` is the party's, if it is an agent.
    """
    if event.role is not None:
        supervision = SupervisionView(
            by=event.by,
            number=event.number,
            role=event.role,
            state=event.state,
            reason=event.reason,
        )
        shown, live.agent_id = live.agent_id, live.agent_id if visible else None
        publish(EventType.SUPERVISED, supervision, live, at)
        live.agent_id = shown
        return
    view = PartyView(
        number=event.number,
        state=event.state,
        agent_id=event.agent,
        reason=event.reason,
        name=name,
    )
    others = tuple(party for party in live.parties if party.number != event.number)
    live.parties = others if event.state in _GONE else (*others, view)
    publish(EventType.PARTY_CHANGED, view, live, at)


def parked(
    event: ContactParked,
    live: LiveInteraction,
    since: float,
    by_name: str,
    publish: Publish,
    at: float,
) -> None:
    """Tell everybody of a parking place; `since` and `at` are seconds since the epoch."""
    view = ParkedView(
        slot=event.slot,
        state=event.news,
        since=since,
        interaction_id=live.id,
        caller_number=live.caller_number,
        caller_name=live.caller_name,
        customer_name=live.customer_name,
        queue=live.queue,
        by=event.by,
        by_name=by_name,
        number=event.number,
    )
    live.parked = view if event.news in _STANDS else None
    if event.news is ParkNews.PARKED and live.stage != "parked":
        live.enter("parked", at)
    publish(EventType.PARKED, view, live, at)


def transferred(
    event: ContactTransferred, live: LiveInteraction, at: float, publish: Publish
) -> None:
    """Tell the one who had it, then the one who has it."""
    if event.former is not None and event.former not in live.earlier_agents:
        live.earlier_agents = (*live.earlier_agents, event.former)
    view = TransferView(
        kind=event.kind,
        former_id=event.former,
        agent_id=event.agent,
        number=event.number,
        queue=event.queue,
    )
    live.agent_id = event.former
    publish(EventType.TRANSFERRED, view, live, at)
    live.agent_id = event.agent
    live.muted = False
    live.parties = tuple(party for party in live.parties if party.number != event.number)
    if event.kind in _QUEUED or not event.number:
        live.answered = None  # the next one to have it begins a talk anew
        return  # it waits: `Queued` says so
    live.enter("talking" if event.is_queued else "direct", at)
    live.answered = live.answered or at
    publish(EventType.ESTABLISHED, live.view(), live, at)
