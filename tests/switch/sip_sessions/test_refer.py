"""REFER: asked of us and by us, told how it goes, also after the call (RFC 3515, 3892, 4488)."""

import itertools

import pytest

from switch.errors import LocalProtocolError
from switch.sip import referral, referral_steps, referring, referring_steps, usage
from switch.sip.client_digest import ClientCredentials
from switch.sip.events import OutOfDialogRequest, ReferId, ReferProgress, Referred, SessionId
from switch.sip.message import Message, Request, Response
from switch.sip.session import Alarm
from switch.sip.uri import NameAddr
from switch.sip.writing import make_response, serialize
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_request
from tests.switch.sip_sessions.wire import ANSWER, Node, Wire, established

TARGET = NameAddr.parse("<sip:carol@example.com>")


def referred(wire: Wire) -> Referred:
    (*_, event) = [e for e in wire.b.log if isinstance(e, Referred)]
    return event


def progress(wire: Wire) -> list[tuple[int, bool]]:
    return [(e.status, e.is_over) for e in wire.a.log if isinstance(e, ReferProgress)]


def notifies(wire: Wire, sender: str = "b") -> list[Request]:
    found = [m for n, m in wire.sent if n == sender and isinstance(m, Request)]
    return [m for m in found if m.method == "NOTIFY"]


def refer(wire: Wire, a: SessionId, *, wants_news: bool = True) -> ReferId:
    sent = wire.a.ua.refer(a, TARGET, wire.now, wants_news=wants_news)
    wire.run(0.1)
    return sent


def end(wire: Wire) -> None:
    for node in wire.nodes:
        for session in list(node.ua._table.by_id):
            node.ua.end(session, wire.now)
    wire.run(300.0)
    wire.assert_quiet()


def test_a_referral_is_accepted_and_told_of_until_it_is_answered() -> None:
    wire = Wire()
    a, b = established(wire)
    headers = {"Referred-By": "<sip:a@example.com>"}
    sent = wire.a.ua.refer(a, TARGET, wire.now, headers=headers)
    wire.run(0.1)
    event = referred(wire)
    assert (event.session, event.refer_to, event.replaces) == (b, TARGET, None)
    assert str(event.referred_by) == "<sip:a@example.com>"
    assert event.wants_news
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.run(0.1)
    wire.b.ua.notify_refer(event.refer, 180, wire.now)
    wire.run(0.1)
    wire.b.ua.notify_refer(event.refer, 200, wire.now)
    wire.b.ua.notify_refer(event.refer, 200, wire.now)
    wire.run(0.1)
    assert progress(wire) == [(202, False), (100, False), (180, False), (200, True)]
    assert {e.refer for e in wire.a.log if isinstance(e, ReferProgress)} == {sent}
    first, _, last = notifies(wire)
    assert first.headers.get("Event") == "refer"
    assert first.headers.get("Subscription-State") == "active;expires=180"
    assert first.headers.get("Content-Type") == "message/sipfrag;version=2.0"
    assert first.body == b"SIP/2.0 100 Trying\r\n"
    assert last.headers.get("Subscription-State") == "terminated;reason=noresource"
    assert "Contact" in first.headers
    end(wire)


def test_the_target_may_be_a_dialog_to_replace() -> None:
    wire = Wire()
    a, _ = established(wire)
    text = "<sip:carol@192.0.2.9?Replaces=7%40c%3Bto-tag%3D1%3Bfrom-tag%3D2>"
    wire.a.ua.refer(a, NameAddr.parse(text), wire.now)
    wire.run(0.1)
    replaces = referred(wire).replaces
    assert replaces is not None
    assert (replaces.call_id, replaces.to_tag, replaces.from_tag) == ("7@c", "1", "2")


@pytest.mark.parametrize("status", [403, 480, 603])
def test_a_referral_is_refused_and_the_call_goes_on(status: int) -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.refuse_refer(referred(wire).refer, status, wire.now)
    wire.run(0.1)
    assert progress(wire) == [(status, True)]
    assert "Ended" not in wire.a.names()
    end(wire)


def test_nothing_is_told_to_whoever_wants_no_news() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a, wants_news=False)
    event = referred(wire)
    assert not event.wants_news
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.b.ua.notify_refer(event.refer, 200, wire.now)
    wire.run(0.1)
    assert notifies(wire) == []
    assert progress(wire) == [(200, True)]
    assert wire.a.ua._table.referrings == {}
    end(wire)


