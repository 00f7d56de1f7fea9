"""Reliable provisional responses (RFC 3262) and offers before the answer (RFC 3311), both ways."""

import itertools

import pytest

from switch.sip import reliability, reliability_steps
from switch.sip.client_digest import ClientCredentials
from switch.sip.events import (
    Answered,
    Confirmed,
    EarlyAnswered,
    Ended,
    EndedBy,
    Failed,
    Progress,
    ReofferAnswered,
    ReofferFailed,
    ReofferReceived,
    SessionId,
)
from switch.sip.message import Message, Request, Response
from switch.sip.rack import RAck, rseq_in
from switch.sip.reliability import Input, State
from switch.sip.session import Cause
from switch.sip.writing import make_response, serialize
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_request, is_response
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Fate, Node, Wire

EARLY = b"v=0 early"
SECOND = b"v=0 second"


def called(wire: Wire, **headers: str) -> tuple[SessionId, SessionId]:
    """A calls B, which has decided nothing: the ids at A and B."""
    a = wire.call(OFFER, **headers)
    wire.run(0.1)
    return a, wire.b.session


def pracks(wire: Wire) -> list[Request]:
    found = [m for n, m in wire.sent if n == "a" and isinstance(m, Request)]
    return [m for m in found if m.method == "PRACK"]


def responses(wire: Wire, status: int) -> list[Response]:
    found = [m for n, m in wire.sent if n == "b" and isinstance(m, Response)]
    return [m for m in found if m.status == status and m.cseq.method == "INVITE"]


def without(method: str) -> Fate:
    def fate(message: Message, sender: Node) -> float | None:
        return None if is_request(message, method) else 0.01

    return fate


# --- both of our own --------------------------------------------------------------------------


def test_early_media_is_acknowledged_and_the_answer_says_it_no_more() -> None:
    wire = Wire()
    a, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    (progress,) = responses(wire, 183)
    rseq = rseq_in(progress.headers)
    (prack,) = pracks(wire)
    assert prack.headers.get("RAck") == f"{rseq} 1 INVITE"
    assert prack.cseq.seq == 2
    assert wire.methods("b") == ["183 INVITE", "200 PRACK"]
    assert wire.a.log == [Progress(session=a, status=183, body=EARLY)]
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    (success,) = responses(wire, 200)
    assert success.body == b""
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == EARLY
    assert wire.b.log[-1] == Confirmed(session=b, body=None)
    wire.a.ua.end(a, wire.now)
    wire.run()
    bye = next(m for _, m in wire.sent if is_request(m, "BYE"))
    assert isinstance(bye, Request)
    assert bye.cseq.seq == 3
    wire.assert_quiet()


def test_plain_ringing_is_not_made_reliable_without_need() -> None:
    wire = Wire()
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now)
    wire.run(0.1)
    assert pracks(wire) == []
    assert "RSeq" not in responses(wire, 180)[0].headers


def test_whoever_requires_it_gets_every_response_reliably_one_after_the_other() -> None:
    wire = Wire()
    a, b = called(wire, Require="100rel")
    for status in (180, 181, 182):
        wire.b.ua.ring(b, wire.now, status)
    assert wire.b.ua._table.by_id[b].queued is not None
    wire.run(1.0)
    assert [m.headers.get("RAck") for m in pracks(wire)] == [
        f"{rseq_in(m.headers)} 1 INVITE" for m in (*responses(wire, 180), *responses(wire, 182))
    ]
    numbers = [rseq_in(m.headers) or 0 for m in (*responses(wire, 180), *responses(wire, 182))]
    assert numbers[1] == numbers[0] + 1
    assert [e.status for e in wire.a.log if isinstance(e, Progress)] == [180, 182]
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    assert responses(wire, 200)[0].body == ANSWER
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()


