"""Hold, resume, glare and all that can happen to a re-INVITE or UPDATE."""

import pytest

from switch.sip.events import (
    Ended,
    EndedBy,
    ReofferAnswered,
    ReofferFailed,
    ReofferReceived,
)
from switch.sip.message import Message, Request, Response
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_request, is_response
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire, established, forget

HOLD = b"v=0 hold"
HELD = b"v=0 held"


def success_of(wire: Wire) -> Response:
    (*_, (_, message)) = wire.sent
    assert isinstance(message, Response)
    return message


def uas_session(wire: Wire) -> Response:
    """B in a session with a hand-made peer; gives B's 2xx, to make requests from."""
    wire.inject(wire.b, invite())
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    success = success_of(wire)
    wire.inject(wire.b, in_dialog(success, "ACK", 1))
    assert wire.b.names()[-1] == "Confirmed"
    return success


def last(wire: Wire) -> Message:
    return wire.sent[-1][1]


def test_hold_and_resume() -> None:
    wire = Wire()
    a, b = established(wire)
    for offer, answer in ((HOLD, HELD), (OFFER, ANSWER)):
        wire.a.ua.reoffer(a, offer, wire.now)
        wire.run()
        assert wire.b.log[-1] == ReofferReceived(session=b, offer=offer)
        wire.b.ua.accept_reoffer(b, answer, wire.now)
        wire.run()
        assert wire.a.log[-1] == ReofferAnswered(session=a, answer=answer)
    wire.b.ua.reoffer(b, HOLD, wire.now)
    wire.run()
    wire.a.ua.accept_reoffer(a, HELD, wire.now)
    wire.run()
    assert wire.b.log[-1] == ReofferAnswered(session=b, answer=HELD)
    wire.a.ua.end(a, wire.now)
    wire.run()
    assert wire.b.names()[-1] == "Ended"
    wire.assert_quiet()


def test_a_refused_offer_leaves_the_session_as_it_was() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.b.ua.refuse_reoffer(b, 488, wire.now)
    wire.run()
    assert wire.a.log[-1] == ReofferFailed(session=a, status=488)
    assert (wire.a.ua.sessions_alive, wire.b.ua.sessions_alive) == (1, 1)


def test_glare_is_settled_by_the_two_pauses() -> None:
    wire = Wire()
    a, b = established(wire)
    start = wire.now
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.b.ua.reoffer(b, OFFER, wire.now)
    wire.run(0.1)
    assert wire.methods("a")[-2:] == ["491 INVITE", "ACK"]
    assert wire.methods("b")[-2:] == ["491 INVITE", "ACK"]
    wire.run(1.0)  # B does not own the Call-ID: 0.25 of 0 to 2 s
    assert wire.now - start < 2.1
    assert wire.a.log[-2:] == [
        ReofferFailed(session=a, status=491),
        ReofferReceived(session=a, offer=OFFER),
    ]
    wire.a.ua.accept_reoffer(a, ANSWER, wire.now)
    wire.run()
    assert wire.b.log[-1] == ReofferAnswered(session=b, answer=ANSWER)
    wire.run(10.0)
    assert wire.methods("a").count("INVITE") == 2  # the first call and the one that met B's


def test_the_owner_of_the_call_id_tries_again_when_the_peer_does_not() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.b.ua.refuse_reoffer(b, 491, wire.now)
    wire.run(2.0)
    assert wire.methods("a").count("INVITE") == 2
    wire.run(1.0)  # 2.1 to 4 s
    assert wire.methods("a").count("INVITE") == 3
    wire.b.ua.accept_reoffer(b, HELD, wire.now)
    wire.run()
    assert wire.a.log[-1] == ReofferAnswered(session=a, answer=HELD)


def test_endless_glare_is_reported_in_the_end() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.b.on_event = lambda event, now: (
        wire.b.ua.refuse_reoffer(event.session, 491, now)
        if isinstance(event, ReofferReceived)
        else None
    )
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run(30.0)
    assert wire.a.log[-1] == ReofferFailed(session=a, status=491)
    assert wire.methods("a").count("INVITE") == 5
    assert wire.a.ua.sessions_alive == 1


def test_a_second_offer_of_ours_has_to_wait() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.a.ua.reoffer(a, OFFER, wire.now)
    wire.run()
    assert wire.a.log[-1] == ReofferFailed(session=a, status=491)
    early = Wire()
    session = early.call()
    early.a.ua.reoffer(session, HOLD, early.now)
    early.run()
    assert early.a.log == [ReofferFailed(session=session, status=491)]


