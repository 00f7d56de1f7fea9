"""Sessions are refreshed, by whoever agreed to, and end when they are not (RFC 4028)."""

import itertools
from dataclasses import replace

import pytest

from switch.sip import session_timer, session_timer_steps
from switch.sip.events import Ended, EndedBy, Failed, RefreshDue, SessionEvent, SessionId
from switch.sip.message import Message, Request, Response
from switch.sip.session_timer import Input, State
from switch.sip.user_agent import UserAgent, UserAgentSettings
from switch.sip.writing import serialize
from tests.switch.sip_sessions.test_call import in_dialog, invite, is_request, is_response
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire, established

OFF = UserAgentSettings(session_interval_s=0)
WITHOUT_UPDATE = UserAgentSettings(
    allow=tuple(m for m in UserAgentSettings().allow if m != "UPDATE")
)


def sent(wire: Wire, sender: str, method: str) -> list[Request]:
    found = [m for n, m in wire.sent if n == sender and isinstance(m, Request)]
    return [m for m in found if m.method == method]


def success(wire: Wire, sender: str = "b", method: str = "INVITE") -> Response:
    """The last 2xx."""
    found = [m for n, m in wire.sent if n == sender and isinstance(m, Response)]
    return [m for m in found if m.status == 200 and m.cseq.method == method][-1]


def lost(message: Message, sender: Node) -> float | None:
    return None


def test_the_caller_refreshes_by_update_at_half_of_the_interval() -> None:
    wire = Wire()
    a, b = established(wire)
    (invited,) = sent(wire, "a", "INVITE")
    assert invited.headers.get("Session-Expires") == "1800"
    assert "timer" in invited.headers.tokens("Supported")
    assert success(wire).headers.get("Session-Expires") == "1800;refresher=uac"
    assert "timer" in success(wire).headers.tokens("Require")
    wire.run(899.0)
    assert sent(wire, "a", "UPDATE") == []
    wire.run(2.0)
    (update,) = sent(wire, "a", "UPDATE")
    assert update.body == b""
    assert update.headers.get("Session-Expires") == "1800;refresher=uac"
    assert success(wire, "b", "UPDATE").headers.get("Session-Expires") == "1800;refresher=uac"
    wire.run(20_000.0)
    assert len(sent(wire, "a", "UPDATE")) == 23
    assert [event.session for event in wire.a.changed] == [a] * 23
    assert sent(wire, "b", "UPDATE") == []
    assert not {"Ended", "ReofferReceived"} & {*wire.a.names(), *wire.b.names()}
    wire.b.ua.end(b, wire.now)
    wire.assert_quiet()


def test_whoever_is_not_refreshed_ends_the_session() -> None:
    wire = Wire()
    established(wire)
    wire.fate = lost
    wire.run(1800.0 - 32.0 + 1.0)
    (bye,) = sent(wire, "b", "BYE")[:1]
    assert bye.headers.get("Reason") == 'SIP;cause=408;text="Session timer expired"'
    ended = wire.b.log[-1]
    assert isinstance(ended, Ended)
    assert (ended.by, ended.detail) == (EndedBy.TIMEOUT, "the session was not refreshed")
    gone = wire.a.log[-1]  # its UPDATE got no answer
    assert isinstance(gone, Ended)
    assert (gone.by, gone.detail) == (
        EndedBy.TIMEOUT,
        "no response to our UPDATE without an offer",
    )
    wire.assert_quiet()


def test_a_reoffer_refreshes_the_session_too() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.run(600.0)
    wire.a.ua.reoffer(a, OFFER, wire.now)
    wire.run()
    wire.b.ua.accept_reoffer(wire.b.session, ANSWER, wire.now)
    wire.run(800.0)
    assert sent(wire, "a", "UPDATE") == []
    again = sent(wire, "a", "INVITE")[-1]
    assert again.headers.get("Session-Expires") == "1800;refresher=uac"
    wire.run(120.0)
    assert len(sent(wire, "a", "UPDATE")) == 1