def test_a_lost_response_is_sent_again_with_growing_pauses() -> None:
    wire = Wire(fate=without("PRACK"))
    _, b = called(wire)
    begun = wire.now
    times: list[float] = []

    def fate(message: Message, sender: Node) -> float | None:
        if is_response(message, 183):
            times.append(round(wire.now - begun, 3))
        return None if is_response(message, 183) or is_request(message, "PRACK") else 0.01

    wire.fate = fate
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(10.0)
    assert times == [0.0, 0.5, 1.5, 3.5, 7.5]


def test_a_response_that_is_never_acknowledged_ends_the_invitation() -> None:
    wire = Wire(fate=without("PRACK"))
    a, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(32.5)
    (refusal,) = [m for _, m in wire.sent if is_response(m, 504)][:1]
    assert refusal.cseq.method == "INVITE"
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert (ended.by, ended.detail) == (EndedBy.NO_ACK, "no PRACK to our 1xx")
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert (failed.session, failed.status) == (a, 504)
    wire.assert_quiet()


def test_the_answer_waits_for_the_acknowledgement_of_early_media() -> None:
    wire = Wire(fate=without("PRACK"))
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    assert responses(wire, 200) == []
    wire.fate = lambda message, sender: 0.01
    wire.run(1.0)
    assert len(responses(wire, 200)) == 1
    assert wire.a.names()[-1] == "Answered"
    assert wire.b.names()[-1] == "Confirmed"
    for node, session in ((wire.a, wire.a.log[-1]), (wire.b, wire.b.log[-1])):
        node.ua.end(session.session, wire.now)  # type: ignore[union-attr]
    wire.assert_quiet()


def test_an_answer_without_early_media_waits_for_nothing() -> None:
    wire = Wire(fate=without("PRACK"))
    _, b = called(wire, Require="100rel")
    wire.b.ua.ring(b, wire.now)
    wire.run(0.1)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    assert responses(wire, 200)[0].body == ANSWER
    wire.fate = lambda message, sender: 0.01
    wire.run(2.0)
    assert "200 PRACK" in wire.methods("b")  # late, but it fits


@pytest.mark.parametrize("way", ["reject", "end", "cancel"])
def test_a_refusal_waits_for_nothing(way: str) -> None:
    wire = Wire(fate=without("PRACK"))
    a, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    wire.b.ua.answer(b, ANSWER, wire.now)
    if way == "reject":
        wire.b.ua.reject(b, 486, None, wire.now)
    elif way == "end":
        wire.b.ua.end(b, wire.now)
    else:
        wire.a.ua.end(a, wire.now)
    wire.run(0.1)
    assert wire.b.names()[-1] == "Ended"
    assert responses(wire, 200) == []
    wire.assert_quiet()


def test_ringing_is_refreshed_reliably_with_a_new_number() -> None:
    wire = Wire()
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(61.0)
    first, second = responses(wire, 183)
    assert (rseq_in(second.headers) or 0) == (rseq_in(first.headers) or 0) + 1
    assert second.body == b""
    assert len(pracks(wire)) == 2


def test_early_media_said_twice_is_sent_once() -> None:
    wire = Wire()
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.b.ua.ring(b, wire.now, 180, body=EARLY)
    wire.run(0.2)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.2)
    bodies = [m.body for n, m in wire.sent if n == "b" and isinstance(m, Response)]
    assert bodies.count(EARLY) == 1


# --- delayed offer ----------------------------------------------------------------------------


def prack(ringing: Response, seq: int, body: bytes = b"", rack: str | None = None) -> bytes:
    named = rack or str(RAck(rseq_in(ringing.headers) or 0, ringing.cseq.seq, "INVITE"))
    data = in_dialog(ringing, "PRACK", seq, body)
    return data.replace(b"CSeq:", f"RAck: {named}\r\nCSeq:".encode(), 1)


def ringing_at(wire: Wire, status: int = 183, body: bytes | None = EARLY) -> Response:
    """B's reliable response to an INVITE made by hand."""
    wire.inject(wire.b, invite(body=OFFER, Supported="100rel"))
    wire.b.ua.ring(wire.b.session, wire.now, status, body=body)
    wire.flush()
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    return last