@pytest.mark.parametrize("what", ["INVITE", "ACK", 200])
def test_a_reoffer_survives_losses(what: object) -> None:
    wire = Wire()
    a, b = established(wire)
    left = [2]

    def fate(message: Message, sender: Node) -> float | None:
        is_it = is_response(message, what) if isinstance(what, int) else None
        if is_it or (is_it is None and is_request(message, str(what))):
            left[0] -= 1
            if left[0] >= 0:
                return None
        return 0.01

    wire.fate = fate
    wire.b.on_event = lambda event, now: (
        wire.b.ua.accept_reoffer(event.session, HELD, now)
        if isinstance(event, ReofferReceived)
        else None
    )
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run(10.0)
    assert wire.a.log[-1] == ReofferAnswered(session=a, answer=HELD)
    wire.b.ua.reoffer(b, OFFER, wire.now)
    wire.run(1.0)
    assert wire.a.names()[-1] == "ReofferReceived"


def test_a_reoffer_without_ack_ends_the_session() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.fate = lambda message, sender: None if is_request(message, "ACK") else 0.01
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.b.ua.accept_reoffer(b, HELD, wire.now)
    wire.run(33.0)
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.by is EndedBy.NO_ACK
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.REMOTE_BYE)
    wire.assert_quiet()


def test_a_peer_that_is_gone_is_noticed_by_a_reoffer() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.fate = lambda message, sender: None
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run(33.0)
    ended = wire.a.log[-1]
    assert isinstance(ended, Ended)
    assert (ended.session, ended.by) == (a, EndedBy.TIMEOUT)
    assert "ReofferFailed" not in wire.a.names()
    wire.run(60.0)
    assert wire.a.ua.sessions_alive == 0


def test_a_peer_that_forgot_the_dialog_is_noticed_by_a_reoffer() -> None:
    wire = Wire()
    a, b = established(wire)
    forget(wire.b, b)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.TIMEOUT, detail="481 to our re-INVITE")
    wire.assert_quiet()


def test_a_reoffer_that_cannot_be_sent_fails_and_the_call_goes_on() -> None:
    """The peer's connection may be gone for a moment; another offer may go out later."""
    wire = Wire()
    a, _ = established(wire)
    wire.fate = lambda message, sender: None
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.a.endpoint.transport_failed(wire.a.flow_to(wire.b.address), "refused", wire.now)
    wire.run(0.005)
    assert wire.a.log[-1] == ReofferFailed(session=a, status=503)
    wire.fate = lambda message, sender: 0.01
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.b.ua.accept_reoffer(wire.b.session, HELD, wire.now)
    wire.run()
    assert wire.a.names()[-1] == "ReofferAnswered"
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()


def test_a_bye_while_an_offer_waits_answers_that_with_487() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.run()
    assert wire.methods("b")[-2:] == ["200 BYE", "487 INVITE"]
    wire.b.ua.accept_reoffer(b, HELD, wire.now)
    wire.run()
    assert wire.b.log[-1] == Ended(session=b, by=EndedBy.REMOTE_BYE)
    wire.assert_quiet()


def test_a_2xx_to_a_reoffer_of_an_ended_session_is_acknowledged() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.reoffer(a, HOLD, wire.now)
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.b.ua.accept_reoffer(b, HELD, wire.now)
    wire.run()
    assert wire.methods("a")[-2:] == ["BYE", "ACK"]
    wire.assert_quiet()


# --- hand-made peers ----------------------------------------------------------------------------


def test_a_reinvite_without_offer_gets_ours_and_answers_in_the_ack() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "INVITE", 2))
    assert wire.b.log[-1] == ReofferReceived(session=wire.b.session, offer=None)
    wire.b.ua.accept_reoffer(wire.b.session, OFFER, wire.now)
    wire.flush()
    wire.inject(wire.b, in_dialog(success, "ACK", 2, body=ANSWER))
    assert wire.b.of(ReofferAnswered) == [ReofferAnswered(session=wire.b.session, answer=ANSWER)]


def test_a_reinvite_without_offer_and_answer_ends_the_session() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "INVITE", 2))
    wire.b.ua.accept_reoffer(wire.b.session, OFFER, wire.now)
    wire.flush()
    wire.inject(wire.b, in_dialog(success, "ACK", 2))
    assert wire.b.names()[-1] == "Ended"
    assert wire.methods("b")[-1] == "BYE"


