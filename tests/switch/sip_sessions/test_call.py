"""Calls between two user agents: set up, refused, cancelled, ended."""

import pytest

from switch.sip.events import (
    Answered,
    Confirmed,
    Ended,
    EndedBy,
    Failed,
    Invited,
    Progress,
)
from switch.sip.message import Message, Request, Response
from switch.sip.reason import Reason
from switch.sip.user_agent import UserAgentSettings
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire, established


def is_response(message: Message, status: int) -> bool:
    return isinstance(message, Response) and message.status == status


def is_request(message: Message, method: str) -> bool:
    return isinstance(message, Request) and message.method == method


class Losing:
    """Loses the first `times` messages that `what` names."""

    def __init__(self, what: object, times: int = 1) -> None:
        self.what = what
        self.left = times

    def __call__(self, message: Message, sender: Node) -> float | None:
        hit = (
            is_response(message, self.what)
            if isinstance(self.what, int)
            else is_request(message, str(self.what))
        )
        if hit and self.left:
            self.left -= 1
            return None
        return 0.01


def test_a_call_rings_is_answered_and_hung_up_by_the_caller() -> None:
    wire = Wire()
    a = wire.call(X_Called="4000")
    wire.run()
    (invited,) = wire.b.log
    assert isinstance(invited, Invited)
    assert invited.offer == OFFER
    assert invited.request.headers.get("X-Called") == "4000"
    wire.b.ua.ring(invited.session, wire.now)
    wire.run()
    wire.b.ua.answer(invited.session, ANSWER, wire.now, {"X-Queue": "sales"})
    wire.run()
    progress, answered = wire.a.log
    assert progress == Progress(session=a, status=180, body=None)
    assert isinstance(answered, Answered)
    assert answered.answer == ANSWER
    assert answered.response.headers.get("X-Queue") == "sales"
    assert wire.b.log[1] == Confirmed(session=invited.session, body=None)
    wire.a.ua.end(a, wire.now, reason_header='Q.850;cause=16;text="done"')
    wire.run()
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.LOCAL)
    assert wire.b.log[-1] == Ended(
        session=invited.session,
        by=EndedBy.REMOTE_BYE,
        detail='Q.850;cause=16;text="done"',
        reasons=(Reason(protocol="Q.850", cause=16, text="done"),),
    )
    assert wire.methods("a") == ["INVITE", "ACK", "BYE"]
    assert wire.methods("b") == ["180 INVITE", "200 INVITE", "200 BYE"]
    wire.assert_quiet()


def test_the_called_one_hangs_up() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.b.ua.end(b, wire.now)
    wire.b.ua.end(b, wire.now)
    wire.run()
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.REMOTE_BYE)
    assert wire.b.log[-1] == Ended(session=b, by=EndedBy.LOCAL)
    assert wire.methods("b").count("BYE") == 1
    wire.assert_quiet()


def test_byes_cross_and_both_are_answered() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.end(a, wire.now)
    wire.b.ua.end(b, wire.now)
    wire.run()
    assert wire.methods("a")[-2:] == ["BYE", "200 BYE"]
    assert wire.methods("b")[-2:] == ["BYE", "200 BYE"]
    assert [type(e) for e in (wire.a.log[-1], wire.b.log[-1])] == [Ended, Ended]
    wire.assert_quiet()


@pytest.mark.parametrize("status", [302, 403, 404, 480, 486, 488, 503, 603])
def test_a_refusal_reaches_the_caller(status: int) -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.b.ua.reject(wire.b.session, status, None, wire.now, [("Retry-After", "7")])
    wire.run()
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert (failed.session, failed.status) == (a, status)
    assert failed.response is not None
    assert failed.response.headers.get("Retry-After") == "7"
    assert isinstance(wire.b.log[-1], Ended)
    assert wire.methods("a") == ["INVITE", "ACK"]
    wire.assert_quiet()


def test_challenges_of_the_same_name_stay_apart() -> None:
    wire = Wire()
    wire.call()
    wire.run()
    challenges = [("WWW-Authenticate", 'Digest realm="x"'), ("WWW-Authenticate", "Digest y=z")]
    wire.b.ua.reject(wire.b.session, 401, None, wire.now, challenges)
    wire.run()
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert failed.response is not None
    assert len(failed.response.headers.get_all("WWW-Authenticate")) == 2
    wire.assert_quiet()