def test_the_one_who_refreshes_stays_the_same_when_the_other_offers() -> None:
    wire = Wire()
    _, b = established(wire)
    wire.b.ua.reoffer(b, OFFER, wire.now)
    wire.run()
    (offer,) = sent(wire, "b", "INVITE")
    assert offer.headers.get("Session-Expires") == "1800;refresher=uas"
    (a,) = wire.a.ua._table.by_id
    wire.a.ua.accept_reoffer(a, ANSWER, wire.now)
    wire.run(1000.0)
    assert success(wire, "a").headers.get("Session-Expires") == "1800;refresher=uas"
    assert len(sent(wire, "a", "UPDATE")) == 1
    assert sent(wire, "b", "UPDATE") == []


def test_a_peer_without_timers_is_refreshed_by_us_whoever_called() -> None:
    for of_a, of_b, ours in ((OFF, None, "b"), (UserAgentSettings(), OFF, "a")):
        wire = Wire(settings=of_a, b_settings=of_b or UserAgentSettings())
        established(wire)
        assert "timer" not in success(wire).headers.tokens("Require")
        wire.run(1000.0)
        assert len(sent(wire, ours, "UPDATE")) == 1
        wire.run(4000.0)
        assert "Ended" not in wire.b.names()
        wire.fate = lost
        wire.run(1900.0)
        assert "Ended" in (wire.a if ours == "a" else wire.b).names()


def test_nothing_is_said_where_it_is_off() -> None:
    wire = Wire(settings=OFF)
    established(wire)
    wire.run(100_000.0)
    for _, message in wire.sent:
        assert "Session-Expires" not in message.headers
        assert "timer" not in message.headers.tokens("Supported")
    assert wire.methods("a") == ["INVITE", "ACK"]


def test_require_timer_is_refused_where_it_is_off() -> None:
    wire = Wire(settings=OFF)
    wire.inject(wire.b, invite(Require="timer", Session_Expires="600"))
    refused = wire.sent[-1][1]
    assert is_response(refused, 420)
    assert refused.headers.get("Unsupported") == "timer"


def test_a_longer_interval_is_asked_for_and_granted() -> None:
    wire = Wire(
        settings=UserAgentSettings(session_interval_s=120),
        b_settings=UserAgentSettings(session_min_s=600),
    )
    established(wire)
    first, second = sent(wire, "a", "INVITE")
    refusal = next(m for _, m in wire.sent if is_response(m, 422))
    assert refusal.headers.get("Min-SE") == "600"
    assert (first.cseq.seq, second.cseq.seq) == (1, 2)
    assert first.call_id == second.call_id
    assert second.headers.get("Session-Expires") == "600"
    assert second.headers.get("Min-SE") == "600"
    assert wire.a.changed[0].invite
    assert wire.a.names() == ["Answered"]
    wire.run(400.0)
    assert len(sent(wire, "a", "UPDATE")) == 1


def test_a_shorter_interval_than_we_like_is_kept_where_the_peer_insists() -> None:
    """It was told our least in the INVITE; one that does not care for that would end the call."""
    wire = Wire(fate=lost, settings=UserAgentSettings(session_min_s=600))
    wire.call()
    (asked,) = sent(wire, "a", "INVITE")
    assert asked.headers.get("Min-SE") == "600"
    headers = asked.headers.copy()
    headers.set("To", f"{headers.get('To')};tag=careless")
    headers.set("Contact", "<sip:b@192.0.2.2:5060>")
    headers.set("Session-Expires", "200;refresher=uac")
    wire.inject(wire.a, serialize(Response(200, "OK", headers, ANSWER)))
    assert wire.a.names() == ["Answered"]
    wire.run(101.0)
    assert sent(wire, "a", "UPDATE")


def test_a_peer_that_hears_of_our_least_grants_it() -> None:
    wire = Wire(
        settings=UserAgentSettings(session_min_s=600),
        b_settings=UserAgentSettings(session_interval_s=200),
    )
    established(wire)
    granted = next(m for _, m in wire.sent if is_response(m, 200))
    assert granted.headers.get("Session-Expires") == "600;refresher=uac"