def test_an_update_with_an_offer_is_answered_like_a_reinvite() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "UPDATE", 2, body=HOLD))
    assert wire.b.log[-1] == ReofferReceived(session=wire.b.session, offer=HOLD)
    wire.b.ua.accept_reoffer(wire.b.session, HELD, wire.now)
    wire.flush()
    answer = last(wire)
    assert is_response(answer, 200)
    assert (answer.body, answer.cseq.method) == (HELD, "UPDATE")
    wire.run(5.0)
    assert wire.methods("b").count("200 UPDATE") == 1


def test_an_update_without_an_offer_is_accepted_at_once() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "UPDATE", 2))
    assert is_response(last(wire), 200)
    assert wire.b.names()[-1] == "Confirmed"


def test_offers_while_one_is_open_are_put_off() -> None:
    wire = Wire()
    success = uas_session(wire)
    wire.inject(wire.b, in_dialog(success, "INVITE", 2, body=HOLD))
    wire.inject(wire.b, in_dialog(success, "UPDATE", 3, body=OFFER))
    answer = last(wire)
    assert is_response(answer, 500)
    assert answer.headers.get("Retry-After") == "2"
    wire.b.ua.accept_reoffer(wire.b.session, HELD, wire.now)
    wire.flush()
    wire.inject(wire.b, in_dialog(success, "INVITE", 4, body=OFFER))  # before the ACK
    assert is_response(last(wire), 491)


def test_offers_before_the_call_is_up_are_put_off() -> None:
    wire = Wire()
    wire.inject(wire.b, invite())
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.flush()
    ringing = success_of(wire)
    wire.inject(wire.b, in_dialog(ringing, "UPDATE", 2, body=OFFER))
    assert is_response(last(wire), 500)
    wire.inject(wire.b, in_dialog(ringing, "INVITE", 3, body=OFFER))
    assert is_response(last(wire), 500)
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    wire.inject(wire.b, in_dialog(ringing, "INVITE", 4, body=OFFER))
    assert is_response(last(wire), 491)


def test_a_cancelled_reinvite_leaves_the_session() -> None:
    wire = Wire()
    success = uas_session(wire)
    reinvite = in_dialog(success, "INVITE", 2, body=HOLD)
    wire.inject(wire.b, reinvite)
    head = reinvite.split(b"Content-Type")[0].replace(b"INVITE sip", b"CANCEL sip")
    wire.inject(wire.b, head.replace(b"2 INVITE", b"2 CANCEL") + b"\r\n")
    assert wire.methods("b")[-2:] == ["200 CANCEL", "487 INVITE"]
    wire.b.ua.accept_reoffer(wire.b.session, HELD, wire.now)
    wire.flush()
    assert is_response(last(wire), 487)
    assert wire.b.ua.sessions_alive == 1


def test_an_offer_of_an_unknown_kind_is_refused_and_disturbs_nothing() -> None:
    wire = Wire()
    success = uas_session(wire)
    text = in_dialog(success, "INVITE", 2, body=HOLD).replace(b"application/sdp", b"text/plain")
    wire.inject(wire.b, text)
    answer = last(wire)
    assert is_response(answer, 415)
    assert answer.headers.get("Accept") == "application/sdp"
    wire.inject(wire.b, in_dialog(success, "INVITE", 3, body=HOLD))
    assert wire.b.names()[-1] == "ReofferReceived"


def test_a_refused_reinvite_does_not_move_the_target() -> None:
    wire = Wire()
    success = uas_session(wire)
    session = wire.b.ua._table.by_id[wire.b.session]
    assert session.dialog is not None

    def moved(seq: int, host: bytes) -> bytes:
        contact = b"Contact: <sip:x@" + host + b">\r\n"
        return in_dialog(success, "INVITE", seq, body=HOLD).replace(
            b"Content-Type", contact + b"Content-Type"
        )

    wire.inject(wire.b, moved(2, b"192.0.2.66"))
    wire.b.ua.refuse_reoffer(wire.b.session, 488, wire.now)
    assert str(session.dialog.target) == "sip:x@192.0.2.1"
    wire.inject(wire.b, moved(3, b"192.0.2.77"))
    wire.b.ua.accept_reoffer(wire.b.session, HELD, wire.now)
    assert str(session.dialog.target) == "sip:x@192.0.2.77"
    wire.flush()
    wire.inject(wire.b, in_dialog(success, "ACK", 3))
    wire.b.ua.end(wire.b.session, wire.now)
    wire.flush()
    bye = last(wire)
    assert isinstance(bye, Request)
    assert bye.uri == "sip:x@192.0.2.77"