def test_news_reach_a_phone_that_hung_up_after_it_referred() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    event = referred(wire)
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.run(0.1)
    wire.a.ua.end(a, wire.now)
    wire.run(40.0)
    assert wire.a.ua.sessions_alive == wire.b.ua.sessions_alive == 0
    wire.b.ua.notify_refer(event.refer, 200, wire.now)
    wire.run(0.1)
    assert progress(wire) == [(202, False), (100, False), (200, True)]
    assert not [m for _, m in wire.sent if isinstance(m, Response) and m.status >= 300]
    wire.assert_quiet()


def test_a_phone_that_wants_to_hear_nothing_after_the_call_ends_the_news() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    event = referred(wire)
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.run(0.1)
    wire.a.ua.end(a, wire.now)
    wire.a.ua._table.referrings.clear()
    wire.run(0.1)
    wire.b.ua.notify_refer(event.refer, 180, wire.now)
    wire.run(0.1)
    # It belongs to nobody: the layer that has subscriptions answers.
    (*_, stray) = wire.a.log
    assert isinstance(stray, OutOfDialogRequest)
    wire.a.ua.respond(stray.transaction, make_response(stray.request, 481), wire.now)
    wire.run(0.1)
    assert wire.b.ua._table.referrals == {}


def test_a_second_referral_bears_its_number() -> None:
    wire = Wire()
    a, _ = established(wire)
    for _ in range(2):
        refer(wire, a)
        wire.b.ua.accept_refer(referred(wire).refer, wire.now)
        wire.run(0.1)
    one, two = [e.refer for e in wire.b.log if isinstance(e, Referred)]
    wire.b.ua.notify_refer(two, 486, wire.now)
    wire.b.ua.notify_refer(one, 200, wire.now)
    wire.run(0.1)
    events = [e for e in wire.a.log if isinstance(e, ReferProgress) and e.is_over]
    first = next(e.refer for e in wire.a.log if isinstance(e, ReferProgress))
    assert {(e.refer == first, e.status) for e in events} == {(True, 200), (False, 486)}
    seqs = [m.cseq.seq for _, m in wire.sent if is_request(m, "REFER")]
    assert notifies(wire)[1].headers.get("Event") == f"refer;id={seqs[1]}"
    end(wire)


def test_a_referral_that_nobody_decides_upon_is_answered_in_time() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.run(25.0)
    assert progress(wire) == [(480, True)]
    end(wire)


def test_a_referral_under_decision_when_the_call_ends_is_answered() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.end(wire.b.session, wire.now)
    wire.run(0.1)
    wire.b.ua.accept_refer(referred(wire).refer, wire.now)
    wire.run(1.0)
    assert progress(wire) == [(487, True)]
    wire.assert_quiet()


def test_news_that_never_end_do_end() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.accept_refer(referred(wire).refer, wire.now)
    wire.run(200.0)
    assert progress(wire)[-1] == (408, True)
    assert notifies(wire)[-1].headers.get("Subscription-State") == "terminated;reason=timeout"
    end(wire)


def test_a_peer_that_forgets_its_referral_is_forgotten() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.accept_refer(referred(wire).refer, wire.now)
    wire.run(0.1)
    _, forgotten = wire.b.ua._table.referrals.popitem()
    wire.b.ua._table.alarms.cancel((forgotten, Alarm.REFER))
    wire.run(250.0)
    assert progress(wire)[-1] == (408, True)


def test_a_referral_into_the_void_fails() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.fate = lambda message, sender: None
    refer(wire, a)
    wire.run(40.0)
    assert progress(wire) == [(408, True)]


def test_a_referral_of_a_call_that_is_over_fails_at_once() -> None:
    wire = Wire()
    sent = wire.a.ua.refer(SessionId("none"), TARGET, wire.now)
    wire.run(0.1)
    assert wire.a.log == [
        ReferProgress(
            session=SessionId("none"), refer=sent, status=481, reason="No Call", is_over=True
        )
    ]


def test_the_subscriber_may_end_the_news() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.accept_refer(referred(wire).refer, wire.now)
    wire.run(0.1)
    for extra, status in (("Expires: 60", 200), ("Expires: 0", 200), ("Expires: 0", 481)):
        number = len(wire.sent) + 20
        data = in_dialog(answered(wire), "SUBSCRIBE", number)
        more = f"Event: refer\r\n{extra}\r\nCSeq:".encode()
        before = len(wire.sent)
        wire.inject(wire.b, data.replace(b"CSeq:", more, 1))
        response = wire.sent[before][1]
        assert isinstance(response, Response)
        assert response.status == status
    assert wire.b.ua._table.referrals == {}


