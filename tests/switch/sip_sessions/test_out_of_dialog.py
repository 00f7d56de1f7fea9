"""Requests outside of sessions, in both directions, and calls that have to prove themselves."""

import pytest

from switch.errors import LocalProtocolError
from switch.sip.client_digest import ClientCredentials
from switch.sip.digest import Accepted, Challenger, DigestSettings, Method, ha1
from switch.sip.events import (
    Answered,
    Ended,
    Failed,
    Invited,
    OutOfDialogRequest,
    ReofferReceived,
    RequestAnswered,
    SessionEvent,
    TransactionId,
)
from switch.sip.headers import Headers
from switch.sip.message import Message, Request
from switch.sip.uri import NameAddr
from switch.sip.writing import make_response, serialize
from tests.switch.sip_sessions.test_call import in_dialog, is_request, is_response
from tests.switch.sip_sessions.wire import ANSWER, OFFER, B, Node, Wire, established

SECRET = ClientCredentials(username="a", password="right")
WRONG = ClientCredentials(username="a", password="wrong")


def request(method: str, seq: int = 1, to_tag: str = "") -> Request:
    to = "<sip:b@example.com>" + (f";tag={to_tag}" if to_tag else "")
    headers = [
        ("From", "<sip:a@example.com>;tag=mine"),
        ("To", to),
        ("Call-ID", "c1"),
        ("CSeq", f"{seq} {method}"),
    ]
    return Request(method, "sip:b@192.0.2.2", Headers(headers))


class Guarded:
    """B asks for a password; INVITEs as a proxy does, other requests as a server."""

    def __init__(self, wire: Wire, nonce_life_s: float = 300.0) -> None:
        tokens = iter(range(10_000))
        self.wire = wire
        self.challenger = Challenger(
            settings=DigestSettings(realm="b", nonce_life_s=nonce_life_s),
            secret=b"x" * 16,
            new_token=lambda: f"k{next(tokens)}",
        )
        wire.b.on_event = self.take

    def _refusal(self, asked: Request, method: Method, now: float) -> list[tuple[str, str]]:
        verdict = self.challenger.verify(
            asked, lambda user, name: [ha1("a", "b", "right", name)], now, method=method
        )
        if isinstance(verdict, Accepted):
            return []
        stale = getattr(verdict, "stale", False)
        return self.challenger.challenges(now, method=method, stale=stale)

    def take(self, event: SessionEvent, now: float) -> None:
        ua = self.wire.b.ua
        match event:
            case Invited():
                refusal = self._refusal(event.request, Method.PROXY, now)
                if refusal:
                    ua.reject(event.session, 407, None, now, refusal)
                else:
                    ua.answer(event.session, ANSWER, now)
            case OutOfDialogRequest():
                refusal = self._refusal(event.request, Method.SERVER, now)
                response = make_response(event.request, 401 if refusal else 200, headers=refusal)
                ua.respond(event.transaction, response, now)


def answers(node: Node) -> list[RequestAnswered]:
    return [event for event in node.log if isinstance(event, RequestAnswered)]


def send(
    wire: Wire, method: str, seq: int = 1, credentials: ClientCredentials | None = None
) -> TransactionId:
    flow = wire.a.flow_to(B)
    sent = wire.a.ua.send_request(request(method, seq), flow, wire.now, credentials=credentials)
    wire.run(1.0)
    return sent


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"])
def test_a_request_is_reported_and_its_answer_too(method: str) -> None:
    wire = Wire()

    def accept(event: SessionEvent, now: float) -> None:
        assert isinstance(event, OutOfDialogRequest)
        wire.b.ua.respond(event.transaction, make_response(event.request, 202), now)

    wire.b.on_event = accept
    sent = send(wire, method)
    (answered,) = answers(wire.a)
    assert (answered.transaction, answered.status, answered.seq) == (sent, 202, 1)
    assert answered.response is not None
    assert answered.response.to.tag is not None
    wire.assert_quiet()


def test_options_are_answered_by_the_user_agent() -> None:
    wire = Wire()
    send(wire, "OPTIONS")
    assert wire.b.log == []
    assert answers(wire.a)[0].status == 200
    wire.assert_quiet()


@pytest.mark.parametrize("method", ["INVITE", "ACK", "CANCEL", "BYE"])
def test_what_belongs_to_sessions_is_not_sent(method: str) -> None:
    with pytest.raises(LocalProtocolError, match="belongs to a session"):
        send(Wire(), method)


def test_a_request_that_lacks_something_is_not_sent() -> None:
    asked = request("MESSAGE")
    asked.headers.remove("Call-ID")
    wire = Wire()
    with pytest.raises(LocalProtocolError, match="lacks Call-ID"):
        wire.a.ua.send_request(asked, wire.a.flow_to(B), 0.0)