def delayed(wire: Wire, status: int = 183, body: bytes | None = EARLY) -> Response:
    wire.inject(wire.b, invite(body=b"", Supported="100rel"))
    wire.b.ua.ring(wire.b.session, wire.now, status, body=body)
    wire.flush()
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    return last


def status_of(wire: Wire, data: bytes) -> int:
    before = len(wire.sent)
    wire.inject(wire.b, data)
    found = [m for _, m in wire.sent[before:] if isinstance(m, Response) and m.status != 100]
    return found[0].status


def test_an_offer_in_early_media_is_answered_by_the_prack() -> None:
    wire = Wire()
    ringing = delayed(wire)
    assert status_of(wire, prack(ringing, 2)) == 400
    assert status_of(wire, prack(ringing, 3, ANSWER)) == 200
    b = wire.b.session
    assert wire.b.log[-1] == EarlyAnswered(session=b, answer=ANSWER)
    wire.b.ua.answer(b, EARLY, wire.now)
    wire.flush()
    (success,) = responses(wire, 200)
    assert success.body == b""
    wire.inject(wire.b, in_dialog(success, "ACK", 1))
    assert Confirmed(session=b, body=None) in wire.b.log


def test_without_an_offer_of_ours_nothing_is_said_reliably_before_it() -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=b"", Require="100rel"))
    before = len(wire.sent)
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.flush()
    assert len(wire.sent) == before


# --- what does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rack", "status"),
    [
        ("1 1 INVITE", 481),
        ("{rseq} 2 INVITE", 481),
        ("{rseq} 1 UPDATE", 481),
        ("0 1 INVITE", 481),
        ("99999999999 1 INVITE", 400),
        ("{rseq} 1", 400),
        ("many 1 INVITE", 400),
        ("-1 1 INVITE", 400),
    ],
)
def test_a_prack_of_nothing_is_refused_and_the_call_goes_on(rack: str, status: int) -> None:
    wire = Wire()
    ringing = ringing_at(wire)
    named = rack.replace("{rseq}", str(rseq_in(ringing.headers)))
    assert status_of(wire, prack(ringing, 2, rack=named)) == status
    assert status_of(wire, prack(ringing, 3)) == 200
    assert status_of(wire, prack(ringing, 4)) == 481
    assert wire.b.names() == ["Invited"]


def test_a_prack_without_rack_or_without_a_call_is_refused() -> None:
    wire = Wire()
    ringing = ringing_at(wire)
    assert status_of(wire, in_dialog(ringing, "PRACK", 2)) == 400
    outside = invite(body=b"", RAck="1 1 INVITE", Call_ID="other").replace(
        b"INVITE sip", b"PRACK sip"
    )
    assert status_of(wire, outside.replace(b"CSeq: 1 INVITE", b"CSeq: 1 PRACK")) == 481
    stranger = prack(ringing, 3).replace(b"tag=x", b"tag=y")
    assert status_of(wire, stranger) == 481


def test_a_prack_whose_body_cannot_be_read_is_refused() -> None:
    wire = Wire()
    ringing = ringing_at(wire)
    data = prack(ringing, 2, b"x").replace(b"application/sdp", b"text/plain")
    assert status_of(wire, data) == 415


# --- offers before the answer -----------------------------------------------------------------


def settled(wire: Wire) -> tuple[SessionId, SessionId]:
    a, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    return a, b


@pytest.mark.parametrize("is_caller", [True, False])
def test_an_update_changes_the_sound_before_the_answer(is_caller: bool) -> None:
    wire = Wire()
    a, b = settled(wire)
    ours, theirs = (wire.a, wire.b) if is_caller else (wire.b, wire.a)
    mine, other = (a, b) if is_caller else (b, a)
    ours.ua.reoffer(mine, SECOND, wire.now)
    wire.run(0.1)
    assert theirs.log[-1] == ReofferReceived(session=other, offer=SECOND)
    theirs.ua.accept_reoffer(other, ANSWER, wire.now)
    wire.run(0.1)
    assert ours.log[-1] == ReofferAnswered(session=mine, answer=ANSWER)
    assert "INVITE" not in wire.methods(ours.name)[1:]
    assert "ACK" not in wire.methods(ours.name)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    assert wire.a.names()[-1] == "Answered"
    theirs.ua.reoffer(other, SECOND, wire.now)
    wire.run(0.1)
    assert isinstance(ours.log[-1], ReofferReceived)
    ours.ua.refuse_reoffer(mine, 488, wire.now)
    wire.run(0.1)
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()