def answer_all(wire: Wire, status: int, **headers: str) -> None:
    """Whatever A sends from now on gets this answer, of nobody's making."""
    answered: set[str | None] = set()

    def fate(message: Message, sender: Node) -> float | None:
        return None if sender is wire.a and isinstance(message, Request) else 0.01

    wire.fate = fate
    for _ in range(10):
        wire.run(0.05)
        for name, message in list(wire.sent):
            branch = message.top_via.branch
            if name != "a" or not isinstance(message, Request) or message.method == "ACK":
                continue
            if branch not in answered:
                answered.add(branch)
                copy = message.headers.copy()
                copy.remove("Content-Type")
                for header, value in headers.items():
                    copy.set(header.replace("_", "-"), value)

                wire.inject(wire.a, serialize(Response(status, "No", copy)))


@pytest.mark.parametrize("least", ["90", "1800", "x", ""])
def test_a_refusal_that_asks_for_nothing_new_is_final(least: str) -> None:
    wire = Wire(fate=lost)
    wire.call()
    answer_all(wire, 422, **({"Min_SE": least} if least else {}))
    (failed,) = wire.a.log
    assert isinstance(failed, Failed)
    assert failed.status == 422
    assert len(sent(wire, "a", "INVITE")) == 1
    wire.assert_quiet()


def test_an_interval_that_grows_and_grows_is_given_up() -> None:
    wire = Wire(fate=lost)
    wire.call()
    for least in range(2000, 12_000, 1000):
        invites = sent(wire, "a", "INVITE")
        headers = invites[-1].headers.copy()
        headers.set("Min-SE", str(least))
        headers.remove("Content-Type")

        wire.inject(wire.a, serialize(Response(422, "No", headers)))
    assert wire.a.names() == ["Failed"]
    assert len(sent(wire, "a", "INVITE")) == 4
    wire.assert_quiet()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Session_Expires": "89", "Supported": "timer"}, 422),
        ({"Session_Expires": "1", "Supported": "timer, x"}, 422),
        ({"Session_Expires": "many"}, 400),
        ({"Session_Expires": "-5"}, 400),
        ({"Session_Expires": "900;refresher=me"}, 400),
        ({"Session_Expires": "900", "Min_SE": "soon"}, 400),
        ({"Session_Expires": "9" * 40}, 400),
    ],
)
def test_intervals_that_cannot_be_are_refused(headers: dict[str, str], status: int) -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=OFFER, **headers))
    refused = wire.sent[-1][1]
    assert is_response(refused, status)
    assert refused.headers.get("Min-SE") == ("90" if status == 422 else None)
    assert wire.b.log == []
    wire.assert_quiet()


def test_an_interval_below_all_measure_of_a_peer_without_timers_is_not_taken_at_its_word() -> None:
    """A proxy put it in: the session is refreshed, but not every half second."""
    wire = Wire()
    wire.inject(wire.b, invite(Session_Expires="1"))
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    assert success(wire).headers.get("Session-Expires") == "90;refresher=uas"
    session = wire.b.ua._table.by_id[wire.b.session]
    assert session.interval_s == 90


@pytest.mark.parametrize(
    ("headers", "agreed"),
    [
        ({"Session_Expires": "600", "Supported": "timer"}, "600;refresher=uac"),
        ({"Session_Expires": "600;refresher=uas", "Supported": "timer"}, "600;refresher=uas"),
        ({"Session_Expires": "600;refresher=uac", "Require": "timer"}, "600;refresher=uac"),
        ({"Session_Expires": "7200", "Supported": "timer"}, "1800;refresher=uac"),
        (
            {"Session_Expires": "7200", "Min_SE": "3600", "Supported": "timer"},
            "3600;refresher=uac",
        ),
        ({"Session_Expires": "600;refresher=uac"}, "600;refresher=uas"),
        ({}, "1800;refresher=uas"),
        ({"x": "600", "k": "timer"}, "1800;refresher=uac"),
    ],
)
def test_what_an_invite_asks_for_decides(headers: dict[str, str], agreed: str) -> None:
    wire = Wire()
    wire.inject(wire.b, invite(body=OFFER, **headers).replace(b"\r\nx: 600", b""))
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.flush()
    assert success(wire).headers.get("Session-Expires") == agreed
    is_theirs = agreed.endswith("uac")
    assert ("timer" in success(wire).headers.tokens("Require")) == is_theirs