def test_a_challenge_is_met_once_under_the_next_number() -> None:
    wire = Wire()
    Guarded(wire)
    sent = send(wire, "REGISTER", 7, SECRET)
    (answered,) = answers(wire.a)
    assert (answered.transaction, answered.status, answered.seq) == (sent, 200, 8)
    first, second = [m for n, m in wire.sent if n == "a" and isinstance(m, Request)]
    assert (first.call_id, first.from_.tag) == (second.call_id, second.from_.tag)
    assert first.top_via.branch != second.top_via.branch
    wire.assert_quiet()


def test_later_requests_prove_themselves_from_the_start() -> None:
    wire = Wire()
    Guarded(wire)
    for seq in (1, 10, 20):
        send(wire, "REGISTER", seq, SECRET)
    assert [answered.seq for answered in answers(wire.a)] == [2, 10, 20]
    assert wire.methods("b").count("401 REGISTER") == 1


def test_a_nonce_that_grew_old_costs_one_more_round() -> None:
    wire = Wire()
    Guarded(wire, nonce_life_s=5.0)
    send(wire, "REGISTER", 1, SECRET)
    wire.run(10.0)
    send(wire, "REGISTER", 10, SECRET)
    assert [(a.status, a.seq) for a in answers(wire.a)] == [(200, 2), (200, 11)]
    wire.assert_quiet()


@pytest.mark.parametrize(("credentials", "tries"), [(WRONG, 2), (None, 1)])
def test_a_wrong_password_does_not_loop(credentials: ClientCredentials | None, tries: int) -> None:
    wire = Wire()
    Guarded(wire)
    send(wire, "REGISTER", 1, credentials)
    (answered,) = answers(wire.a)
    assert answered.status == 401
    assert wire.methods("a") == ["REGISTER"] * tries
    wire.assert_quiet()


def test_a_server_that_always_finds_the_nonce_stale_is_given_up() -> None:
    wire = Wire()

    def challenge(event: SessionEvent, now: float) -> None:
        assert isinstance(event, OutOfDialogRequest)
        headers = [("WWW-Authenticate", 'Digest realm="r", nonce="n", stale=TRUE')]
        response = make_response(event.request, 401, headers=headers)
        wire.b.ua.respond(event.transaction, response, now)

    wire.b.on_event = challenge
    send(wire, "REGISTER", 1, SECRET)
    assert wire.methods("a") == ["REGISTER"] * 3
    assert [a.status for a in answers(wire.a)] == [401]
    wire.assert_quiet()


def test_silence_is_408_and_a_broken_transport_503() -> None:
    wire = Wire(fate=lambda message, sender: None)
    sent = send(wire, "OPTIONS")
    wire.run(40.0)
    assert answers(wire.a) == [
        RequestAnswered(
            transaction=sent, status=408, reason="Request Timeout", response=None, seq=1
        )
    ]
    send(wire, "OPTIONS", 2)
    wire.a.endpoint.transport_failed(wire.a.flow_to(B), "connection refused", wire.now)
    wire.run()
    last = answers(wire.a)[-1]
    assert (last.status, last.reason, last.seq) == (503, "connection refused", 2)
    wire.assert_quiet()


def test_a_notify_of_a_dialog_of_another_kind_is_reported() -> None:
    wire = Wire()
    wire.a.ua.send_request(request("NOTIFY", to_tag="theirs"), wire.a.flow_to(B), wire.now)
    wire.run(0.1)
    (event,) = wire.b.log
    assert isinstance(event, OutOfDialogRequest)
    assert event.request.to.tag == "theirs"


# --- calls ----------------------------------------------------------------------------------


def call(wire: Wire, credentials: ClientCredentials | None) -> None:
    wire.a.ua.invite(
        request_uri="sip:b@192.0.2.2",
        flow=wire.a.flow_to(B),
        from_=NameAddr.parse("<sip:a@example.com>"),
        to=NameAddr.parse("<sip:b@example.com>"),
        offer=OFFER,
        headers={},
        now=wire.now,
        credentials=credentials,
    )
    wire.run(1.0)


def test_a_call_proves_itself_and_so_do_its_later_requests() -> None:
    wire = Wire()
    Guarded(wire)
    call(wire, SECRET)
    assert wire.a.names() == ["Answered"]
    assert wire.methods("a") == ["INVITE", "ACK", "INVITE", "ACK"]
    invites = [m for _, m in wire.sent if is_request(m, "INVITE")]
    assert [m.cseq.seq for m in invites] == [1, 2]
    refusal, accepted = [m for _, m in wire.sent if is_request(m, "ACK")]
    assert refusal.top_via.branch == invites[0].top_via.branch
    assert accepted.cseq.seq == 2
    answered = wire.a.log[0]
    assert isinstance(answered, Answered)
    wire.a.ua.end(answered.session, wire.now)
    wire.run()
    bye = next(m for _, m in wire.sent if is_request(m, "BYE"))
    assert bye.cseq.seq == 3
    assert "Proxy-Authorization" in bye.headers
    wire.assert_quiet()