def test_updates_that_meet_before_the_answer_are_refused_with_491() -> None:
    wire = Wire()
    a, b = settled(wire)
    wire.a.ua.reoffer(a, SECOND, wire.now)
    wire.b.ua.reoffer(b, SECOND, wire.now)
    wire.run(0.1)
    assert "491 UPDATE" in wire.methods("a")
    assert "491 UPDATE" in wire.methods("b")
    wire.run(10.0)
    assert any(isinstance(e, ReofferReceived) for e in (*wire.a.log, *wire.b.log))


def test_an_offer_before_the_first_is_answered_is_put_off() -> None:
    wire = Wire()
    ringing = ringing_at(wire, 180, None)
    update = in_dialog(ringing, "UPDATE", 2, SECOND)
    assert status_of(wire, update) == 500
    assert wire.b.names() == ["Invited"]
    wire.b.ua.reoffer(wire.b.session, SECOND, wire.now)
    wire.flush()
    assert wire.b.log[-1] == ReofferFailed(session=wire.b.session, status=491)


def test_an_offer_that_crosses_ours_in_a_reliable_response_is_refused_with_491() -> None:
    """RFC 3311 section 5.2: the peer owes us an answer, in its PRACK."""
    wire = Wire()
    wire.inject(wire.b, invite(body=b"", Supported="100rel"))
    wire.b.ua.ring(wire.b.session, wire.now, 183, body=EARLY)
    wire.flush()
    ringing = wire.sent[-1][1]
    assert isinstance(ringing, Response)
    assert ringing.body == EARLY
    assert status_of(wire, in_dialog(ringing, "UPDATE", 2, SECOND)) == 491
    wire.inject(wire.b, prack(ringing, 3, ANSWER))
    assert wire.b.log[-1] == EarlyAnswered(session=wire.b.session, answer=ANSWER)


def test_an_update_without_an_offer_is_taken_in_an_early_dialog() -> None:
    wire = Wire()
    ringing = ringing_at(wire, 180, None)
    assert status_of(wire, in_dialog(ringing, "UPDATE", 2)) == 200


def test_an_offer_in_a_prack_is_one_like_that_of_an_update() -> None:
    wire = Wire()
    ringing = ringing_at(wire)
    before = len(wire.sent)
    wire.inject(wire.b, prack(ringing, 2, SECOND))
    assert len(wire.sent) == before
    b = wire.b.session
    assert wire.b.log[-1] == ReofferReceived(session=b, offer=SECOND)
    wire.b.ua.accept_reoffer(b, ANSWER, wire.now)
    wire.flush()
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    assert (last.status, last.cseq.method, last.body) == (200, "PRACK", ANSWER)


def test_an_offer_in_the_prack_that_the_answer_waits_for_is_refused() -> None:
    wire = Wire()
    ringing = ringing_at(wire)
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    assert status_of(wire, prack(ringing, 2, SECOND)) == 491
    assert len(responses(wire, 200)) == 1


def test_an_update_of_ours_that_is_refused_or_lost_changes_nothing() -> None:
    wire = Wire()
    a, b = settled(wire)
    wire.a.ua.reoffer(a, SECOND, wire.now)
    wire.run(0.1)
    wire.b.ua.refuse_reoffer(b, 488, wire.now)
    wire.run(0.1)
    assert wire.a.log[-1] == ReofferFailed(session=a, status=488)
    wire.fate = without("UPDATE")
    wire.a.ua.reoffer(a, SECOND, wire.now)
    wire.run(40.0)
    assert wire.a.log[-1] == ReofferFailed(session=a, status=408)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    assert wire.a.names()[-1] == "Answered"