def test_nobody_there_is_a_408() -> None:
    wire = Wire(fate=lambda message, sender: None)
    a = wire.call()
    wire.run(40.0)
    assert wire.a.log == [Failed(session=a, status=408, reason="Request Timeout", response=None)]
    wire.assert_quiet()


# --- CANCEL at every point ----------------------------------------------------------------------


def test_cancelled_before_the_first_response_nothing_is_sent_until_it_comes() -> None:
    wire = Wire(fate=lambda message, sender: 0.2)
    a = wire.call()
    wire.a.ua.end(a, wire.now)
    wire.flush()
    assert wire.methods("a") == ["INVITE"]
    assert wire.a.log == [Ended(session=a, by=EndedBy.LOCAL)]
    wire.run(2.0)
    assert wire.methods("a") == ["INVITE", "CANCEL", "ACK"]
    assert wire.b.log[-1] == Ended(session=wire.b.session, by=EndedBy.CANCELLED)
    wire.assert_quiet()


def test_cancelled_while_ringing() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.run()
    assert wire.methods("b") == ["180 INVITE", "200 CANCEL", "487 INVITE"]
    assert wire.b.log[-1] == Ended(session=wire.b.session, by=EndedBy.CANCELLED)
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.run()
    assert wire.methods("b")[-1] == "487 INVITE"
    wire.assert_quiet()


def test_a_cancel_says_why() -> None:
    """RFC 3326: a phone that was not first to answer is not to show a missed call."""
    wire = Wire()
    a = wire.call()
    wire.run()
    (invited,) = wire.b.log
    assert isinstance(invited, Invited)
    wire.b.ua.ring(invited.session, wire.now)
    wire.run()
    wire.a.ua.end(a, wire.now, reason_header="SIP;cause=200")
    wire.run()
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.detail == "SIP;cause=200"


def test_cancel_and_answer_cross() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    b = wire.b.session
    wire.a.ua.end(a, wire.now)
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(2.0)
    assert wire.methods("a") == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert wire.methods("b") == ["200 INVITE", "200 CANCEL", "200 BYE"]
    assert wire.a.log == [Ended(session=a, by=EndedBy.LOCAL)]
    assert wire.b.names() == ["Invited", "Confirmed", "Ended"]
    wire.assert_quiet()


def test_cancel_and_refusal_cross() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.b.ua.reject(wire.b.session, 486, None, wire.now)
    wire.run()
    assert wire.a.log == [Ended(session=a, by=EndedBy.LOCAL)]
    wire.assert_quiet()


def test_a_cancelled_call_that_is_never_finished_is_let_go() -> None:
    wire = Wire(fate=lambda m, s: None if isinstance(m, Response) and m.status > 199 else 0.01)
    a = wire.call()
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()


# --- losses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("what", ["INVITE", "ACK", "BYE", 200, 100, 180])
def test_a_call_survives_losses(what: object, times: int) -> None:
    wire = Wire(fate=Losing(what, times))
    a = wire.call()
    wire.run(5.0)
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.run(20.0)
    assert wire.a.names()[-1] == "Answered"
    assert wire.b.names() == ["Invited", "Confirmed"]
    wire.a.ua.end(a, wire.now)
    wire.run(20.0)
    assert wire.b.log[-1] == Ended(session=wire.b.session, by=EndedBy.REMOTE_BYE)
    wire.assert_quiet()


def test_an_answer_that_is_never_acknowledged_ends_by_bye() -> None:
    wire = Wire(fate=Losing("ACK", 1000))
    a = wire.call()
    wire.run()
    start = wire.now
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.run(31.9)
    successes = wire.methods("b").count("200 INVITE")
    assert successes == 11  # at 0, 0.5, 1.5, 3.5, 7.5, 11.5, ... 31.5: T1 doubled up to T2
    assert wire.methods("a").count("ACK") == successes
    assert "Ended" not in wire.b.names()
    wire.run(0.2)
    assert wire.now - start == pytest.approx(32.1)
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.by is EndedBy.NO_ACK
    wire.run()
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.REMOTE_BYE)
    wire.assert_quiet()


