"""Four thousand agents in one queue: the cost of a contact stays far from what would be felt."""

from __future__ import annotations

import time

from acd.core import Acd
from acd.inputs import Enqueue, Input, OfferAccepted, OfferRinging, TalkEnded
from acd.model import AgentId, ContactId, ContactRequest, QueueName
from acd.settings import AcdSettings
from tests.acd.scene import agent, queue

LOAD = QueueName("load")
AGENTS, CONTACTS = 4000, 1000


def test_a_contact_costs_under_a_millisecond_from_entry_to_end() -> None:
    # About 80 us on the machine this was written on; the limit leaves room for a busy one.
    agents = [agent(AgentId(str(2000 + n)), LOAD, static=True, wrap_up_s=0) for n in range(AGENTS)]
    acd = Acd(agents=agents, queues=[queue(LOAD)], settings=AcdSettings(), now=0.0)
    began = time.process_time()
    for number in range(CONTACTS):
        live_one_life(acd, ContactId(str(number)), number * 0.01)
    per_contact_s = (time.process_time() - began) / CONTACTS
    assert acd.queue(LOAD, 10.0).answered == CONTACTS
    assert per_contact_s < 0.001


def live_one_life(acd: Acd, contact: ContactId, now: float) -> None:
    def tell(what: Input) -> None:
        acd.handle(what, now)
        acd.take_events()
        acd.get_timer()

    tell(Enqueue(request=ContactRequest(contact=contact, queue=LOAD)))
    name = acd.contact(contact).agent
    assert name is not None
    tell(OfferRinging(contact=contact, agent=name))
    tell(OfferAccepted(contact=contact, agent=name))
    tell(TalkEnded(contact=contact, by_agent=True))
