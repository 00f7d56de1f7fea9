"""Every state x every input of the four machines, and that the drawings are current."""

from pathlib import Path

import pytest

from switch.errors import LocalProtocolError
from switch.sip.counters import EndpointCounters
from switch.sip.diagrams import MACHINES, draw, file_name
from switch.sip.machine import STARTS, TERMINATED, Action, Machine
from switch.sip.message import Response
from switch.sip.timers import SipTimers, Timer
from switch.sip.transaction import Transaction
from switch.sip.transactions import TransactionTable
from switch.sip.writing import make_response
from tests.switch.sip_core.peer import ALICE, BOB, flow_to, make_endpoint, make_request

PAIRS = [(m, state, given) for m in MACHINES for state in m.states for given in m.inputs]
FOLDER = Path(__file__).parents[3] / "docs" / "state-diagrams"


def label(value: object) -> str:
    return value.name if isinstance(value, Machine) else str(value)


@pytest.mark.parametrize(("machine", "state", "given"), PAIRS, ids=label)
def test_each_pair_is_either_taken_or_ignored_with_a_reason(
    machine: Machine, state: str, given: str
) -> None:
    pair = (state, given)
    assert (pair in machine.transitions) != (pair in machine.ignored)
    assert machine.ignored.get(pair, "reason")


@pytest.mark.parametrize(("machine", "state", "given"), PAIRS, ids=label)
def test_each_pair_does_what_its_row_says(machine: Machine, state: str, given: str) -> None:
    table = TransactionTable(SipTimers(), EndpointCounters())
    method = "INVITE" if machine.is_invite else "OPTIONS"
    request = make_request(method, branch="z9hG4bKx")
    flow = flow_to(BOB, ALICE)
    if machine.is_client:
        transaction = table.start_client(request, "z9hG4bKx", flow, 0.0)
    else:
        transaction = table.start_server(request, "key", flow)
        transaction.datagram = b"the last response"
    table.out.clear()
    transaction.state = state
    transaction.interval = 0.5
    fired = next((t for t in Timer if t == given), None)
    row = machine.transitions.get((state, given))
    message = make_response(request, 200 if "2" in given else 486, to_tag="t")
    assert table.step(transaction, given, message, 1.0, fired) == (row is not None)
    if row is None:
        assert (transaction.state, table.out, table.events) == (state, [], type(table.events)())
        return
    after, actions = row
    assert transaction.state == after
    assert (transaction.id in table.by_id) == (after != TERMINATED)
    sends = {Action.SEND, Action.SEND_ONCE, Action.RESEND, Action.SEND_ACK, Action.SEND_CANCEL}
    assert len(table.out) == sum(action in sends for action in actions)
    informs = {Action.INFORM_TIMEOUT, Action.INFORM_TRANSPORT, Action.DELIVER}
    assert len(table.events) == sum(action in informs for action in actions)


@pytest.mark.parametrize("machine", MACHINES, ids=label)
def test_an_input_of_another_machine_is_our_own_fault(machine: Machine) -> None:
    table = TransactionTable(SipTimers(), EndpointCounters())
    transaction = table.start_server(make_request(branch="z9hG4bKx"), "key", flow_to(BOB, ALICE))
    with pytest.raises(LocalProtocolError):
        table.step(transaction, "no such input", None, 0.0)


@pytest.mark.parametrize("machine", MACHINES, ids=label)
def test_rows_name_known_states_and_inputs_only(machine: Machine) -> None:
    for (state, given), (after, _) in machine.transitions.items():
        assert {state, after} <= set(machine.states)
        assert given in machine.inputs
    assert {state for state, _ in machine.ignored} <= set(machine.states)
    assert machine.initial in machine.states


@pytest.mark.parametrize("machine", MACHINES, ids=label)
def test_every_timer_started_is_an_input_where_it_may_fire(machine: Machine) -> None:
    started = {STARTS[action] for action in machine.on_start if action in STARTS}
    for _, actions in machine.transitions.values():
        started |= {STARTS[action] for action in actions if action in STARTS}
    assert started == {timer for timer in Timer if timer in machine.inputs}


@pytest.mark.parametrize("machine", MACHINES, ids=label)
def test_the_committed_drawing_is_current(machine: Machine) -> None:
    committed = (FOLDER / file_name(machine)).read_text(encoding="utf-8")
    assert committed == draw(machine), "run: python -m switch.sip.diagrams"


def test_a_transaction_names_itself_in_errors() -> None:
    endpoint = make_endpoint()
    identity = endpoint.send_request(make_request("OPTIONS"), flow_to(BOB, ALICE), 0.0)
    with pytest.raises(LocalProtocolError, match="non-INVITE client"):
        endpoint.cancel(identity, 0.0)
    with pytest.raises(LocalProtocolError, match="our own"):
        endpoint.respond(identity, Response(200, "OK"), 0.0)
    assert Transaction.__dictoffset__ == 0, "its attributes are slots"