def test_an_acknowledgement_has_the_credentials_of_what_it_acknowledges() -> None:
    """RFC 3261 section 13.2.2.4: a proxy that checks every request lets no other ACK pass."""
    wire = Wire()
    guard = Guarded(wire)

    def take(event: SessionEvent, now: float) -> None:
        if isinstance(event, ReofferReceived):
            wire.b.ua.accept_reoffer(event.session, ANSWER, now)
        else:
            guard.take(event, now)

    wire.b.on_event = take
    call(wire, SECRET)
    answered = wire.a.log[0]
    assert isinstance(answered, Answered)
    wire.a.ua.reoffer(answered.session, OFFER, wire.now)
    wire.run()

    def proofs(method: str) -> list[str | None]:
        asked = [m for _, m in wire.sent if is_request(m, method)]
        return [each.headers.get("Proxy-Authorization") for each in asked]

    assert proofs("INVITE")[0] is None
    assert None not in proofs("INVITE")[1:]
    assert proofs("ACK") == proofs("INVITE")
    wire.a.ua.end(answered.session, wire.now)
    wire.assert_quiet()


def test_a_call_with_a_wrong_password_fails_once() -> None:
    wire = Wire()
    Guarded(wire)
    call(wire, WRONG)
    (failed,) = wire.a.log
    assert isinstance(failed, Failed)
    assert failed.status == 407
    assert wire.methods("a") == ["INVITE", "ACK"] * 2
    wire.assert_quiet()


def test_whoever_gives_up_during_the_challenge_does_not_call_again() -> None:
    wire = Wire()
    Guarded(wire)

    def slow(message: Message, sender: Node) -> float:
        return 1.0 if is_response(message, 407) else 0.01

    wire.fate = slow
    call(wire, SECRET)
    (session,) = wire.a.ua._table.by_id
    wire.a.ua.end(session, wire.now)
    wire.run(5.0)
    assert len({m.top_via.branch for _, m in wire.sent if is_request(m, "INVITE")}) == 1
    assert wire.a.names() == ["Ended"]
    wire.assert_quiet()


@pytest.mark.parametrize("method", ["BYE", "INVITE"])
def test_a_request_within_the_call_is_challenged(method: str) -> None:
    wire = Wire()
    guard = Guarded(wire)
    call(wire, SECRET)
    answered = wire.a.log[0]
    assert isinstance(answered, Answered)
    lost: list[Request] = []

    def refuse(message: Message, sender: Node) -> float | None:
        if is_request(message, method) and not lost:
            assert isinstance(message, Request)
            lost.append(message)
            return None
        return 0.01

    wire.fate = refuse
    if method == "BYE":
        wire.a.ua.end(answered.session, wire.now)
    else:
        wire.a.ua.reoffer(answered.session, OFFER, wire.now)
    wire.flush()
    headers = guard.challenger.challenges(wire.now, method=Method.PROXY, stale=True)
    response = make_response(lost[0], 407, to_tag="proxy", headers=headers)
    wire.inject(wire.a, serialize(response))
    wire.run(0.1)
    expected = Ended if method == "BYE" else ReofferReceived
    assert isinstance(wire.b.log[-1], expected)
    assert wire.methods("a").count(method) == (2 if method == "BYE" else 4)
    wire.a.ua.end(answered.session, wire.now)
    wire.assert_quiet()


def test_sessions_without_credentials_go_on_as_before() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.a.ua.end(a, wire.now)
    wire.run()
    assert all(client.provable is None for client in wire.a.ua._table.clients.values())
    wire.assert_quiet()


def test_a_message_within_a_call_is_refused_and_the_call_goes_on() -> None:
    """A 481 would tell the sender that there is no such call, and it would end its side."""
    wire = Wire()
    established(wire)
    answered = next(m for name, m in wire.sent if name == "b" and is_response(m, 200))
    assert not isinstance(answered, Request)
    wire.inject(wire.b, in_dialog(answered, "MESSAGE", 7))
    assert is_response(wire.sent[-1][1], 403)
    assert wire.b.of(OutOfDialogRequest) == wire.b.of(Ended) == []
    wire.b.ua.end(wire.b.session, wire.now)
    wire.assert_quiet()


def test_a_message_within_a_dialog_that_is_none_of_a_call_is_reported() -> None:
    wire = Wire()
    established(wire)
    wire.a.ua.send_request(request("MESSAGE", to_tag="nobody"), wire.a.flow_to(B), wire.now)
    wire.run()
    assert len(wire.b.of(OutOfDialogRequest)) == 1