def test_a_subscription_to_something_else_in_a_call_is_refused() -> None:
    wire = Wire()
    established(wire)
    data = in_dialog(answered(wire), "SUBSCRIBE", 7)
    assert status_of(wire, data.replace(b"CSeq:", b"Event: presence\r\nCSeq:", 1)) == 489


# --- what is wrong ----------------------------------------------------------------------------


def answered(wire: Wire) -> Response:
    found = next(m for n, m in wire.sent if n == "b" and m.body == ANSWER)
    assert isinstance(found, Response)
    return found


def status_of(wire: Wire, data: bytes) -> int:
    wire.inject(wire.b, data)
    response = wire.sent[-1][1]
    assert isinstance(response, Response)
    return response.status


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("", 400),
        ("Refer-To: <sip:x@example.com>\r\nRefer-To: <sip:y@example.com>\r\n", 400),
        ("Refer-To: nowhere\r\n", 400),
        ("Refer-To: \r\n", 400),
        ("Refer-To: <sip:x@example.com?Replaces=nothing>\r\n", 400),
        ("Refer-To: <sip:x@example.com>\r\nReferred-By: me\r\n", 400),
        ("Refer-To: <http://example.com>\r\n", 416),
        ("Refer-To: <mailto:x@example.com>\r\n", 416),
        ("Refer-To: <sip:x@example.com;method=BYE>\r\n", 603),
        ("Refer-To: <sip:x@example.com>\r\nRequire: explicitsub\r\n", 420),
    ],
)
def test_referrals_to_nowhere_are_refused_without_a_word_to_anybody(
    lines: str, status: int
) -> None:
    wire = Wire()
    established(wire)
    before = len(wire.b.log)
    data = in_dialog(answered(wire), "REFER", 7)
    assert status_of(wire, data.replace(b"CSeq:", lines.encode() + b"CSeq:", 1)) == status
    assert len(wire.b.log) == before


def test_a_referral_outside_of_calls_is_forbidden() -> None:
    wire = Wire()
    data = invite(body=b"", Refer_To="<sip:x@example.com>").replace(b"INVITE", b"REFER")
    assert status_of(wire, data) == 403
    inside = in_dialog(make_stranger(), "REFER", 2)
    assert status_of(wire, inside.replace(b"CSeq:", b"Refer-To: <sip:x@x>\r\nCSeq:", 1)) == 481
    wire.assert_quiet()


def make_stranger() -> Response:
    wire = Wire()
    established(wire)
    return answered(wire)


def test_a_call_that_rings_is_not_referred() -> None:
    wire = Wire()
    wire.call()
    wire.run(0.1)
    wire.b.ua.ring(wire.b.session, wire.now)
    wire.run(0.1)
    ringing = wire.sent[-1][1]
    assert isinstance(ringing, Response)
    assert ringing.status == 180
    data = in_dialog(ringing, "REFER", 7)
    assert status_of(wire, data.replace(b"CSeq:", b"Refer-To: <sip:x@x>\r\nCSeq:", 1)) == 491


def test_a_storm_of_referrals_is_answered_and_bounded() -> None:
    wire = Wire()
    established(wire)
    for number in range(200):
        data = in_dialog(answered(wire), "REFER", 7 + number)
        wire.inject(wire.b, data.replace(b"CSeq:", b"Refer-To: <sip:x@x.org>\r\nCSeq:", 1))
    assert len([e for e in wire.b.log if isinstance(e, Referred)]) == 4
    assert wire.methods("b").count("500 REFER") == 196


def test_a_storm_of_notifies_is_answered_and_bounded() -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    event = referred(wire)
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.run(0.1)
    for _ in range(500):
        wire.b.ua.notify_refer(event.refer, 180, wire.now)
    wire.run(0.1)
    assert len(progress(wire)) < 70
    assert wire.methods("a").count("481 NOTIFY") > 400


@pytest.mark.parametrize(
    ("event", "status"), [("refer", 481), ("refer;id=9", 481), ("presence", 489), ("", 489)]
)
def test_news_of_nothing_are_refused(event: str, status: int) -> None:
    wire = Wire()
    established(wire)
    lines = f"Event: {event}\r\nSubscription-State: active\r\nCSeq:".encode()
    data = in_dialog(answered(wire), "NOTIFY", 7, b"SIP/2.0 200 OK\r\n")
    assert status_of(wire, data.replace(b"CSeq:", lines, 1)) == status


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("message/sipfrag", b"SIP/2.0 200 OK", 200),
        ("message/sipfrag;version=2.0", b"\r\nSIP/2.0 180\n", 200),
        ("message/sipfrag", b"HTTP/1.1 200 OK", 400),
        ("message/sipfrag", b"SIP/2.0 999 What", 400),
        ("message/sipfrag", b"", 400),
        ("text/plain", b"SIP/2.0 200 OK", 415),
    ],
)
def test_what_news_say_must_be_readable(kind: str, body: bytes, status: int) -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    wire.b.ua.accept_refer(referred(wire).refer, wire.now)
    wire.run(0.1)
    first = notifies(wire)[0]
    headers = first.headers.copy()
    headers.set("CSeq", "77 NOTIFY")
    headers.set("Via", "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKother;rport")
    headers.set("Content-Type", kind)
    wire.inject(wire.a, serialize(Request("NOTIFY", first.uri, headers, body)))
    last = wire.sent[-1][1]
    assert isinstance(last, Response)
    assert last.status == status