def test_a_peer_that_takes_no_update_gets_a_reoffer() -> None:
    wire = Wire(b_settings=WITHOUT_UPDATE)

    def refresh(event: SessionEvent, now: float) -> None:
        if isinstance(event, RefreshDue):
            wire.a.ua.reoffer(event.session, OFFER, now)

    def accept(event: SessionEvent, now: float) -> None:
        if type(event).__name__ == "ReofferReceived":
            wire.b.ua.accept_reoffer(wire.b.session, ANSWER, now)

    wire.a.on_event, wire.b.on_event = refresh, accept
    established(wire)
    wire.run(5000.0)
    assert sent(wire, "a", "UPDATE") == []
    assert len(sent(wire, "a", "INVITE")) == 6
    assert "Ended" not in wire.b.names()


def test_whoever_was_asked_for_a_reoffer_and_makes_none_loses_the_session() -> None:
    wire = Wire(b_settings=WITHOUT_UPDATE)
    established(wire)
    wire.run(1800.0)
    assert wire.a.names() == ["Answered", "RefreshDue", "Ended"]
    wire.assert_quiet()


@pytest.mark.parametrize("status", [491, 500, 503])
def test_a_refresh_that_is_refused_is_tried_again(status: int) -> None:
    wire = Wire()
    established(wire)
    wire.run(899.0)
    wire.fate = lost
    wire.run(2.0)
    refuse_update(wire, status)
    wire.fate = lambda message, sender: 0.01
    wire.run(15.0)
    assert len({m.cseq.seq for m in sent(wire, "a", "UPDATE")}) == 2
    wire.run(2000.0)
    assert "Ended" not in wire.a.names()


@pytest.mark.parametrize("status", [403, 405, 488, 501, 603])
def test_where_the_update_is_not_taken_after_all_a_reoffer_is_asked_for(status: int) -> None:
    wire = Wire()
    established(wire)
    wire.run(899.0)
    wire.fate = lost
    wire.run(2.0)
    refuse_update(wire, status)
    assert wire.a.names()[-1] == "RefreshDue"


def refuses_reoffers(wire: Wire) -> None:
    """A asks B whenever it is told to, and B refuses all offers."""

    def refresh(event: SessionEvent, now: float) -> None:
        if isinstance(event, RefreshDue):
            wire.a.ua.reoffer(event.session, OFFER, now)

    def refuse(event: SessionEvent, now: float) -> None:
        if type(event).__name__ == "ReofferReceived":
            wire.b.ua.refuse_reoffer(wire.b.session, 488, now)

    wire.a.on_event, wire.b.on_event = refresh, refuse


def test_a_peer_without_timers_may_refuse_each_refresh_but_must_answer() -> None:
    """It agreed to no interval, and its refusals show that it is there (RFC 4028 section 7.2)."""
    wire = Wire(b_settings=replace(WITHOUT_UPDATE, session_interval_s=0))
    refuses_reoffers(wire)
    a, _ = established(wire)
    wire.run(5000.0)
    assert len(sent(wire, "a", "INVITE")) == 1 + 5
    restarted(wire, wire.a, a)
    refuses_reoffers(wire)
    wire.run(5000.0)
    assert not {"Ended"} & {*wire.a.names(), *wire.b.names()}
    wire.fate = lost
    wire.run(1000.0)
    ended = wire.a.log[-1]
    assert isinstance(ended, Ended)
    assert (ended.by, ended.detail) == (EndedBy.TIMEOUT, "no response to our re-INVITE")