# --- of callees made by hand ------------------------------------------------------------------


def reply(wire: Wire, status: int, tag: str, *, rseq: int | str = "", body: bytes = b"") -> None:
    """An answer to A's newest INVITE."""
    asked = [m for n, m in wire.sent if n == "a" and is_request(m, "INVITE")][-1]
    assert isinstance(asked, Request)
    headers = [("Contact", "<sip:b@192.0.2.2>")]
    if rseq:
        headers += [("Require", "100rel"), ("RSeq", str(rseq))]
    kind = "application/sdp" if body else None
    response = make_response(
        asked, status, to_tag=tag, headers=headers, body=body, content_type=kind
    )
    wire.inject(wire.a, serialize(response))


def calling() -> tuple[Wire, SessionId]:
    wire = Wire(fate=lambda message, sender: None)
    return wire, wire.call()


def racks(wire: Wire) -> list[str | None]:
    return [m.headers.get("RAck") for m in pracks(wire)]


def test_responses_are_acknowledged_in_order_and_gaps_are_dropped() -> None:
    wire, _ = calling()
    for rseq in (7, 7, 9, 8, 8, 9, 5):
        reply(wire, 180, "p", rseq=rseq)
    assert racks(wire) == ["7 1 INVITE", "8 1 INVITE", "9 1 INVITE"]
    assert wire.a.names() == ["Progress"] * 3


def test_each_callee_has_numbers_of_its_own() -> None:
    wire, _ = calling()
    reply(wire, 180, "p", rseq=7)
    reply(wire, 180, "q", rseq=1)
    reply(wire, 180, "q", rseq=2)
    assert racks(wire) == ["7 1 INVITE", "1 1 INVITE", "2 1 INVITE"]
    assert [m.cseq.seq for m in pracks(wire)] == [2, 2, 3]


@pytest.mark.parametrize("rseq", ["0", "4294967295", "x", "-1"])
def test_numbers_that_cannot_be_make_no_reliable_response(rseq: str) -> None:
    wire, _ = calling()
    reply(wire, 180, "p", rseq=rseq)
    assert pracks(wire) == []
    assert wire.a.names() == ["Progress"]


def test_a_flood_of_reliable_responses_is_bounded() -> None:
    wire, _ = calling()
    for rseq in range(1, 500):
        reply(wire, 180, "p", rseq=rseq)
    for number in range(50):
        reply(wire, 180, f"t{number}", rseq=1)
    assert len(pracks(wire)) == 64 + 7


def test_the_call_goes_on_with_the_numbers_of_the_early_dialog() -> None:
    wire, a = calling()
    reply(wire, 183, "p", rseq=7, body=EARLY)
    reply(wire, 200, "p")
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == EARLY
    wire.a.ua.end(a, wire.now)
    wire.flush()
    bye = wire.sent[-1][1]
    assert isinstance(bye, Request)
    assert (bye.method, bye.cseq.seq) == ("BYE", 3)


def test_another_callee_than_the_one_with_early_media_may_answer() -> None:
    wire, a = calling()
    reply(wire, 183, "p", rseq=7, body=EARLY)
    wire.a.ua.reoffer(a, SECOND, wire.now)
    wire.flush()
    reply(wire, 200, "q", body=ANSWER)
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == ANSWER
    wire.a.ua.reoffer(a, SECOND, wire.now)
    wire.flush()
    assert is_request(wire.sent[-1][1], "INVITE")


def test_where_the_callee_offers_nothing_is_acknowledged_before_its_answer() -> None:
    """We do not say that we know reliable responses, so none may come (RFC 3262 section 3)."""
    wire = Wire(fate=lambda message, sender: None)
    wire.call(b"")
    invited = wire.sent[0][1]
    assert "100rel" not in invited.headers.tokens("Supported")
    assert "timer" in invited.headers.tokens("Supported")
    reply(wire, 183, "p", rseq=7, body=EARLY)
    assert pracks(wire) == []
    assert wire.a.names() == ["Progress"]


