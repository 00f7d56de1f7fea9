"""What desks, wallboard and history are told, when things cross."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from acd.contact_events import ContactResult
from crm_store.store import Store
from cti.api.ports import Account
from cti.customers import InteractionDesk
from cti.errors import Conflict, Unavailable
from cti.schema import AgentFiguresView, CustomerCard, EventType, InteractionView, Role, ScreenPop
from ivr.loader import parse_flow
from switch.calls.causes import Result
from switch.calls.events import LegQualityChanged
from switch.calls.fan_out import FanOut
from switch.ids import CallId
from tests.kit.joined import Centre, agent

TRANSFER = b"""
language: en
start: connect
nodes:
  connect:
    verb: transfer
    number: "1001"
"""


def talks(centre: Centre, name: str = "1001") -> str:
    """A caller who talks to this agent; gives the interaction."""
    caller = centre.call()
    centre.passes(0.1)  # the card is not confirmed: the phone rings anyway
    centre.rings(centre.calls.to(name))
    centre.answers(centre.calls.to(name))
    centre.answers(caller)
    assert centre.state(name) == "talking"
    found = centre.translator.agents.agent(name).interaction_id
    assert found is not None
    return found


def test_how_a_call_sounds_is_told_with_the_time_of_day() -> None:
    centre = Centre()
    centre.ready("1001")
    interaction = talks(centre)
    live = centre.translator.interaction(interaction)
    assert live is not None
    centre.passes(5.0)
    own = centre.calls.to("1001")
    FanOut(centre.translator.takes)(
        LegQualityChanged(leg=own, call=CallId(live.call_id), at=centre.clock.now(), mos=2.46)
    )
    (told,) = [each for each in centre.published if each.type is EventType.QUALITY_CHANGED]
    assert (told.interaction_id, told.at) == (interaction, centre.clock.wall())
    assert isinstance(told.data, InteractionView)
    assert told.data.mos == 2.5


# --- no interaction is left behind ------------------------------------------------------------


def test_a_call_dialled_during_wrap_up_ends_with_itself_and_not_with_the_wrap_up() -> None:
    centre = Centre()
    centre.ready("1001")
    talks(centre)
    centre.ends(centre.calls.to("1001"), "callee-hung-up")
    assert centre.state("1001") == "wrap-up"
    centre.floor.dial("1001", "+12025550102")
    centre.settle()
    centre.answers(centre.calls.to("1001"))
    centre.ends(centre.calls.to("+12025550102"), "busy", Result.BUSY)
    centre.passes(10.0)
    assert centre.translator.interactions() == ()


def test_the_hold_of_a_direct_call_ends_where_it_began() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.floor.dial("1001", "+12025550102")
    centre.settle()
    centre.answers(centre.calls.to("1001"))
    centre.answers(centre.calls.to("+12025550102"))
    (contact,) = centre.translator.interactions()
    live = centre.inbound._contacts.get(contact.interaction_id)  # type: ignore[arg-type]
    assert live is not None
    for held, stage in ((True, "held"), (False, "direct")):
        centre.floor._conversation.held_changed(live, held, centre.clock.now())
        assert [each.stage for each in centre.translator.interactions()] == [stage]


def test_an_agent_gives_up_a_number_that_rings() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.floor.dial("1001", "+12025550102")
    centre.settle()
    centre.answers(centre.calls.to("1001"))
    (contact,) = centre.translator.interactions()
    centre.floor.hang_up(contact.interaction_id, agent("1001"))
    own = centre.calls.to("1001")
    assert own in centre.calls.hung_up
    centre.ends(own, "agent-hung-up")
    assert centre.calls.to("+12025550102") in centre.calls.hung_up
    assert centre.translator.interactions() == ()
    assert centre.state("1001") == "available"


def test_a_caller_who_waits_cannot_be_hung_up_on() -> None:
    centre = Centre()
    centre.call()
    (contact,) = centre.translator.interactions()
    with pytest.raises(Conflict):
        centre.floor.hang_up(contact.interaction_id, agent("1001"))


def test_a_note_may_follow_the_end_although_the_store_is_away(tmp_path: Path) -> None:
    centre = Centre(wrap_up_s=0.0)
    centre.ready("1001")
    interaction = talks(centre)
    centre.ends(centre.calls.to("1001"), "callee-hung-up")
    assert centre.translator.interactions() == ()
    away = Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}", data_dir=None)
    desk = InteractionDesk(
        store=away, bus=centre.bus, translator=centre.translator, codes=frozenset()
    )
    assert asyncio.run(desk.interaction_agent(interaction)) == "1001"
    with pytest.raises(Unavailable):
        asyncio.run(desk.interaction_agent("older"))


# --- what became of a contact -----------------------------------------------------------------


def test_whoever_waited_as_long_as_the_queue_allows_has_waited_that_long() -> None:
    centre = Centre(max_wait_s=30.0)
    centre.call()
    centre.passes(31.0)
    (finished,) = centre.finished
    assert (finished.result, finished.waited_s) == (ContactResult.TIMEOUT, 30.0)
    assert centre.acd.late_inputs == 0


def _with_transfer() -> Centre:
    flow = parse_flow(
        TRANSFER,
        "connect.yaml",
        name="connect",
        has_prompt=lambda name: True,
        has_queue=lambda name: True,
    )
    return Centre(flows={"4050": flow})


def test_a_caller_who_gives_up_while_the_target_of_a_transfer_rings_was_not_connected() -> None:
    centre = _with_transfer()
    centre.ready("1001")
    caller = centre.call("4050")
    centre.passes(7.0)
    centre.ends(caller, "caller-hung-up")
    (finished,) = centre.finished
    assert (finished.result, finished.waited_s) == (ContactResult.ABANDONED, 7.0)


def test_an_agent_to_whom_a_flow_transfers_is_credited_and_may_command_the_call() -> None:
    centre = _with_transfer()
    centre.ready("1001")
    caller = centre.call("4050")
    centre.answers(centre.calls.to("1001"))
    (established,) = centre.of(EventType.ESTABLISHED)
    assert (established.agent_id, centre.state("1001")) == ("1001", "engaged")
    assert established.interaction_id is not None
    centre.floor.hang_up(established.interaction_id, agent("1001"))
    centre.ends(centre.calls.to("1001"), "agent-hung-up")
    assert caller in centre.calls.hung_up
    (finished,) = centre.finished
    assert (finished.result, finished.agent) == (ContactResult.DIRECT, "1001")


# --- screen pops ------------------------------------------------------------------------------

ANNA = CustomerCard(customer_id="c1", name="Anna Example")


def test_a_card_that_comes_late_is_not_shown_to_an_agent_who_has_refused() -> None:
    centre = Centre()
    centre.store_is_slow = True
    centre.ready("1001")
    centre.call()
    centre.passes(0.1)
    centre.ends(centre.calls.to("1001"), "busy", Result.BUSY)
    centre.store.cards = [ANNA]
    centre.store_answers()
    assert centre.of(EventType.SCREEN_POP) == []
    assert centre.of(EventType.CUSTOMER_LINKED)[0].customer_id == "c1"


def test_an_offer_to_the_next_agent_waits_for_its_own_card() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.passes(1.0)
    centre.ready("1002")
    centre.call()
    centre.passes(0.04)
    centre.floor.desk_gone("1001")
    centre.settle()
    centre.passes(0.03)
    assert centre.calls.made == []  # 1002 is offered since 30 ms
    centre.passes(0.03)
    assert [number for _, number, _ in centre.calls.made] == ["1002"]


def test_a_snapshot_has_no_card_of_a_contact_that_is_with_another_agent() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.call()
    centre.passes(0.1)
    (pop,) = centre.of(EventType.SCREEN_POP)
    assert isinstance(pop.data, ScreenPop)
    assert centre.floor.snapshot(agent("1001")).pop == pop.data
    centre.ends(centre.calls.to("1001"), "busy", Result.BUSY)
    centre.ready("1002")
    assert centre.floor.snapshot(agent("1001")).pop is None
    assert centre.floor.snapshot(agent("1002")).pop is not None


def test_an_account_that_is_no_agent_sees_nothing_of_the_agents() -> None:
    centre = Centre()
    centre.ready("1001")
    centre.call()
    clerk = Account(login="clerk", name="Clerk", role=Role.AGENT)
    snapshot = centre.floor.snapshot(clerk)
    assert (snapshot.agents, snapshot.queues, snapshot.interactions) == ((), (), ())


# --- midnight ---------------------------------------------------------------------------------


def test_an_agents_own_numbers_begin_anew_on_its_screen_at_midnight() -> None:
    centre = Centre()
    centre.ready("1001")
    talks(centre)
    centre.ends(centre.calls.to("1001"), "callee-hung-up")
    centre.passes(10.0)
    centre.distribution.new_day()
    told = [event.data for event in centre.of(EventType.AGENT_FIGURES) if event.agent_id == "1001"]
    counted = [figures.answered for figures in told if isinstance(figures, AgentFiguresView)]
    assert counted[-2:] == [1, 0]