def test_ending_before_the_ack_waits_for_it() -> None:
    wire = Wire(fate=Losing("ACK", 2))
    a = wire.call()
    wire.run()
    b = wire.b.session
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.b.ua.end(b, wire.now)
    wire.run(1.2)
    assert wire.b.log[-1] == Ended(session=b, by=EndedBy.LOCAL)
    assert "BYE" not in wire.methods("b")
    wire.run(3.0)
    assert wire.methods("b")[-1] == "BYE"
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.REMOTE_BYE)
    wire.assert_quiet()


def test_a_bye_may_come_before_the_ack() -> None:
    wire = Wire(fate=Losing("ACK", 1000))
    a = wire.call()
    wire.run()
    b = wire.b.session
    wire.b.ua.answer(b, ANSWER, wire.now)
    wire.run(0.2)
    wire.a.ua.end(a, wire.now)
    wire.run()
    assert wire.b.log[-1] == Ended(session=b, by=EndedBy.REMOTE_BYE)
    assert wire.methods("b")[-1] == "200 BYE"
    wire.assert_quiet()


def test_a_bye_that_is_never_answered_ends_all_the_same() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.fate = lambda message, sender: None
    wire.a.ua.end(a, wire.now)
    wire.run(0.1)
    assert wire.a.log[-1] == Ended(session=a, by=EndedBy.LOCAL)
    wire.run(60.0)
    assert wire.a.ua.sessions_alive == 0


# --- delayed offer, early media, limits ---------------------------------------------------------


def test_a_delayed_offer_is_answered_in_the_ack() -> None:
    wire = Wire()
    a, _ = established(wire)
    del a
    wire.inject(wire.b, invite(body=b""))
    (*_, invited) = wire.b.of(Invited)
    assert isinstance(invited, Invited)
    assert invited.offer is None
    wire.b.ua.answer(invited.session, OFFER, wire.now)
    wire.flush()
    (*_, (_, success)) = wire.sent
    assert isinstance(success, Response)
    wire.inject(wire.b, in_dialog(success, "ACK", 1, body=ANSWER))
    assert wire.b.log[-1] == Confirmed(session=invited.session, body=ANSWER)


def test_an_ack_without_the_answer_ends_the_session() -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=b""))
    wire.b.ua.answer(wire.b.session, OFFER, wire.now)
    wire.flush()
    (*_, (_, success)) = wire.sent
    assert isinstance(success, Response)
    wire.inject(wire.b, in_dialog(success, "ACK", 1))
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert "ACK" in ended.detail
    assert wire.methods("b")[-1] == "BYE"


def test_early_media_stands_in_for_an_answer_missing_in_the_2xx() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.b.ua.ring(wire.b.session, wire.now, 183, body=ANSWER)
    wire.run()
    assert wire.a.log == [Progress(session=a, status=183, body=ANSWER)]
    wire.b.ua.answer(wire.b.session, b"", wire.now)
    wire.run()
    answered = wire.a.log[-1]
    assert isinstance(answered, Answered)
    assert answered.answer == ANSWER


def test_a_2xx_without_any_answer_is_acknowledged_and_left() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.b.ua.answer(wire.b.session, b"", wire.now)
    wire.run()
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert (failed.session, failed.status) == (a, 488)
    assert wire.methods("a") == ["INVITE", "ACK", "BYE"]
    wire.assert_quiet()


def test_ringing_is_repeated_every_minute_and_given_up_in_the_end() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run(130.0)
    assert wire.methods("b").count("180 INVITE") == 3
    wire.run(180.0)
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert (failed.session, failed.status) == (a, 408)
    wire.assert_quiet()


def test_an_invitation_expires_when_the_caller_says_so() -> None:
    wire = Wire()
    wire.call(Expires="20")
    wire.run(21.0)
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert ended.by is EndedBy.CANCELLED
    assert wire.methods("b")[-1] == "487 INVITE"
    wire.assert_quiet()


def test_a_session_may_have_a_longest_duration() -> None:
    wire = Wire(settings=UserAgentSettings(max_duration_s=60.0))
    established(wire)
    wire.run(61.0)
    assert wire.a.names()[-1] == wire.b.names()[-1] == "Ended"
    wire.assert_quiet()