def test_a_referral_is_challenged_and_tried_again() -> None:
    wire = Wire()
    a, _ = established(wire)
    session = wire.a.ua._table.by_id[a]
    credentials = ClientCredentials(username="a", password="p")
    session.prover = wire.a.ua._table.prover(credentials, session.flow)
    lost: list[Request] = []

    def refuse(message: Message, sender: Node) -> float | None:
        if is_request(message, "REFER") and not lost:
            assert isinstance(message, Request)
            lost.append(message)
            return None
        return 0.01

    wire.fate = refuse
    wire.a.ua.refer(a, TARGET, wire.now)
    wire.flush()
    challenge = [("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')]
    response = make_response(lost[0], 407, to_tag="p", headers=challenge)
    wire.inject(wire.a, serialize(response))
    wire.run(0.1)
    event = referred(wire)
    assert event.request.cseq.seq == lost[0].cseq.seq + 1
    wire.b.ua.accept_refer(event.refer, wire.now)
    wire.run(0.1)
    assert progress(wire) == [(202, False), (100, False)]


def test_statuses_to_refuse_with_are_final() -> None:
    with pytest.raises(LocalProtocolError):
        Wire().a.ua.refuse_refer(ReferId("x"), 200, 0.0)


def test_commands_for_referrals_that_are_over_do_nothing() -> None:
    wire = Wire()
    wire.a.ua.accept_refer(ReferId("x"), 0.0)
    wire.a.ua.refuse_refer(ReferId("x"), 603, 0.0)
    wire.a.ua.notify_refer(ReferId("x"), 200, 0.0)
    assert wire.sent == []


# --- every pair -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "given"),
    list(itertools.product(referral.State, referral.Input)),
    ids=lambda value: value.name,
)
def test_a_referral_in_any_state_takes_any_input(
    state: referral.State, given: referral.Input
) -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    event = referred(wire)
    found = wire.b.ua._table.referrals[event.refer]
    if state is not referral.State.PENDING:
        wire.b.ua.accept_refer(event.refer, wire.now)
    if state is referral.State.OVER:
        wire.b.ua.notify_refer(event.refer, 200, wire.now)
    assert found.state is state
    found.status = 486
    referral_steps.step(wire.b.ua._table, found, given, wire.now)
    assert found.state is referral.TRANSITIONS.get((state, given), (state, ()))[0]
    assert (found.id in wire.b.ua._table.referrals) == (found.state is not referral.State.OVER)
    wire.run(250.0)
    end(wire)


@pytest.mark.parametrize(
    ("state", "given"),
    list(itertools.product(referring.State, referring.Input)),
    ids=lambda value: value.name,
)
def test_a_referral_of_ours_in_any_state_takes_any_input(
    state: referring.State, given: referring.Input
) -> None:
    wire = Wire()
    a, _ = established(wire)
    refer(wire, a)
    ((found,),) = wire.a.ua._table.referrings.values()
    if state is not referring.State.TRYING:
        wire.b.ua.accept_refer(referred(wire).refer, wire.now)
        wire.run(0.1)
    if state is referring.State.OVER:
        wire.b.ua.notify_refer(referred(wire).refer, 200, wire.now)
        wire.run(0.1)
    assert found.state is state
    news = referring_steps.News(wire.now, 200, "OK")
    referring_steps.step(wire.a.ua._table, found, given, news)
    assert found.state is referring.TRANSITIONS.get((state, given), (state, ()))[0]
    overs = [e for e in wire.a.log if isinstance(e, ReferProgress) and e.is_over]
    assert len(overs) <= 1
    wire.run(250.0)
    overs = [e for e in wire.a.log if isinstance(e, ReferProgress) and e.is_over]
    assert len(overs) == 1
    assert wire.a.ua._table.by_id[a].state is usage.State.CONFIRMED
    end(wire)