def test_a_peer_that_agreed_upon_an_interval_and_refuses_each_refresh_loses_the_session() -> None:
    wire = Wire(b_settings=WITHOUT_UPDATE)
    wire.fate = lambda message, sender: None if is_request(message, "BYE") else 0.01
    refuses_reoffers(wire)
    established(wire)
    wire.run(1800.0)
    ended = wire.a.log[-1]
    assert isinstance(ended, Ended)
    assert ended.detail == "the session was not refreshed"
    wire.assert_quiet()


def test_an_update_refused_by_a_peer_without_timers_is_sent_again_in_the_next_interval() -> None:
    wire = Wire(b_settings=OFF)
    established(wire)
    wire.run(899.0)
    wire.fate = lost
    wire.run(2.0)
    refuse_update(wire, 500)
    wire.fate = lambda message, sender: 0.01
    wire.run(890.0)
    assert len({m.cseq.seq for m in sent(wire, "a", "UPDATE")}) == 1
    wire.run(20.0)
    assert len({m.cseq.seq for m in sent(wire, "a", "UPDATE")}) == 2
    wire.run(5000.0)
    assert "Ended" not in wire.a.names()


def unreachable(wire: Wire, seconds: float) -> None:
    """For so long nothing of A's can be sent."""
    wire.fate = lost
    for _ in range(int(seconds)):
        wire.run(1.0)
        wire.a.endpoint.transport_failed(wire.a.flow_to(wire.b.address), "refused", wire.now)
        wire.flush()
    wire.fate = lambda message, sender: 0.01


@pytest.mark.parametrize("of_b", [UserAgentSettings(), OFF, WITHOUT_UPDATE])
def test_a_refresh_that_cannot_be_sent_is_tried_until_it_can(of_b: UserAgentSettings) -> None:
    wire = Wire(b_settings=of_b)

    def refresh(event: SessionEvent, now: float) -> None:
        if isinstance(event, RefreshDue):
            wire.a.ua.reoffer(event.session, OFFER, now)

    def accept(event: SessionEvent, now: float) -> None:
        if type(event).__name__ == "ReofferReceived":
            wire.b.ua.accept_reoffer(wire.b.session, ANSWER, now)

    wire.a.on_event, wire.b.on_event = refresh, accept
    established(wire)
    wire.run(895.0)
    unreachable(wire, 60.0)
    assert "Ended" not in wire.a.names()
    wire.run(5000.0)
    assert "Ended" not in wire.a.names()


@pytest.mark.parametrize("of_b", [UserAgentSettings(), OFF])
def test_a_peer_that_cannot_be_reached_for_the_rest_of_the_interval_is_given_up(
    of_b: UserAgentSettings,
) -> None:
    wire = Wire(b_settings=of_b)
    established(wire)
    wire.run(895.0)
    unreachable(wire, 880.0)
    ended = wire.a.log[-1]
    assert isinstance(ended, Ended)
    assert ended.detail == "the session was not refreshed"


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_lost_the_dialog_is_noticed_by_the_refresh(status: int) -> None:
    wire = Wire()
    established(wire)
    wire.run(899.0)
    wire.fate = lost
    wire.run(2.0)
    refuse_update(wire, status)
    ended = wire.a.log[-1]
    assert isinstance(ended, Ended)
    assert ended.detail == f"{status} to our UPDATE"
    wire.b.ua.end(wire.b.session, wire.now)
    wire.assert_quiet()


def refuse_update(wire: Wire, status: int) -> None:

    update = sent(wire, "a", "UPDATE")[-1]
    wire.inject(wire.a, serialize(Response(status, "No", update.headers.copy())))


