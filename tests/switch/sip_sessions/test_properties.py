"""Whatever both sides and the wire do: every session ends once, and nothing is left."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from switch.sip.events import Ended, Failed, Invited, SessionId
from switch.sip.message import Message, Request, Response
from switch.sip.writing import serialize
from tests.switch.sip_sessions.test_call import in_dialog, invite
from tests.switch.sip_sessions.wire import ANSWER, OFFER, Node, Wire

VERBS = ("ring", "answer", "reject", "end", "reoffer", "accept", "refuse", "wait", "long wait")
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from(VERBS)), max_size=14)
DELAYS = (0.0, 0.01, 0.01, 0.01, 0.05, 0.3, 0.8, 2.5)
FATES = st.lists(st.integers(0, 11), min_size=1, max_size=40)
"""Of one message after the other, over and over: above the delays means lost."""


def with_fates(fates: Sequence[int]) -> Wire:
    count = 0

    def fate(message: Message, sender: Node) -> float | None:
        nonlocal count
        count += 1
        drawn = fates[count % len(fates)]
        return DELAYS[drawn] if drawn < len(DELAYS) else None

    return Wire(fate=fate)


def sessions(node: Node, called: Sequence[SessionId]) -> list[SessionId]:
    return [event.session for event in node.of(Invited) if isinstance(event, Invited)] or list(
        called
    )


def act(wire: Wire, node: Node, verb: str, called: Sequence[SessionId]) -> None:
    ua, now = node.ua, wire.now
    for session in sessions(node, called if node is wire.a else ()):
        match verb:
            case "ring":
                ua.ring(session, now)
            case "answer":
                ua.answer(session, ANSWER, now)
            case "reject":
                ua.reject(session, 486, None, now)
            case "end":
                ua.end(session, now)
            case "reoffer":
                ua.reoffer(session, OFFER, now)
            case "accept":
                ua.accept_reoffer(session, ANSWER, now)
            case "refuse":
                ua.refuse_reoffer(session, 488, now)
    wire.run(6.0 if verb == "long wait" else 0.2)


def assert_each_ended_once(node: Node, called: Sequence[SessionId]) -> None:
    ends = Counter(event.session for event in node.log if isinstance(event, Ended | Failed))
    expected = [*called, *(e.session for e in node.of(Invited) if isinstance(e, Invited))]
    assert ends == Counter(expected)
    last = {event.session: event for event in node.log if hasattr(event, "session")}
    assert all(isinstance(event, Ended | Failed) for event in last.values())


@settings(max_examples=150, deadline=None)
@given(STEPS, FATES)
def test_every_session_ends_once_and_leaves_nothing(
    steps: list[tuple[bool, str]], fates: list[int]
) -> None:
    wire = with_fates(fates)
    called = [wire.call()]
    for is_caller, verb in steps:
        act(wire, wire.a if is_caller else wire.b, verb, called)
    act(wire, wire.a, "end", called)
    wire.run(40.0)
    act(wire, wire.b, "end", ())
    wire.run(330.0)
    assert_each_ended_once(wire.a, called)
    assert_each_ended_once(wire.b, ())
    wire.assert_quiet()


METHODS = ("INVITE", "ACK", "BYE", "UPDATE", "INFO", "OPTIONS", "CANCEL", "PRACK", "REFER")
BODIES = (b"", OFFER, b"\xff\x00 not sdp")
HOSTILE = st.tuples(
    st.sampled_from(METHODS), st.integers(0, 6), st.sampled_from(BODIES), st.booleans()
)
COMMANDS = st.sampled_from(("ring", "answer", "reject", "accept", "refuse"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(HOSTILE, COMMANDS), max_size=16), st.booleans())
def test_a_hostile_caller_disturbs_nobody(
    moves: list[tuple[str, int, bytes, bool] | str], is_delayed: bool
) -> None:
    """A hand-made caller says anything in any order to B, which has another session."""
    wire = Wire()
    wire.call()
    wire.run()
    wire.b.ua.answer(wire.b.session, ANSWER, wire.now)
    wire.run()
    quiet = wire.b.session
    wire.inject(wire.b, invite(body=b"" if is_delayed else OFFER))
    attacked = wire.b.session
    wire.b.ua.ring(attacked, wire.now)
    wire.flush()
    ringing = wire.sent[-1][1]
    assert isinstance(ringing, Response)
    for move in moves:
        if isinstance(move, tuple):
            method, seq, body, is_own_tag = move
            data = in_dialog(ringing, method, seq, body)
            wire.inject(wire.b, data if is_own_tag else data.replace(b"tag=x", b"tag=y"))
            wire.run(0.3)
        else:
            act_on(wire, attacked, move)
    wire.b.ua.end(attacked, wire.now)
    wire.run(340.0)
    ends = [e.session for e in wire.b.log if isinstance(e, Ended)]
    assert ends.count(attacked) == 1
    assert quiet not in ends
    assert wire.b.ua.sessions_alive == 1
    assert_every_request_was_answered_once(wire)


def act_on(wire: Wire, session: SessionId, verb: str) -> None:
    ua, now = wire.b.ua, wire.now
    match verb:
        case "ring":
            ua.ring(session, now)
        case "answer":
            ua.answer(session, ANSWER, now)
        case "reject":
            ua.reject(session, 486, None, now)
        case "accept":
            ua.accept_reoffer(session, ANSWER, now)
        case "refuse":
            ua.refuse_reoffer(session, 488, now)
    wire.run(0.2)


def assert_every_request_was_answered_once(wire: Wire) -> None:
    """One final status for each branch, however often it was sent."""
    finals: dict[tuple[str | None, str, str | None], set[int]] = {}
    for sender, message in wire.sent:
        if sender == "b" and isinstance(message, Response) and message.status >= 200:
            key = (message.top_via.branch, message.cseq.method, message.from_.tag)
            finals.setdefault(key, set()).add(message.status)
    assert all(len(statuses) == 1 for statuses in finals.values())


REPLIES = st.tuples(
    st.sampled_from((100, 180, 183, 200, 202, 301, 404, 408, 481, 486, 487, 491, 500, 603)),
    st.sampled_from(("p", "q", None)),
    st.sampled_from(BODIES),
)


@settings(max_examples=150, deadline=None)
@example(  # a re-INVITE that only ever gets a provisional response: RFC 3261 sets no timer then
    moves=[(200, "p", b"v=0 offer"), "reoffer", (100, "p", b"")]
)
@given(st.lists(st.one_of(REPLIES, st.sampled_from(("end", "reoffer", "wait"))), max_size=14))
def test_a_hostile_callee_is_survived(moves: list[tuple[int, str | None, bytes] | str]) -> None:
    """Answers A's newest request with anything, again and again, with any tag."""
    wire = Wire(fate=lambda message, sender: None)
    called = wire.call()
    for move in moves:
        if isinstance(move, tuple):
            (*_, target) = [m for n, m in wire.sent if n == "a" and is_answerable(m)]
            assert isinstance(target, Request)
            wire.inject(wire.a, reply(target, *move))
        elif move == "end":
            wire.a.ua.end(called, wire.now)
        elif move == "reoffer":
            wire.a.ua.reoffer(called, OFFER, wire.now)
        wire.run(0.3)
    wire.a.ua.end(called, wire.now)
    wire.run(340.0)
    assert_each_ended_once(wire.a, [called])
    wire.assert_quiet()


def is_answerable(message: Message) -> bool:
    return isinstance(message, Request) and message.method != "ACK"


def reply(request: Request, status: int, tag: str | None, body: bytes) -> bytes:
    headers = request.headers.copy()
    if tag is not None:
        headers.set("To", str(request.to.with_tag(tag)))
    headers.remove("Content-Type")
    if body:
        headers.set("Content-Type", "application/sdp")
    return serialize(Response(status, "Whatever", headers, body))