def test_a_199_is_tolerated() -> None:
    wire, _ = calling()
    reply(wire, 180, "p")
    reply(wire, 199, "p")
    reply(wire, 200, "q", body=ANSWER)
    assert wire.a.names() == ["Progress", "Progress", "Answered"]


def test_a_prack_is_challenged_and_sent_again() -> None:
    wire = Wire(fate=lambda message, sender: None)
    a = wire.call()
    session = wire.a.ua._table.by_id[a]
    credentials = ClientCredentials(username="a", password="p")
    session.prover = wire.a.ua._table.prover(credentials, session.flow)
    reply(wire, 183, "p", rseq=7, body=EARLY)
    challenge = [("Proxy-Authenticate", 'Digest realm="r", nonce="n"')]
    refusal = make_response(pracks(wire)[0], 407, headers=challenge)
    wire.inject(wire.a, serialize(refusal))
    again = pracks(wire)[-1]
    assert again.cseq.seq == 3
    assert again.headers.get("RAck") == "7 1 INVITE"
    assert "Proxy-Authorization" in again.headers


# --- over a restart ---------------------------------------------------------------------------


def restarted(node: Node, wire: Wire, session: SessionId, answer: bytes = b"") -> None:
    record, octets = node.ua.record(session), node.ua.invite_octets(session)
    assert record is not None
    fresh = Node(node.name + "2", node.address, node.ua._table.settings)
    node.endpoint, node.ua = fresh.endpoint, fresh.ua
    node.ua.restore(record, octets, answer, wire.now, may_lack_ack=True)


def test_numbers_go_on_after_a_restart_of_the_callee() -> None:
    wire = Wire()
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    restarted(wire.b, wire, b)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    assert len(pracks(wire)) == 1  # settled before: now it rings without SDP, and unreliably
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == EARLY
    assert wire.b.names()[-1] == "Confirmed"


def test_numbers_go_on_after_a_restart_of_the_caller() -> None:
    wire = Wire()
    a, b = settled(wire)
    restarted(wire.a, wire, a)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == EARLY
    wire.a.ua.end(a, wire.now)
    wire.run(0.1)
    (bye,) = [m for _, m in wire.sent if is_request(m, "BYE")]
    assert isinstance(bye, Request)
    assert bye.cseq.seq == 3


def test_an_answer_that_waits_is_sent_after_a_restart() -> None:
    wire = Wire(fate=without("PRACK"))
    _, b = called(wire)
    wire.b.ua.ring(b, wire.now, 183, body=EARLY)
    wire.run(0.1)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.1)
    restarted(wire.b, wire, b, ANSWER)
    wire.run(1.0)
    assert wire.a.names()[-1] == "Answered"


# --- every pair -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "given"), list(itertools.product(State, Input)), ids=lambda value: value.name
)
def test_responses_in_any_state_take_any_input(state: State, given: Input) -> None:
    wire = Wire(fate=without("PRACK"))
    _, b = called(wire, Require="100rel")
    table = wire.b.ua._table
    session = table.by_id[b]
    if state is not State.IDLE:
        wire.b.ua.ring(b, wire.now, 183, body=None if state is State.SENT else EARLY)
    if state is State.HELD:
        wire.b.ua.answer(b, ANSWER, wire.now)
    assert session.reliability is state
    response = table.dialog_response(session, session.invite, 180, (), None)
    what = reliability_steps.Given(wire.now, response, Cause(now=wire.now, body=ANSWER))
    actions = reliability_steps.step(table, session, given, what)
    expected, named = reliability.TRANSITIONS.get((state, given), (state, ()))
    assert (session.reliability, actions) == (expected, named)
    wire.fate = lambda message, sender: 0.01
    wire.b.ua.end(b, wire.now)
    wire.run(50.0)
    assert wire.b.names()[-1] == "Ended"
    wire.assert_quiet()