def test_sessions_are_limited_in_both_directions() -> None:
    wire = Wire(settings=UserAgentSettings(max_sessions=1))
    established(wire)
    refused = wire.call()
    failed = wire.a.log[-1]
    assert isinstance(failed, Failed)
    assert (failed.session, failed.status) == (refused, 503)
    wire.inject(wire.b, invite())
    (*_, (_, answer)) = wire.sent
    assert is_response(answer, 503)
    assert answer.headers.get("Retry-After") == "5"


def test_commands_after_the_end_do_nothing() -> None:
    wire = Wire()
    a, b = established(wire)
    wire.a.ua.end(a, wire.now)
    wire.run()
    before = len(wire.sent), len(wire.a.log), len(wire.b.log)
    for node, session in ((wire.a, a), (wire.b, b)):
        node.ua.ring(session, wire.now)
        node.ua.answer(session, ANSWER, wire.now)
        node.ua.reject(session, 486, None, wire.now)
        node.ua.end(session, wire.now)
        node.ua.reoffer(session, OFFER, wire.now)
        node.ua.accept_reoffer(session, ANSWER, wire.now)
        node.ua.refuse_reoffer(session, 488, wire.now)
    wire.run()
    assert (len(wire.sent), len(wire.a.log), len(wire.b.log)) == before


# --- forks --------------------------------------------------------------------------------------


def test_a_second_fork_that_answers_is_acknowledged_and_left() -> None:
    wire = Wire()
    established(wire)
    success = next(m for n, m in wire.sent if n == "b" and is_response(m, 200))
    fork = serialize_with(success, To="<sip:b@example.com>;tag=fork", Contact="<sip:c@192.0.2.3>")
    count = len(wire.sent)
    wire.inject(wire.a, fork)
    wire.inject(wire.a, fork)
    news = [m for _, m in wire.sent[count:]]
    assert [m.method for m in news if isinstance(m, Request)] == ["ACK", "BYE", "ACK"]
    assert all(m.to.tag == "fork" for m in news)
    assert all(m.uri == "sip:c@192.0.2.3" for m in news if isinstance(m, Request))
    assert wire.a.names() == ["Answered"]
    assert wire.a.ua.sessions_alive == 1


def test_forks_answer_after_a_cancel() -> None:
    wire = Wire()
    a = wire.call()
    wire.run()
    wire.a.ua.end(a, wire.now)
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.run()
    success = next(m for n, m in wire.sent if n == "b" and is_response(m, 200))
    wire.inject(wire.a, serialize_with(success, To="<sip:b@example.com>;tag=fork"))
    assert wire.methods("a")[-2:] == ["ACK", "BYE"]
    wire.assert_quiet()


# --- kit ----------------------------------------------------------------------------------------


def serialize_with(message: Message, **headers: str) -> bytes:
    from switch.sip.writing import serialize

    copy = Response(message.status, message.reason, message.headers.copy(), message.body)  # type: ignore[union-attr]
    for name, value in headers.items():
        copy.headers.set(name, value)
    return serialize(copy)


def invite(*, body: bytes = OFFER, **headers: str) -> bytes:
    fields = {
        "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx1;rport",
        "From": "<sip:x@example.com>;tag=x",
        "To": "<sip:b@example.com>",
        "Call-ID": "x-call",
        "CSeq": "1 INVITE",
        "Contact": "<sip:x@192.0.2.1>",
    }
    if body:
        fields["Content-Type"] = "application/sdp"
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    head = "\r\n".join(["INVITE sip:b@192.0.2.2 SIP/2.0", *lines, "", ""])
    return head.encode() + body


def in_dialog(success: Response, method: str, seq: int, body: bytes = b"") -> bytes:
    fields = {
        "Via": f"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{seq};rport",
        "From": str(success.from_),
        "To": str(success.to),
        "Call-ID": success.call_id,
        "CSeq": f"{seq} {method}",
    }
    if body:
        fields["Content-Type"] = "application/sdp"
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"{method} sip:b@192.0.2.2 SIP/2.0", *lines, "", ""]).encode() + body