def test_an_update_of_the_peer_with_an_interval_too_short_is_refused() -> None:
    wire = Wire()
    established(wire)
    answered = success(wire)
    data = in_dialog(answered, "UPDATE", 7)
    more = b"Session-Expires: 20\r\nSupported: timer\r\nCSeq:"
    wire.inject(wire.b, data.replace(b"CSeq:", more, 1))
    assert is_response(wire.sent[-1][1], 422)


def test_a_raised_interval_of_a_refresh_is_taken() -> None:

    wire = Wire()
    established(wire)
    wire.run(899.0)
    wire.fate = lost
    wire.run(2.0)
    update = sent(wire, "a", "UPDATE")[-1]
    headers = update.headers.copy()
    headers.set("Min-SE", "3600")
    wire.inject(wire.a, serialize(Response(422, "No", headers)))
    again = sent(wire, "a", "UPDATE")[-1]
    assert again.cseq.seq == update.cseq.seq + 1
    assert again.headers.get("Session-Expires") == "3600;refresher=uac"
    assert again.headers.get("Min-SE") == "3600"


def test_a_raised_interval_of_a_reoffer_is_taken() -> None:

    wire = Wire()
    a, _ = established(wire)
    wire.fate = lost
    wire.a.ua.reoffer(a, OFFER, wire.now)
    wire.flush()
    first = sent(wire, "a", "INVITE")[-1]
    headers = first.headers.copy()
    headers.set("Min-SE", "3600")
    wire.inject(wire.a, serialize(Response(422, "No", headers)))
    wire.fate = lambda message, sender: 0.01
    wire.run(0.6)
    again = sent(wire, "a", "INVITE")[-1]
    assert (again.cseq.seq, again.body) == (first.cseq.seq + 1, OFFER)
    assert wire.b.names()[-1] == "ReofferReceived"


# --- over a restart -------------------------------------------------------------------------


def restarted(wire: Wire, node: Node, session: SessionId, *, answered: bytes = ANSWER) -> None:
    """The node's process ends, and another goes on with the session."""
    record = node.ua.record(session)
    assert record is not None
    fresh = Node(node.name + "2", node.address, node.ua._table.settings)
    node.endpoint, old = fresh.endpoint, node.ua
    node.ua = fresh.ua
    assert isinstance(old, UserAgent)
    node.ua.restore(record, None, answered, wire.now, may_lack_ack=False)


def test_whoever_refreshes_does_so_soon_after_a_restart() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.run(800.0)
    restarted(wire, wire.a, a)
    wire.run(100.0)
    assert len(sent(wire, "a", "UPDATE") + sent(wire, "a2", "UPDATE")) == 1
    wire.run(5000.0)
    assert "Ended" not in wire.b.names()


def test_whoever_is_refreshed_waits_for_a_whole_interval_after_a_restart() -> None:
    wire = Wire()
    _, b = established(wire)
    restarted(wire, wire.b, b)
    wire.run(5000.0)
    assert "Ended" not in wire.a.names()
    wire.fate = lost
    wire.run(1800.0)
    assert wire.b.names()[-1] == "Ended"


# --- every pair -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "given"), list(itertools.product(State, Input)), ids=lambda value: value.name
)
def test_a_timer_in_any_state_takes_any_input(state: State, given: Input) -> None:
    wire = Wire()
    a, _ = established(wire)
    session = wire.a.ua._table.by_id[a]
    session_timer_steps.step(wire.a.ua._table, session, Input.TERMINATE, wire.now)
    session.timer = state
    session_timer_steps.step(wire.a.ua._table, session, given, wire.now)
    assert session.timer is session_timer.TRANSITIONS.get((state, given), (state, ()))[0]
    wire.run(5.0)
    wire.a.ua.end(a, wire.now)
    wire.assert_quiet()


def test_requests_of_a_session_that_is_over_are_not_refreshed() -> None:
    wire = Wire()
    a, _ = established(wire)
    wire.fate = lambda message, sender: None if is_request(message, "UPDATE") else 0.01
    wire.run(901.0)
    wire.a.ua.end(a, wire.now)
    wire.run(50.0)
    wire.assert_quiet()
