"""Real sessions are brought into every state and given every input; then all must end cleanly."""

import itertools

import pytest

from switch.sip import renegotiation, renegotiation_steps, usage, usage_steps
from switch.sip.events import TransactionId
from switch.sip.message import Message, Request, Response
from switch.sip.parsing import parse
from switch.sip.session import Cause, Session
from tests.switch.sip_sessions.test_call import in_dialog, is_request
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire, established

U = usage.State
R = renegotiation.State


def lost(message: Message, sender: Node) -> float | None:
    return None


def without_acks(message: Message, sender: Node) -> float | None:
    return None if is_request(message, "ACK") else 0.01


def arrived(message: Message, sender: Node) -> float | None:
    return 0.01


def in_usage_state(state: usage.State) -> tuple[Wire, Node, Session]:
    """A wire, and the node whose session is in this state."""
    wire = Wire()
    if state in (U.CONFIRMED, U.MORTAL, U.TERMINATED):
        a, _ = established(wire)
        session = wire.a.ua._table.by_id[a]
        if state is not U.CONFIRMED:
            wire.fate = lost if state is U.MORTAL else arrived
            wire.a.ua.end(a, wire.now)
            wire.run(0.1)
        return wire, wire.a, session
    if state is U.CALLING:
        wire.fate = lost
    if state in (U.ACCEPTED, U.LEAVING):
        wire.fate = without_acks
    a = wire.call()
    wire.run(0.1)
    if state in (U.CALLING, U.PROCEEDING, U.CANCELLING):
        session = wire.a.ua._table.by_id[a]
        if state is U.CANCELLING:
            wire.fate = lost
            wire.a.ua.end(a, wire.now)
        return wire, wire.a, session
    session = wire.b.ua._table.by_id[wire.b.session]
    if state in (U.ACCEPTED, U.LEAVING):
        wire.b.ua.answer(session.id, ANSWER, wire.now)
    if state is U.LEAVING:
        wire.b.ua.end(session.id, wire.now)
    wire.flush()
    return wire, wire.b, session


def in_offer_state(state: renegotiation.State) -> tuple[Wire, Node, Session]:
    wire = Wire()
    a, b = established(wire)
    ours, theirs = wire.a.ua._table.by_id[a], wire.b.ua._table.by_id[b]
    match state:
        case R.STABLE:
            return wire, wire.a, ours
        case R.OFFERING | R.WAITING:
            wire.a.ua.reoffer(a, OFFER, wire.now)
            wire.run(0.1)
            if state is R.WAITING:
                wire.b.ua.refuse_reoffer(b, 491, wire.now)
                wire.run(0.1)
            return wire, wire.a, ours
        case R.OFFERED | R.ACCEPTED:
            wire.fate = without_acks
            wire.a.ua.reoffer(a, OFFER, wire.now)
            wire.run(0.1)
            if state is R.ACCEPTED:
                wire.b.ua.accept_reoffer(b, ANSWER, wire.now)
                wire.flush()
        case R.OFFERED_BY_UPDATE:
            success = next(m for n, m in wire.sent if n == "b" and m.body == ANSWER)
            assert isinstance(success, Response)
            wire.inject(wire.b, in_dialog(success, "UPDATE", 7, OFFER))
    return wire, wire.b, theirs


def cause_in(session: Session, method: str, now: float) -> Cause:
    """A cause that carries all that any action may want."""
    success = Response(200, "OK", session.invite.headers.copy(), ANSWER)
    success.headers.set("To", "<sip:b@example.com>;tag=any")
    success.headers.set("Contact", "<sip:b@192.0.2.2>")
    success.headers.set("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKany")
    request = parse(in_dialog(success, method, 9, OFFER))
    assert isinstance(request, Request)
    return Cause(
        now=now,
        request=request,
        transaction=TransactionId("unknown"),
        response=success,
        status=488,
        body=OFFER,
    )


def end_all(wire: Wire) -> None:
    wire.fate = arrived
    wire.run(40.0)
    for node in wire.nodes:
        for session in list(node.ua._table.by_id):
            node.ua.end(session, wire.now)
    wire.flush()
    wire.run(40.0)
    for node in wire.nodes:
        names = [name for name in node.names() if name in ("Ended", "Failed")]
        assert len(names) <= 1
    wire.assert_quiet()


@pytest.mark.parametrize(
    ("state", "given"),
    list(itertools.product(usage.State, usage.Input)),
    ids=lambda value: value.name,
)
def test_a_session_in_any_state_takes_any_input(state: usage.State, given: usage.Input) -> None:
    wire, node, session = in_usage_state(state)
    assert session.state is state
    table = node.ua._table
    method = {usage.Input.BYE: "BYE", usage.Input.OFFER: "UPDATE"}.get(given, "INVITE")
    usage_steps.step(table, session, given, cause_in(session, method, wire.now))
    expected = usage.TRANSITIONS.get((state, given), (state, ()))[0]
    assert session.state is expected
    end_all(wire)


@pytest.mark.parametrize(
    ("state", "given"),
    list(itertools.product(renegotiation.State, renegotiation.Input)),
    ids=lambda value: value.name,
)
def test_offers_in_any_state_take_any_input(
    state: renegotiation.State, given: renegotiation.Input
) -> None:
    wire, node, session = in_offer_state(state)
    assert session.offer_state is state
    method = "UPDATE" if given is renegotiation.Input.UPDATE else "INVITE"
    cause = cause_in(session, method, wire.now)
    renegotiation_steps.step(node.ua._table, session, given, cause)
    expected = renegotiation.TRANSITIONS.get((state, given), (state, ()))[0]
    assert session.offer_state is expected
    end_all(wire)
