"""Transfers and parking in the public words."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactTransferred, TransferKind
from acd.model import AgentId, ContactId, QueueName
from cti.live import LiveInteraction
from cti.schema import EventData, EventType, InteractionView
from cti.translate_parties import transferred


def talk() -> LiveInteraction:
    """Agent 1001 talks since second 100."""
    return LiveInteraction(
        id="i-1",
        call_id="c-1",
        channel="voice",
        stage="talking",
        since=100.0,
        started=90.0,
        caller_number="+12025550109",
        caller_name="",
        called="4001",
        queue="sales",
        agent_id="1001",
        answered=100.0,
    )


def moved(live: LiveInteraction, kind: TransferKind, number: str, at: float) -> list[EventData]:
    """What is published when it changes hands at that second."""
    told: list[EventData] = []
    agent = AgentId("1001") if kind is TransferKind.PICKED_UP else None
    event = ContactTransferred(
        contact=ContactId("i-1"),
        at=at,
        kind=kind,
        former=None if agent else AgentId("1001"),
        agent=agent,
        number=number,
        queue=QueueName("sales"),
        is_queued=agent is not None,
    )

    def publish(type: EventType, data: EventData, live: LiveInteraction | None, at: float) -> None:
        told.append(data)

    transferred(event, live, at, publish)
    return told


@pytest.mark.parametrize("kind", [TransferKind.PARKED, TransferKind.QUEUE])
def test_a_talk_that_was_given_up_is_not_counted_on_while_nobody_has_it(kind: TransferKind) -> None:
    live = talk()
    moved(live, kind, "701" if kind is TransferKind.PARKED else "", 110.0)
    assert live.answered is None


def test_who_fetches_a_parked_call_begins_a_talk_anew() -> None:
    live = talk()
    moved(live, TransferKind.PARKED, "701", 110.0)
    established = moved(live, TransferKind.PICKED_UP, "1001", 170.0)[-1]
    assert isinstance(established, InteractionView)
    assert (established.stage, established.answered) == ("talking", 170.0)
